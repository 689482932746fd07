import { isLoopback, isWildcard, plainAddress } from "../config/Addresses.ts"

/** What a Host header names: the name without port, in lower case; undefined when it is no host. */
export const hostName = (header: string | undefined): string | undefined => {
  const found = /^(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9_.-]{1,255}))(?::\d{1,5})?$/i.exec(header ?? "")
  const name = found?.[1] ?? found?.[2]
  return name === undefined ? undefined : name.toLowerCase().replace(/\.$/, "")
}

/**
 * Whether a request may be sent to this name: localhost, an address of this host, the name that the server was told
 * to listen on, or one that the configuration allows. A page of the internet that makes its own name mean this host
 * (DNS rebinding) is none of them.
 */
export const isOwn = (
  name: string,
  own: {
    readonly addresses: ReadonlyArray<string>
    readonly host: string
    readonly allowed: ReadonlyArray<string>
  }
): boolean =>
  isLoopback(name) ||
  own.addresses.some((address) => plainAddress(address) === plainAddress(name)) ||
  (!isWildcard(own.host) && own.host.toLowerCase() === name) ||
  own.allowed.some((allowed) => allowed.toLowerCase() === name)

/** Whether an Origin is the server itself as this request calls it. */
export const isSameOrigin = (origin: string, hostHeader: string): boolean =>
  URL.canParse(origin) && new URL(origin).host.toLowerCase() === hostHeader.toLowerCase().replace(/:80$/, "")
