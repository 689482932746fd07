import type { Told } from "../support/binary.ts"
import { leaks } from "./Planted.ts"

/** Exit codes that are documented; 130 and 143 are those of a command that a signal asked to end. */
const codes = [0, 1, 2, 3, 130, 143]

const forbidden: ReadonlyArray<readonly [what: string, pattern: RegExp]> = [
  ["a stack", /^\s+at .*[(:]\d+:\d+\)?$/m],
  ["a stack", /\bat (?:async )?[\w.<>]+ \([^)]*:\d+:\d+\)/],
  ["a path of the build", /\/\$bunfs\/|node_modules\/|\blayers\/store\/|\bsrc\/[a-z]+\/[A-Z]\w+\.ts/],
  ["SQL", /\b(?:SELECT [\w*]+.* FROM|INSERT INTO|DELETE FROM|UPDATE \w+ SET|BEGIN IMMEDIATE)\b/],
  ["a name of SQLite's errors", /\bSQLiteError\b/],
  ["a defect's name", /\b(?:FiberFailure|TypeError|ReferenceError|RangeError|UnknownException)\b/],
  ["a value that was not meant to be shown", /\[object Object\]|\bundefined\b/]
]

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/**
 * What is not as documented in how a command ended and in what it printed, a sentence each. A command that was
 * killed from outside (`bySignal`) may have printed anything but what is forbidden everywhere.
 */
export const wrongIn = (
  args: ReadonlyArray<string>,
  { code, signal, stderr, stdout }: Told,
  bySignal: boolean
): ReadonlyArray<string> => {
  const says = (problem: string) => `${args[0]} ${problem}`
  const ended = signal === null ? codes.includes(code ?? -1) : bySignal && signal === "SIGKILL"
  const whole = signal !== null || stdout === "" || isJson(stdout) || stdout.trim().split("\n").every(isJson)
  const silent = signal === null && (code === 2 || code === 3) && !stderr.includes("agent-runtime: ")
  return [
    ...(ended ? [] : [says(`ended with ${signal ?? code}: ${stderr.slice(-400)}`)]),
    ...(whole ? [] : [says(`printed what is no JSON: ${stdout.slice(0, 200)}`)]),
    ...(code === 3 && stdout !== "" ? [says("exited 3 and answered all the same")] : []),
    ...(silent ? [says(`exited ${code} without saying why: ${stderr.slice(0, 200)}`)] : []),
    ...forbidden.flatMap(([what, pattern]) => {
      const found = pattern.exec(stderr)?.[0]
      return found === undefined ? [] : [says(`told ${what}: ${found.trim()}`)]
    }),
    ...(leaks(stdout) || leaks(stderr) ? [says("told the secret")] : [])
  ]
}
