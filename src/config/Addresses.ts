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

/** Whether an address holds a user or a password. */
export const hasUserInfo = ({ password, username }: URL): boolean => username !== "" || password !== ""
