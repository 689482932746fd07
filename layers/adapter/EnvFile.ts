import { Effect, Redacted } from "effect"
import type { Placed } from "../../src/config/RuntimeConfig.ts"
import { readPlain } from "../config/PlainFile.ts"
import type { CannotStart } from "./CannotStart.ts"
import { unreadable } from "./Unreadable.ts"

export interface EnvFile {
  readonly values: ReadonlyMap<string, Redacted.Redacted>
  /** Lines that were passed over, and that others can read the file; never a value. */
  readonly warnings: ReadonlyArray<string>
}

const LINE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)$/s

const unquoted = (text: string): string => {
  const value = text.trim()
  const quote = value[0]
  return value.length >= 2 && (quote === '"' || quote === "'") && value.endsWith(quote)
    ? value.slice(1, -1)
    : value
}

/**
 * Reads `KEY=value` lines: `export` in front and one pair of quotes around are taken off, empty lines and
 * lines with `#` in front are passed over, the last of two equal keys counts. Nothing is expanded. Other
 * lines are named by number (their text may be a secret) and passed over.
 */
export const parseEnv = (
  text: string
): { values: ReadonlyMap<string, string>; strange: ReadonlyArray<number> } => {
  const values = new Map<string, string>()
  const strange: Array<number> = []
  for (const [index, line] of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .entries()) {
    if (/^\s*(#|$)/.test(line)) continue
    const [, key, value] = LINE.exec(line) ?? []
    if (key === undefined || value === undefined || value.includes("\0")) strange.push(index + 1)
    else values.set(key, unquoted(value))
  }
  return { values, strange }
}

/** Others of this host can read a file with this mode. */
export const readableByOthers = (mode: number): boolean => (mode & 0o077) !== 0

/** Reads an adapter's env file; fails when it cannot be read, warns of what is odd about it. */
export const readEnvFile = (file: Placed): Effect.Effect<EnvFile, CannotStart> =>
  Effect.try({
    try: () => {
      const { bytes, mode } = readPlain(file.path)
      const { values, strange } = parseEnv(bytes.toString("utf8"))
      const open = readableByOthers(mode)
        ? [`env file ${file.path} can be read by others: chmod 600 ${file.path}`]
        : []
      const odd =
        strange.length > 0
          ? [`env file ${file.path}: not KEY=value in line ${strange.join(", ")}, passed over`]
          : []
      return {
        values: new Map(Array.from(values, ([key, value]) => [key, Redacted.make(value)] as const)),
        warnings: [...open, ...odd]
      }
    },
    catch: (cause) =>
      unreadable(
        "env file",
        file.path,
        cause,
        `make it with the variables that the adapter needs: install -m 600 /dev/null ${file.path}`
      )
  })
