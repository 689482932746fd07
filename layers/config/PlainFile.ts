import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs"
import { counted } from "../../src/domain/Figure.ts"

/** So much at most is read of a file of keys or variables: they are small. */
export const SMALL = 1024 * 1024

/** What a plain file holds, and its mode. */
export interface PlainFile {
  readonly bytes: Buffer
  readonly mode: number
}

// In place of a system's word, so that it is told as those are.
const odd = (code: string): Error => Object.assign(new Error(code), { code })

/**
 * Reads the regular file at a path whole, symlinks followed. It never waits: a pipe or a device in the place of a file
 * would hold up the process, and with it everything that it does. Throws the system's error, or one of which `code` is
 * a clause that says what is wrong: no regular file, or more than `most` bytes.
 */
export const readPlain = (path: string, most: number = SMALL): PlainFile => {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const found = fstatSync(fd)
    if (found.isDirectory()) throw odd("EISDIR")
    if (!found.isFile()) throw odd("it is not a regular file")
    if (found.size > most) throw odd(`it has ${counted(found.size)} bytes, at most ${counted(most)} are read`)
    return { bytes: readFileSync(fd), mode: found.mode }
  } finally {
    closeSync(fd)
  }
}

/** The text of a plain file as `readPlain` reads it, as UTF-8. */
export const readPlainText = (path: string, most: number = SMALL): string =>
  readPlain(path, most).bytes.toString("utf8")
