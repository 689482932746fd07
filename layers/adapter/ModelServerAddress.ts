import { decoded, userInfoSecrets } from "./UserInfo.ts"

/** Where a model server is: what is called, and what of it may be shown. */
export interface Address {
  /** The address of a path below the endpoint, without user info; the endpoint's own query stays. */
  readonly url: (path: string) => URL
  /** Host and port, as messages name the server. */
  readonly host: string
  /** Basic authorization where the endpoint holds user info. */
  readonly headers: Readonly<Record<string, string>>
  /** What of the endpoint's user info is to be masked. */
  readonly secrets: ReadonlyArray<string>
  /** Whether what is sent can be read on its way: http to another host than this one. */
  readonly isOpen: boolean
}

/** Reads an endpoint of the configuration, which is a valid http or https address without a last slash. */
export const addressOf = (endpoint: string): Address => {
  const base = new URL(endpoint)
  const user = decoded(base.username)
  const password = decoded(base.password)
  const secrets = userInfoSecrets(base)
  base.username = ""
  base.password = ""
  base.hash = ""
  return {
    url: (path) => {
      const url = new URL(base)
      url.pathname = `${base.pathname.replace(/\/+$/, "")}${path}`
      return url
    },
    host: base.host,
    headers:
      user === "" && password === ""
        ? {}
        : { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` },
    secrets,
    isOpen: base.protocol === "http:" && !isLoopback(base.hostname)
  }
}

// URL gives every spelling of an IPv4 address as four numbers.
const isLoopback = (hostname: string): boolean =>
  hostname === "localhost" ||
  hostname.endsWith(".localhost") ||
  hostname === "[::1]" ||
  /^127(\.\d+){3}$/.test(hostname)
