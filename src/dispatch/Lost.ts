import { Effect, Option } from "effect"
import { unknownUsage } from "../domain/Usage.ts"
import { Verdict } from "../evidence/Verdict.ts"
import type { ClaimedTask } from "../store/Tasks.ts"
import { finish } from "./Finish.ts"

/**
 * Puts the task of an attempt back whose end could not be recorded: what it came to is lost, and the attempt was
 * not the task's fault. A late result when somebody else ended it meanwhile.
 */
export const releaseLost = (claimed: ClaimedTask) =>
  finish({
    claimed,
    verdict: Verdict.PutBack({
      reason: "interrupted",
      detail: "the end of the attempt could not be recorded while the store was unavailable"
    }),
    end: {
      exitStatus: Option.some("error"),
      retryClass: Option.some("retryable"),
      issues: [],
      usage: unknownUsage,
      resultPath: Option.none()
    },
    profile: Option.none(),
    adapter: Option.none()
  }).pipe(Effect.asVoid)
