import { Option } from "effect"
import type { Execution } from "../../src/adapter/AdapterRegistry.ts"
import type { AuditFailed } from "../../src/artifact/AuditFolder.ts"
import { isNoRoom, saying } from "../../src/domain/HostRoom.ts"
import { noEvidence } from "../../src/evidence/NoEvidence.ts"
import type { CannotStart } from "./CannotStart.ts"
import type { Ended, Ending } from "./Process.ts"

/** How an attempt is judged. */
export type Judged = Pick<Execution, "exitStatus" | "retryClass" | "reason">

/** How an attempt went, as far as its child's end tells. */
export type ChildVerdict = Judged & Pick<Execution, "lacksRoom">

export const judged = (
  exitStatus: Judged["exitStatus"],
  retryClass: Judged["retryClass"],
  reason: string
): Judged => ({ exitStatus, retryClass, reason: Option.some(reason) })

/** What happened, and behind it the words that explain it, where there are any. */
export const after = (what: string, words: string): string => (words === "" ? what : `${what}: ${words}`)

/** How a child came to its end, in words. */
export const endingWords = (ending: Ending): string => {
  switch (ending._tag) {
    case "Exited":
      return `exit code ${ending.code}`
    case "Killed":
      return `killed by ${ending.signal}`
    case "TimedOut":
      return `timed out after ${ending.afterMs} ms`
    case "Silent":
      return `no output for ${ending.forMs} ms`
    case "Stopped":
      return ending.reason === "cancel" ? "canceled by an operator" : "stopped by a drain"
  }
}

/** Judges an attempt by how its child ended; `more` is one line that follows what happened, or empty. */
export const endingVerdict = (ending: Ending, more: string): ChildVerdict => {
  const failed = (exitStatus: Judged["exitStatus"]): ChildVerdict =>
    judged(exitStatus, "retryable", after(endingWords(ending), more))
  switch (ending._tag) {
    case "Exited":
      return ending.code === 0
        ? { exitStatus: "ok", retryClass: "none", reason: Option.none() }
        : failed("error")
    case "Killed":
      return failed("error")
    case "TimedOut":
    case "Silent":
      return failed("timeout")
    case "Stopped":
      return judged("canceled", "none", endingWords(ending))
  }
}

/** A child that could not be started would not start the next time either, unless the host had no room for it. */
export const cannotStart = ({ passing, reason, remedy }: CannotStart): ChildVerdict => ({
  exitStatus: "error",
  retryClass: passing ? "retryable" : "permanent",
  ...(passing ? { lacksRoom: true } : {}),
  reason: Option.some(`cannot start: ${reason}; ${remedy}`)
})

/** As `noEvidence`, before anything was run. */
export const notBegun = (cause: AuditFailed): ChildVerdict =>
  isNoRoom(cause.reason)
    ? {
        ...noEvidence(cause),
        lacksRoom: true,
        reason: Option.some(
          saying({ what: `${cause.path} below the artifact root cannot be written`, code: cause.reason })
        )
      }
    : noEvidence(cause)

/** What the attempt's `issues` are to say of outputs that were not read to their ends. */
export const notDrained = ({ drained }: Pick<Ended, "drained">): ReadonlyArray<string> =>
  drained
    ? []
    : ["a process that could not be ended still held the output open: its last bytes may be missing"]
