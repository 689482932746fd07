import * as fs from "node:fs"

const { O_NOFOLLOW, O_NONBLOCK } = fs.constants

const NOT_PLAIN = "it is not a regular file"

/** What the system answers where something else lies in a file's place: a symlink, a folder, a socket. */
const ODD: Readonly<Record<string, string>> = {
  ELOOP: "it is a symbolic link",
  EISDIR: "it is a folder",
  ENXIO: NOT_PLAIN,
  [NOT_PLAIN]: NOT_PLAIN
}

/** What lies in a file's place, by the code that `openPlain` failed with; none where it failed otherwise. */
export const oddAt = (code: string): string | undefined => ODD[code]

/**
 * Opens the regular file at a path itself, for this user alone where it is made: a symbolic link is not followed, the
 * other end of a pipe not waited for. Throws the system's error, or one of which `code` says that it is no regular file.
 */
export const openPlain = (file: string, flags: number): number => {
  const fd = fs.openSync(file, flags | O_NOFOLLOW | O_NONBLOCK, 0o600)
  const found = fs.fstatSync(fd)
  if (found.isFile()) return fd
  fs.closeSync(fd)
  const code = found.isDirectory() ? "EISDIR" : NOT_PLAIN
  throw Object.assign(new Error(code), { code })
}
