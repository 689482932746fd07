import { Effect, Option } from "effect"
import { unknownUsage } from "../domain/Usage.ts"
import { Verdict } from "../evidence/Verdict.ts"
import { Store } from "../store/Store.ts"
import type { AttemptEnd, ClaimedTask } from "../store/Tasks.ts"
import { finish } from "./Finish.ts"
import { stampNow } from "./Runner.ts"

const unknownEnd: Omit<AttemptEnd, "reason"> = {
  exitStatus: Option.some("error"),
  retryClass: Option.some("retryable"),
  issues: [],
  usage: unknownUsage,
  cutOff: true,
  resultPath: Option.none()
}

/**
 * Puts the task of an attempt back that the store did not let come to its end: it was not the task's fault. A
 * late result when somebody else ended it meanwhile.
 */
export const releaseLost = (claimed: ClaimedTask) =>
  finish({
    claimed,
    verdict: Verdict.PutBack({
      reason: "interrupted",
      detail: "the attempt could not go on while the store was unavailable"
    }),
    end: unknownEnd,
    profile: Option.none(),
    adapter: Option.none()
  }).pipe(Effect.asVoid)

/**
 * Blocks the task of an attempt whose end meets a fault of ours again and again, and nothing else: what follows
 * from the end of a task may be what is at fault. Its workflow is taken on by the next repair.
 */
export const blockLost = (claimed: ClaimedTask) =>
  Effect.gen(function* () {
    const store = yield* Store
    const { attemptId } = claimed.attempt
    const reason = "internal_fault: agent-runtime met a fault of its own when it recorded the attempt's end"
    yield* store.tasks.settle({
      attemptId,
      end: { ...unknownEnd, retryClass: Option.some("none"), reason },
      move: { _tag: "Block", outcome: Option.none(), error: reason },
      stamp: yield* stampNow
    })
  })
