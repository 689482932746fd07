/** What a Host header names: the name without port, in lower case; undefined when it is no host. */
export const hostName = (header: string | undefined): string | undefined => {
  const found = /^(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9_.-]{1,255}))(?::\d{1,5})?$/i.exec(header ?? "")
  const name = found?.[1] ?? found?.[2]
  return name === undefined ? undefined : name.toLowerCase().replace(/\.$/, "")
}

/** An address without its zone and without the IPv4 prefix that a dual socket gives it. */
export const plainAddress = (address: string): string =>
  address
    .toLowerCase()
    .replace(/%.*$/, "")
    .replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/, "")

/** Whether an address or a name means this host and nothing beyond it. */
export const isLoopback = (host: string): boolean => {
  const plain = plainAddress(host.replace(/^\[(.*)\]$/, "$1"))
  return plain === "localhost" || plain === "::1" || /^127\.\d+\.\d+\.\d+$/.test(plain)
}

/** Whether an address means every interface of this host. */
export const isWildcard = (host: string): boolean => ["0.0.0.0", "::", "[::]", ""].includes(host)

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
