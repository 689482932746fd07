import { statSync } from "node:fs"
import { Either } from "effect"
import { counted } from "../../src/domain/Figure.ts"
import { codeOf } from "../SystemWord.ts"
import { readPlain } from "./PlainFile.ts"

/** No configuration, profile or template is larger than this many bytes. */
const MOST = 4 * 1024 * 1024

/** Why a file could not be read as text; `absent` when nothing is at its path. */
export interface Unreadable {
  readonly absent: boolean
  readonly isFolder: boolean
  /** A clause that follows the path. */
  readonly wrong: string
  readonly expected: string
  readonly remedy: string
}

const unreadable = (
  wrong: string,
  expected: string,
  remedy: string,
  is: Partial<Pick<Unreadable, "absent" | "isFolder">> = {}
): Either.Either<never, Unreadable> =>
  Either.left({ absent: false, isFolder: false, wrong, expected, remedy, ...is })

/** The text of a regular UTF-8 file of at most 4 MiB, in one synchronous step: these files are small. */
export const readText = (path: string): Either.Either<string, Unreadable> => {
  if (path.includes("\0")) return unreadable("it has a NUL character in its path", "a path", "")
  try {
    const stat = statSync(path)
    if (stat.isDirectory())
      return unreadable("it is a folder", "a file", "name a file in it", { isFolder: true })
    if (!stat.isFile()) return unreadable("it is not a regular file", "a file", "")
    if (stat.size > MOST) return unreadable(`it has ${counted(stat.size)} bytes`, "at most 4 MiB", "")
    return utf8(readPlain(path, MOST).bytes)
  } catch (error) {
    const code = codeOf(error)
    if (code === "ENOENT" || code === "ENOTDIR")
      return unreadable("there is no such file", "a file", "", { absent: true })
    if (code === "EACCES")
      return unreadable(
        "it cannot be read (EACCES)",
        "a file that this user may read",
        "change its owner or mode"
      )
    return unreadable(`it cannot be read (${code})`, "a readable file", "")
  }
}

const utf8 = (bytes: Uint8Array): Either.Either<string, Unreadable> => {
  try {
    return Either.right(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  } catch {
    return unreadable("it is not UTF-8 text", "UTF-8", "save it as UTF-8")
  }
}
