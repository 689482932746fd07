import { readFileSync } from "node:fs"
import { codeOf } from "../SystemWord.ts"

/** The state of a socket that takes connections in /proc/net/tcp (proc(5)). */
const LISTEN = "0A"

/** The sockets of a family, a line each; none where the host has not this family. */
const socketsOf = (path: string): ReadonlyArray<string> => {
  try {
    return readFileSync(path, "latin1").split("\n").slice(1)
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return []
    throw cause
  }
}

const TABLES = ["/proc/net/tcp", "/proc/net/tcp6"]

/**
 * Whether a program of this host takes connections at a port. A port that cannot be taken while none does is held by a
 * connection that began there, which the system keeps for a minute after it was closed, or by what has not begun to
 * listen. True where the system does not tell.
 */
export const isListenedAt = (port: number): boolean => {
  const end = `:${port.toString(16).toUpperCase().padStart(4, "0")}`
  try {
    const sockets = TABLES.flatMap(socketsOf)
    return (
      sockets.length === 0 ||
      sockets.some((line) => {
        const [, local, , state] = line.trim().split(/\s+/)
        return state === LISTEN && local?.endsWith(end) === true
      })
    )
  } catch {
    return true
  }
}
