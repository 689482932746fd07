import { isNoRoom } from "../../src/domain/HostRoom.ts"
import { codeOf } from "../SystemWord.ts"
import { CannotStart, noRoomTo } from "./CannotStart.ts"

/**
 * Why a file that an adapter needs cannot be read, and what mends it. Only where nothing is there is it made with
 * `make`: the same command would empty a file that is only closed to this user.
 */
export const unreadable = (what: string, path: string, cause: unknown, make: string): CannotStart => {
  const code = codeOf(cause)
  if (isNoRoom(code)) return noRoomTo(`${what} ${path} cannot be read`, code)
  const remedy =
    code === "ENOENT"
      ? make
      : code === "EACCES" || code === "EPERM"
        ? `let this user read it (chmod u+r ${path}, or chown it) and enter its folders`
        : `see what is there; it must be a file that this user can read: ${path}`
  return new CannotStart({ reason: `${what} ${path} cannot be read (${code})`, remedy })
}
