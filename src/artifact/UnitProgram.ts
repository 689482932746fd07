import { Option } from "effect"

// What systemd makes of a program's path, by trial with systemd 252 (man systemd.service, "Command lines"): the first
// word of ExecStart keeps a `$`, doubled or not, and may hold no quotation mark, backslash or control character however
// they are written. A word behind the first may, and there `$$` is one `$`.
const ENV = "/usr/bin/env --"

/** What no unit of ours holds: a line of it would end there, or nobody could read it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused.
const UNWRITABLE = /[\u0000-\u0008\u000a-\u001f\u007f]/
const NOT_FIRST = /['"\\\t]/

/** Whether systemd starts a program by this path as the first word of ExecStart. */
export const isFirstWord = (path: string): boolean => !NOT_FIRST.test(path) && !UNWRITABLE.test(path)

/**
 * A program's path as it stands behind `ExecStart=`; None when it cannot stand there. What cannot be the first word is
 * run by env(1), which takes a word with a `=` for a variable.
 */
export const execStart = (path: string): Option.Option<string> => {
  if (UNWRITABLE.test(path)) return Option.none()
  const plain = path.replaceAll("%", "%%")
  if (isFirstWord(path)) return Option.some(/[\s;]/.test(plain) ? `"${plain}"` : plain)
  if (path.includes("=")) return Option.none()
  return Option.some(`${ENV} "${plain.replace(/["\\]/g, "\\$&").replaceAll("$", "$$$$")}"`)
}

/**
 * A path as it stands in a file URL behind `Documentation=`: systemd takes no other letters than ASCII there and ends the
 * URL at a space; a `%` begins one of its own marks, so it stands doubled.
 */
export const documentationPath = (path: string): string =>
  encodeURIComponent(path.toWellFormed()).replaceAll("%2F", "/").replaceAll("'", "%27").replaceAll("%", "%%")

const EXEC_START = /^ExecStart=(\/usr\/bin\/env -- )?(?:"((?:[^"\\]|\\.)*)"|(\S+))/m

/** The path of the program that a unit runs, with this folder for `%h`; None of a unit that was written otherwise. */
export const programOf = (unit: string, home: string): Option.Option<string> => {
  const found = EXEC_START.exec(unit)
  const word = found?.[2]?.replace(/\\(.)/g, "$1") ?? found?.[3]
  if (word === undefined) return Option.none()
  const path = found?.[1] === undefined ? word : word.replaceAll("$$", "$")
  return Option.some(path.replace(/%[h%]/g, (mark) => (mark === "%h" ? home : "%"))).pipe(
    Option.filter((told) => told.startsWith("/"))
  )
}
