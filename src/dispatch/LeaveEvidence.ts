import { Effect, Option } from "effect"
import { Audit, type AuditFile } from "../artifact/AuditFolder.ts"
import type { Attempt } from "../domain/Attempt.ts"
import { traced } from "../domain/Traced.ts"
import { type Result, resultText } from "../evidence/Result.ts"
import { Store } from "../store/Store.ts"

type Ids = Pick<Attempt, "taskId" | "attemptId">

/** Files that the record of an attempt names from its start on, and that come into being after it. */
const LATER: ReadonlyArray<AuditFile> = ["stdout.log", "stderr.log", "result.json"]

/** Which of the files that an attempt's record names are not in its folder, or are nothing that can be served. */
export const absentOf = ({ attemptId, taskId }: Ids) =>
  Effect.gen(function* () {
    const audit = yield* Audit
    const isThere = (file: AuditFile) =>
      audit.size(taskId, attemptId, file).pipe(
        Effect.map(Option.isSome),
        Effect.orElseSucceed(() => false)
      )
    return yield* Effect.filter(LATER, (file) => Effect.negate(isThere(file)))
  })

/** What is left of an attempt that somebody ends in the place of what would have run it to its end. */
export interface LeftEvidence {
  /** What its record is not to name any more. */
  readonly absent: ReadonlyArray<AuditFile>
  /** Whether `result.json` is of whoever ends it. */
  readonly isWritten: boolean
}

/**
 * Writes the `result.json` of a running attempt before somebody else records its end; one that is there stays as it is.
 * Only for whoever knows that nothing of the attempt runs any more. Nothing is made for an attempt whose record names none.
 */
export const leaveEvidence = traced("LeaveEvidence.leaveEvidence")(function* (
  { attemptId, taskId }: Ids,
  result: Result
) {
  const store = yield* Store
  const found = yield* store.attempts.find(attemptId)
  if (!Option.exists(found, isOurs)) return { absent: [], isWritten: false } satisfies LeftEvidence
  const absent = yield* absentOf({ attemptId, taskId })
  if (!absent.includes("result.json")) return { absent, isWritten: false } satisfies LeftEvidence
  const isWritten = yield* Effect.flatMap(Audit, (audit) => audit.open(taskId, attemptId)).pipe(
    Effect.flatMap((folder) => folder.put("result.json", resultText(result))),
    Effect.scoped,
    Effect.as(true),
    Effect.catchTag("AuditFailed", ({ path, reason }) =>
      Effect.as(Effect.logWarning(`${path} was not written: ${reason}`), false)
    )
  )
  return {
    absent: isWritten ? absent.filter((file) => file !== "result.json") : absent,
    isWritten
  } satisfies LeftEvidence
})

/** What was adopted while it ran may have its evidence elsewhere: nothing of ours belongs there. */
const isOurs = ({ attemptId, resultPath, status, taskId }: Attempt): boolean =>
  status === "running" &&
  Option.exists(resultPath, (path) => path.endsWith(`/${taskId}/${attemptId}/result.json`))
