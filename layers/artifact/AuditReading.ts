import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs"
import { Option } from "effect"
import type { AuditFile } from "../../src/artifact/AuditFolder.ts"
import { codeOf } from "../SystemWord.ts"
import { below, inFolder, ours, type Place, shownPath } from "./AuditPlace.ts"

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

/** Runs `use` on a file of an attempt; none when there is none. Throws for what is no plain file. */
const withFile = <A>(place: Place, file: AuditFile, use: (fd: number) => A): Option.Option<A> => {
  try {
    return inFolder(place, false, (folder) => {
      const fd = ours(
        openSync(below(folder, file), O_RDONLY | O_NOFOLLOW | O_NONBLOCK),
        shownPath(place, file)
      )
      try {
        return Option.some(use(fd))
      } finally {
        closeSync(fd)
      }
    })
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return Option.none()
    throw cause
  }
}

/** See Audit.read. Throws what the system says. */
export const readRange = (
  place: Place,
  file: AuditFile,
  range: { readonly offset: number; readonly most: number }
): Uint8Array =>
  Option.getOrElse(
    withFile(place, file, (fd) => {
      const left = Math.max(0, Math.min(range.most, fstatSync(fd).size - range.offset))
      const bytes = new Uint8Array(left)
      return bytes.subarray(0, left === 0 ? 0 : readSync(fd, bytes, 0, left, range.offset))
    }),
    () => new Uint8Array(0)
  )

/** See Audit.size. Throws what the system says. */
export const sizeOf = (place: Place, file: AuditFile): Option.Option<number> =>
  withFile(place, file, (fd) => fstatSync(fd).size)
