import { Effect, Option, Schema } from "effect"
import { type Cycle, runOnce } from "../dispatch/RunOnce.ts"
import { Time } from "../domain/Time.ts"
import { wireStruct } from "../domain/Wire.ts"
import { operation } from "./Operation.ts"

const CycleReport = wireStruct({
  ok: Schema.Boolean,
  status: Schema.optional(Schema.String),
  reason: Schema.optional(Schema.NullOr(Schema.String)),
  updatedAt: Schema.optional(Time),
  taskId: Schema.optional(Schema.String),
  attemptId: Schema.optional(Schema.String),
  operatorSummary: Schema.optional(Schema.String)
})

const report = (cycle: Cycle): typeof CycleReport.Type => {
  switch (cycle._tag) {
    case "Locked":
      return { ok: false, reason: "dispatch_locked" }
    case "Idle":
      return { ok: true, status: "idle" }
    case "Paused":
      return {
        ok: true,
        status: "paused",
        reason: Option.getOrNull(cycle.pause.reason),
        updatedAt: cycle.pause.since
      }
    case "Ran": {
      const { attemptId, settled, taskId, verdict } = cycle.attempted
      const status = settled._tag === "Settled" ? settled.status : "late_result_ignored"
      const reason = `${verdict.reason}: ${verdict.detail}`
      return {
        ok: true,
        status,
        ...(verdict._tag === "Completed" ? {} : { reason }),
        taskId,
        attemptId,
        ...("outcome" in verdict ? { operatorSummary: verdict.outcome.operatorSummary } : {})
      }
    }
  }
}

/** Runs one dispatch cycle; that another dispatcher holds the lock is an answer too. */
export const once = operation({
  name: "dispatch.run_once",
  role: "operate",
  output: CycleReport,
  run: (_: object) => Effect.map(runOnce, report)
})
