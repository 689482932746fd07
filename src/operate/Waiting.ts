import { DateTime, Effect, Option, Schema } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { closed } from "../dispatch/Eligibility.ts"
import { Lock } from "../dispatch/Lock.ts"
import type { Task } from "../domain/Task.ts"
import { now, Time } from "../domain/Time.ts"
import { nullable, wireStruct } from "../domain/Wire.ts"
import { Store } from "../store/Store.ts"

export const WaitingReason = Schema.Literal(
  "not_due",
  "paused",
  "cooldown",
  "probe",
  "concurrency",
  "priority",
  "workspace",
  "budget",
  "answer",
  "no_dispatcher",
  "operator"
)

/** Why a task is not running, in a word and a sentence, and until when where that is known. */
export const Waiting = wireStruct({ reason: WaitingReason, detail: Schema.String, until: nullable(Time) })
export type Waiting = typeof Waiting.Type

const because = (
  reason: typeof WaitingReason.Type,
  detail: string,
  until: Option.Option<DateTime.Utc> = Option.none()
): Option.Option<Waiting> => Option.some({ reason, detail, until })

/** Why a task does not run; none when it does not wait. The claim judges by the same `closed`. */
export const waiting = Effect.fn("Waiting.waiting")(function* (task: Task) {
  if (task.status === "blocked")
    return because(
      "operator",
      `it waits for an operator: ${Option.getOrElse(task.lastError, () => "see its outcome")}`
    )
  if (task.status !== "pending" && task.status !== "retryable_failure") return Option.none<Waiting>()
  const at = yield* now
  if (DateTime.greaterThan(task.availableAt, at))
    return because("not_due", "it is not due yet", Option.some(task.availableAt))
  return yield* heldBack(task, at)
})

const heldBack = (task: Task, at: DateTime.Utc) =>
  Effect.gen(function* () {
    const store = yield* Store
    const settings = yield* RuntimeConfig
    const lock = yield* Lock
    const pause = yield* store.gates.pause
    if (Option.isSome(pause)) {
      const reason = Option.match(pause.value.reason, { onNone: () => "", onSome: (text) => `: ${text}` })
      return because("paused", `dispatch was paused by ${pause.value.actor.name}${reason}`)
    }
    const conditions = { settings, cooldowns: yield* store.gates.cooldowns(at), running: new Map() }
    const shut = closed(task, conditions)
    if (Option.isSome(shut) && shut.value._tag === "Cooldown")
      return because(
        "cooldown",
        `adapter ${shut.value.adapterId} cools down: ${shut.value.reason}`,
        Option.some(shut.value.until)
      )
    if (Option.isNone(yield* lock.holder(settings.lockPath)))
      return because("no_dispatcher", "no dispatcher is running; agent-runtime run-once runs one cycle")
    const running = (yield* store.tasks.counts).running
    return because("concurrency", `${running} of ${settings.dispatch.concurrency} attempts are running`)
  })
