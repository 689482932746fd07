import { Cause, Option } from "effect"
import { ArtifactFailed } from "../artifact/ArtifactStore.ts"
import { AuditFailed } from "../artifact/AuditFolder.ts"
import { ConfigInvalid, ConfigMissing, line as configLine } from "../config/ConfigError.ts"
import { Invalid, sentence } from "../config/Issues.ts"
import { LockUnusable } from "../dispatch/Lock.ts"
import { roomRemedyOr } from "../domain/HostRoom.ts"
import { Refusal } from "../operate/Refusal.ts"
import { RecordInvalid, StoreUnavailable } from "../store/StoreError.ts"
import { OutputFailed } from "./Output.ts"
import { UsageError, line as usageLine } from "./UsageError.ts"
import { visible } from "./Width.ts"

/** Why a command did not do what was asked, as it is told to its caller. */
export interface Failure {
  /** A line for each thing that is wrong; never none. */
  readonly lines: ReadonlyArray<string>
  /** Whether all of them are told, however many: they are of the operator's own files, to be mended in one go. */
  readonly isWhole?: true
  /** For machines, snake_case. */
  readonly code: string
  /** What to do about it; empty when the lines say it. */
  readonly hint: string
  readonly exitCode: 1 | 2 | 3
}

/** No error is told in more lines than this, unless it is told whole; the rest is counted. */
const MOST_LINES = 50
/** No line is longer than this. */
const MOST_LETTERS = 2000

/**
 * What a failed command's cause says to its caller. Exit codes: 2 for usage, input and configuration, 3 for
 * the store, its lock and its evidence, 1 for everything else. A defect is 1 too: SPEC knows no code of its own for it,
 * 3 would send the operator to a healthy store, and `code` tells it (`internal_fault`).
 */
export const failureOf = (program: string, cause: Cause.Cause<unknown>): Failure =>
  Option.match(Cause.failureOption(cause), {
    onSome: (error) => expectedFailure(program, error),
    onNone: () => internalFault(Cause.squash(cause))
  })

/** The text for stderr: a line each with the program's name, then the hint; with `json` one object. */
export const render = (program: string, failure: Failure, json: boolean): string => {
  const lines = shortened(failure)
  if (json)
    return `${JSON.stringify({
      error: lines.join("\n"),
      code: failure.code,
      hint: failure.hint === "" ? null : visible(failure.hint)
    })}\n`
  return [
    ...lines.map((line) => `${program}: ${line}`),
    ...(failure.hint === "" ? [] : [visible(failure.hint)])
  ]
    .map((line) => `${line}\n`)
    .join("")
}

const shortened = ({ isWhole, lines }: Failure): ReadonlyArray<string> => {
  const shown = isWhole ? lines.length : MOST_LINES
  const safe = lines.slice(0, shown).map((line) => {
    const text = visible(line)
    return text.length <= MOST_LETTERS ? text : `${text.slice(0, MOST_LETTERS - 1)}…`
  })
  const left = lines.length - shown
  return left <= 0 ? safe : [...safe, `and ${left} more, which are told once these are mended`]
}

const expectedFailure = (program: string, error: unknown): Failure => {
  if (error instanceof UsageError) return usageFailure(program, error)
  if (error instanceof Refusal)
    return { lines: [error.message], code: error.code, hint: error.hint, exitCode: error.exitCode }
  if (error instanceof Invalid)
    return { lines: error.problems.map(sentence), code: "input_invalid", hint: "", exitCode: 2 }
  if (error instanceof ConfigInvalid)
    return {
      lines: error.problems.map(configLine),
      isWhole: true,
      code: "config_invalid",
      hint: "",
      exitCode: 2
    }
  if (error instanceof ConfigMissing) return configMissing(error)
  if (error instanceof StoreUnavailable)
    return {
      lines: [`the store ${error.path} is not available: ${error.reason}`],
      code: "store_unavailable",
      hint: error.remedy,
      exitCode: 3
    }
  if (error instanceof LockUnusable)
    return {
      lines: [`the lock file ${error.path} cannot be used: ${error.reason}`],
      code: "lock_unusable",
      hint: error.remedy,
      exitCode: 3
    }
  if (error instanceof ArtifactFailed || error instanceof AuditFailed)
    return {
      lines: [`the evidence in artifactDir cannot be used: ${error.path}: ${error.reason}`],
      code: "artifacts_unavailable",
      hint: roomRemedyOr(
        error.reason,
        "Check the disk's space and the rights of artifactDir, then try again."
      ),
      exitCode: 3
    }
  if (error instanceof RecordInvalid)
    return {
      lines: [`the record ${error.id} in ${error.table} cannot be read: ${error.problem}`],
      code: "record_invalid",
      hint: "It is as it was; a backup from before may hold it whole.",
      exitCode: 1
    }
  if (error instanceof OutputFailed)
    return {
      lines: [`the result cannot be written to stdout (${error.code})`],
      code: "output_failed",
      hint: OUTPUT_HINTS[error.code] ?? LOOK,
      exitCode: 1
    }
  return untold(error)
}

const LOOK = "What was asked for may be done: look before it is asked for again."

const OUTPUT_HINTS: Readonly<Record<string, string>> = {
  EBADF: `It was closed by the caller. ${LOOK}`,
  ENOSPC: `Free space where stdout goes to. ${LOOK}`
}

const usageFailure = (program: string, error: UsageError): Failure => ({
  lines: error.problems.map(usageLine),
  code: "usage",
  hint: `Run \`${[program, error.command].filter((part) => part !== "").join(" ")} --help\` for what it takes.`,
  exitCode: 2
})

const configMissing = (error: ConfigMissing): Failure => {
  const [what = "", ...rest] = error.message.split("; ")
  return { lines: [what], code: "config_missing", hint: rest.join("; "), exitCode: 2 }
}

/**
 * An error that has no entry above: its tag is its code, its message its line. One that has no message of its own is
 * told by its tag and facts: what Effect makes of those is a record.
 */
const untold = (error: unknown): Failure => {
  const tag =
    typeof error === "object" && error !== null && "_tag" in error && typeof error._tag === "string"
      ? error._tag
      : "Failed"
  const message = (error instanceof Error ? error.message : String(error)).replaceAll("\n", " ")
  const code = tag.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_").toLowerCase()
  const isRecord = message === "" || /^\{ .*\}$/.test(message)
  return {
    lines: [isRecord ? [code.replaceAll("_", " "), ...factsOf(error)].join("; ") : message],
    code,
    hint: isRecord ? "Run it again with --log-level debug for more." : "",
    exitCode: 1
  }
}

const factsOf = (error: unknown): ReadonlyArray<string> =>
  typeof error === "object" && error !== null
    ? Object.entries(error)
        .filter(([name, value]) => name !== "_tag" && ["string", "number", "boolean"].includes(typeof value))
        .map(([name, value]) => `${name}: ${value}`)
    : []

const internalFault = (defect: unknown): Failure => ({
  lines: [
    `internal fault: ${(defect instanceof Error ? defect.message : String(defect)).replaceAll("\n", " ")}`
  ],
  code: "internal_fault",
  hint: "This is a bug; run it again with --log-level debug for the stack.",
  exitCode: 1
})
