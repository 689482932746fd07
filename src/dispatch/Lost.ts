import { Effect, Option } from "effect"
import type { Attempt } from "../domain/Attempt.ts"
import { unknownUsage } from "../domain/Usage.ts"
import { bareResult } from "../evidence/Result.ts"
import { synthetic, Verdict } from "../evidence/Verdict.ts"
import { onFault } from "../store/OneBadRow.ts"
import { Store } from "../store/Store.ts"
import type { AttemptEnd, ClaimedTask } from "../store/Tasks.ts"
import { errorOf, finish } from "./Finish.ts"
import { leaveEvidence } from "./LeaveEvidence.ts"
import { waitForStore } from "./NotStarted.ts"
import { stampNow } from "./Runner.ts"

const unknownEnd: Omit<AttemptEnd, "reason"> = {
  exitStatus: Option.some("error"),
  retryClass: Option.some("retryable"),
  issues: [],
  usage: unknownUsage,
  cutOff: true
}

/**
 * Puts the task of an attempt off that the store did not let come to its end: it was not the task's fault, and counts
 * after 20 times in a round only. A late result when somebody else ended it meanwhile.
 */
export const releaseLost = (claimed: ClaimedTask) =>
  Effect.gen(function* () {
    const verdict = waitForStore(claimed)
    const { absent } = yield* leaveEvidence(claimed.attempt, bareResult(verdict, unknownEnd))
    yield* finish({
      claimed,
      verdict,
      end: { ...unknownEnd, absent },
      profile: Option.none(),
      adapter: Option.none()
    })
  })

/**
 * Blocks the task of an attempt whose end meets a fault of ours again and again, and nothing else: what follows
 * from the end of a task may be what is at fault. Its workflow is taken on by the next repair. False when it was ended
 * meanwhile.
 */
export const blockLost = (attempt: Pick<Attempt, "attemptId" | "taskId">) =>
  Effect.gen(function* () {
    const store = yield* Store
    const end: typeof unknownEnd = { ...unknownEnd, retryClass: Option.some("none") }
    const detail = "agent-runtime met a fault of its own when it recorded the attempt's end"
    const verdict = Verdict.Blocked({
      reason: "internal_fault",
      detail,
      outcome: synthetic("blocked", detail),
      issues: []
    })
    const reason = errorOf(verdict)
    const { absent } = yield* leaveEvidence(attempt, bareResult(verdict, end)).pipe(
      // What is at fault may be this.
      onFault(() => Effect.succeed({ absent: [] }))
    )
    const settled = yield* store.tasks.settle({
      attemptId: attempt.attemptId,
      end: { ...end, reason, absent },
      move: { _tag: "Block", outcome: Option.none(), error: reason },
      stamp: yield* stampNow
    })
    return settled._tag === "Settled"
  })
