import { DateTime, Effect, Option, Schema } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { saying } from "../dispatch/Charges.ts"
import { workflowTemplateOf } from "../dispatch/Charging.ts"
import { conditionsAt } from "../dispatch/Conditions.ts"
import { closed, type LaneClosed } from "../dispatch/Eligibility.ts"
import { groundsNow } from "../dispatch/Grounds.ts"
import { Lock } from "../dispatch/Lock.ts"
import { type TurnOf, turnBefore } from "../dispatch/Turns.ts"
import { isExpired, isOpen } from "../domain/AskedQuestion.ts"
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
  if (task.status === "blocked") return yield* blocked(task)
  if (task.status !== "pending" && task.status !== "retryable_failure") return Option.none<Waiting>()
  const at = yield* now
  if (DateTime.greaterThan(task.availableAt, at))
    return because(putOffBy(task), notDue(task), Option.some(task.availableAt))
  const held = yield* heldBack(task, at)
  return Option.isSome(held) ? held : yield* unserved
})

const blocked = (task: Task) =>
  Effect.gen(function* () {
    const store = yield* Store
    const asked = Option.filter(yield* store.questions.lastOf(task.taskId), isOpen)
    if (Option.isNone(asked)) {
      const why = Option.getOrElse(task.lastError, () => "see its outcome")
      return because("operator", `it waits for an operator: ${why}`)
    }
    const { expiresAt, text } = asked.value
    return isExpired(asked.value, yield* now)
      ? because("answer", `it waits for an answer, its question has expired: ${text}`)
      : because("answer", `it waits for an answer: ${text}`, expiresAt)
  })

/** A fallback's budget that is spent, or its workspace in use, is found by the attempt, which then puts the task off. */
const putOffBy = (task: Task): "budget" | "workspace" | "not_due" => {
  const isWhy = (reason: string) => Option.exists(task.lastError, (error) => error.startsWith(`${reason}: `))
  if (isWhy("budget_exhausted")) return "budget"
  return isWhy("workspace_in_use") ? "workspace" : "not_due"
}

const notDue = (task: Task): string =>
  Option.match(task.lastError, {
    onNone: () => "it is not due yet",
    onSome: (error) => `it is not due yet; its last attempt: ${error}`
  })

/** What is shut before a task, as the claim sees it too. */
const heldBack = (task: Task, at: DateTime.Utc) =>
  Effect.gen(function* () {
    const store = yield* Store
    const pause = yield* store.gates.pause
    if (Option.isSome(pause)) {
      const reason = Option.match(pause.value.reason, { onNone: () => "", onSome: (text) => `: ${text}` })
      return because("paused", `dispatch was paused by ${pause.value.actor.name}${reason}`)
    }
    const lane = { ...task, workflowTemplate: yield* workflowTemplateOf(task) }
    const ready = yield* store.tasks.lanes
    const conditions = yield* conditionsAt(at, [lane, ...ready], yield* groundsNow)
    const shut = closed(lane, conditions)
    if (Option.isSome(shut)) return shutBy(shut.value)
    return Option.flatMap(yield* turnBefore(lane, ready, conditions), keptFor)
  })

const shutBy = (why: LaneClosed): Option.Option<Waiting> => {
  switch (why._tag) {
    case "Cooldown":
      return because("cooldown", `adapter ${why.adapterId} cools down: ${why.reason}`, Option.some(why.until))
    case "AdapterBusy":
      return because("concurrency", `adapter ${why.adapterId} runs ${why.limit} attempts, its most at once`)
    case "OverBudget":
      return because("budget", saying(why.over), Option.some(why.until))
    case "WorkspaceInUse": {
      const since = DateTime.formatIso(why.by.since)
      const by = `task ${why.by.taskId} (adapter ${why.by.adapterId}) since ${since}`
      return because("workspace", `the workspace of adapter ${why.adapterId} is in use by ${by}`)
    }
  }
}

const keptFor = ({ adapterId, head }: TurnOf) =>
  because(
    "workspace",
    `its workspace is kept for task ${head.taskId} (adapter ${adapterId}), which comes first and waits until nobody works there`
  )

/** Nothing is shut, and yet nobody has taken it: there is no dispatcher, or it has its hands full. */
const unserved = Effect.gen(function* () {
  const store = yield* Store
  const settings = yield* RuntimeConfig
  const lock = yield* Lock
  if (Option.isNone(yield* lock.holder(settings.lockPath)))
    return because("no_dispatcher", "no dispatcher is running; agent-runtime run-once runs one cycle")
  const running = (yield* store.tasks.counts).running
  const { concurrency } = settings.dispatch
  return running < concurrency
    ? because(
        "no_dispatcher",
        "the dispatcher that holds the lock takes nothing at this moment: it is about to, or it is stopping"
      )
    : because("concurrency", `${running} of ${concurrency} attempts are running`)
})
