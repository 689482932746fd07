import { DateTime, Effect, Either, Equal, Option } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { unaskable } from "../dispatch/Asking.ts"
import { saying } from "../dispatch/Charges.ts"
import { workflowTemplateOf } from "../dispatch/Charging.ts"
import { conditionsAt } from "../dispatch/Conditions.ts"
import { type Conditions, closed, type LaneClosed, type Place } from "../dispatch/Eligibility.ts"
import { isDecided, MOST_DEFAULTS } from "../dispatch/Expiring.ts"
import { groundsNow } from "../dispatch/Grounds.ts"
import { holderOf, unseenRemedy } from "../dispatch/Lock.ts"
import { inTurn, type TurnOf, turnBefore } from "../dispatch/Turns.ts"
import { type AskedQuestion, isExpired, isOpen } from "../domain/AskedQuestion.ts"
import { isOfCooling } from "../domain/PutOff.ts"
import { isDue, isUsedUp, type Task } from "../domain/Task.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { Store } from "../store/Store.ts"
import { type Lane, MOST_LANES } from "../store/Tasks.ts"
import type { Waiting, WaitingReason } from "./answers/Waiting.ts"
import { type ProbeWarning, probeWarning } from "./ProbeWarning.ts"

const because = (
  reason: WaitingReason,
  detail: string,
  until: Option.Option<DateTime.Utc> = Option.none()
): Option.Option<Waiting> => Option.some({ reason, detail, until })

/**
 * Why a task does not run; none when it does not wait. The claim judges by the same `closed`. Of several reasons
 * it is the first of: not due, paused, its adapter shut, nobody who claims, others before it, its probe.
 */
export const waiting = traced("Waiting.waiting")(function* (task: Task) {
  if (task.status === "blocked") return yield* blocked(task)
  if (task.status === "running") return yield* abandoned(task)
  if (task.status !== "pending" && task.status !== "retryable_failure") return Option.none<Waiting>()
  if (isUsedUp(task))
    return because("operator", "its attempts are used up: whoever would claim it sets it aside as blocked")
  const at = yield* now
  if (!isDue(task, at)) return because(putOffBy(task), notDue(task), Option.some(task.availableAt))
  const store = yield* Store
  const lanes = yield* store.tasks.lanesAt(at)
  const own = { ...task, workflowTemplate: yield* workflowTemplateOf(task) }
  const queue = { at, lanes, conditions: yield* conditionsAt(at, [own, ...lanes], yield* groundsNow) }
  const held = yield* heldBack(own, queue)
  return Option.isSome(held) ? held : yield* unserved(own, queue)
})

/** What the queue looks like to a claim at a time. */
interface Queue {
  readonly at: DateTime.Utc
  readonly lanes: ReadonlyArray<Lane>
  readonly conditions: Conditions
}

const blocked = (task: Task) =>
  Effect.gen(function* () {
    const store = yield* Store
    const asked = Option.filter(yield* store.questions.lastOf(task.taskId), isOpen)
    if (Option.isNone(asked)) {
      const why = Option.getOrElse(task.lastError, () => "see its outcome")
      return because("operator", `it waits for an operator: ${why}${yield* unasked(task)}`)
    }
    const { expiresAt, text } = asked.value
    const at = yield* now
    if (!isExpired(asked.value, at)) return because("answer", `it waits for an answer: ${text}`, expiresAt)
    if (yield* isDecided(asked.value, at))
      return because(
        "no_dispatcher",
        `its question has expired and its default is the answer, with which a dispatcher, or agent-runtime run-once, lets it go on: ${text}`
      )
    return because(
      "answer",
      `it waits for an answer, its question has expired${notByDefault(asked.value)}: ${text}`
    )
  })

/** What is to be said of the question of a replay, which is put to nobody. */
const unasked = ({ outcome, taskId }: Task) =>
  Effect.gen(function* () {
    if (!Option.exists(outcome, ({ question }) => question !== undefined)) return ""
    const store = yield* Store
    const found = yield* store.tasks.find(taskId)
    const kept = Option.isSome(found) ? yield* unaskable(found.value.round) : Option.none()
    return Option.match(kept, {
      onNone: () => "",
      onSome: ({ instead, why }) => `; its question was not asked, as ${why}: ${instead}`
    })
  })

const notByDefault = ({ defaultAnswer, expiredAt }: AskedQuestion): string =>
  Option.isSome(defaultAnswer) && Option.isSome(expiredAt)
    ? ` and its default was the answer ${MOST_DEFAULTS} times in a row, so that somebody has to give one`
    : ""

/** What a fallback has no room for (a cool-down, a budget, a workspace, its most at once) the attempt finds, and puts the task off. */
const putOffBy = (task: Task): "cooldown" | "budget" | "workspace" | "concurrency" | "not_due" => {
  if (Option.exists(task.lastError, isOfCooling)) return "cooldown"
  const isWhy = (reason: string) => Option.exists(task.lastError, (error) => error.startsWith(`${reason}: `))
  if (isWhy("budget_exhausted")) return "budget"
  if (isWhy("adapter_busy")) return "concurrency"
  return isWhy("workspace_in_use") ? "workspace" : "not_due"
}

const notDue = (task: Task): string =>
  Option.match(task.lastError, {
    onNone: () => "it is not due yet",
    onSome: (error) => `it is not due yet; its last attempt: ${error}`
  })

const UNATTENDED =
  "its record is damaged: it is running without a running attempt; a dispatcher, or agent-runtime run-once, sets it aside as blocked, and a cancel with force ends it"

/** A task whose dispatcher died runs only in the record, until somebody puts it back. */
const abandoned = (task: Task) =>
  Effect.gen(function* () {
    const store = yield* Store
    const settings = yield* RuntimeConfig
    const attempt = yield* store.attempts.openOf(task.taskId)
    if (Option.isNone(attempt))
      return (yield* store.tasks.isUnattended(task.taskId))
        ? because("operator", UNATTENDED)
        : Option.none<Waiting>()
    const path = Option.getOrElse(attempt.value.lockPath, () => settings.lockPath)
    const held = yield* Effect.either(holderOf(path))
    if (Either.isLeft(held)) {
      // Without its own lock nothing dispatches, which is for the operator to see as what it is.
      if (path === settings.lockPath) return yield* held.left
      return because(
        "operator",
        `whether its dispatcher ${attempt.value.runnerId} lives cannot be told from ${path} (${held.left.reason}); ${unseenRemedy(task.taskId)}`
      )
    }
    if (Option.isSome(held.right)) return Option.none<Waiting>()
    return because(
      "no_dispatcher",
      `its dispatcher ${attempt.value.runnerId} is gone; the next one, or agent-runtime run-once, puts it back`
    )
  })

/** What is shut before a task, as the claim sees it too. */
const heldBack = (own: Task & Place, { at, conditions, lanes }: Queue) =>
  Effect.gen(function* () {
    const store = yield* Store
    const pause = yield* store.gates.pause
    if (Option.isSome(pause)) {
      const reason = Option.match(pause.value.reason, { onNone: () => "", onSome: (text) => `: ${text}` })
      return because("paused", `dispatch was paused by ${pause.value.actor.name}${reason}`)
    }
    const shut = closed(own, conditions)
    if (Option.isSome(shut)) return shutBy(shut.value)
    return Option.flatMap(yield* turnBefore(own, lanes, conditions, at), keptFor)
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

/** Nothing is shut, and yet nobody has taken it. */
const unserved = (own: Task & Place, queue: Queue) =>
  Effect.gen(function* () {
    const dispatcher = yield* dispatching
    if (Option.isSome(dispatcher) && Option.isSome(dispatcher.value.drainingSince))
      return because(
        "no_dispatcher",
        `${dispatcher.value.name} is stopping since ${DateTime.formatIso(dispatcher.value.drainingSince.value)}: it waits for what runs and claims nothing more`
      )
    const crowded = yield* behind(own, queue, dispatcher)
    if (Option.isSome(crowded)) return crowded
    const warned = Option.map(yield* probeWarning(own), warning)
    if (Option.isSome(warned)) return warned.value
    return Option.match(dispatcher, {
      onNone: () => because("no_dispatcher", `${NOBODY}; agent-runtime run-once runs one cycle`),
      onSome: ({ name }) =>
        because(
          "concurrency",
          isBeyond(own, queue) ? BEYOND : `${name} has room for it and is about to take it`
        )
    })
  })

/** A claim sees so many lanes at once; of those that come after them it takes nothing while one of these may start. */
const isBeyond = (own: Place, { lanes }: Queue): boolean =>
  lanes.length === MOST_LANES && !lanes.some((lane) => isIn(lane, own))

const isIn = (lane: Lane, own: Place): boolean =>
  lane.untrusted === own.untrusted &&
  Equal.equals(lane.requestedAdapter, own.requestedAdapter) &&
  Equal.equals(lane.requestedProfile, own.requestedProfile) &&
  Equal.equals(lane.workflowTemplate, own.workflowTemplate)

const BEYOND = `more than ${MOST_LANES} kinds of tasks wait (each requested adapter and profile, origin and workflow template is one), and its own comes when of the first ${MOST_LANES} none may start`

const NOBODY = "no dispatcher is running"

/** Who claims now, as its record tells. */
interface Dispatching {
  readonly name: string
  readonly concurrency: number
  readonly drainingSince: Option.Option<DateTime.Utc>
}

const dispatching = Effect.gen(function* () {
  const store = yield* Store
  const settings = yield* RuntimeConfig
  const holder = yield* holderOf(settings.lockPath)
  if (Option.isNone(holder)) return Option.none<Dispatching>()
  const { runnerId } = holder.value
  const found = Option.isSome(runnerId) ? yield* store.runners.find(runnerId.value) : Option.none()
  return Option.some<Dispatching>({
    name: Option.match(runnerId, { onNone: () => "the dispatcher", onSome: (id) => `dispatcher ${id}` }),
    concurrency: Option.flatMap(found, (one) => one.concurrency).pipe(
      Option.getOrElse(() => settings.dispatch.concurrency)
    ),
    drainingSince: Option.flatMap(found, (one) => one.drainingSince)
  })
})

/** As `Tasks.before` counts: exact up to 1,000. */
const tasks = (count: number, kind: string): string =>
  `${count > 1_000 ? "1000+" : count} ${kind}${count === 1 ? "task" : "tasks"}`

/** Whether others come first, or as many run as may. */
const behind = (task: Task, { at, conditions, lanes }: Queue, dispatcher: Option.Option<Dispatching>) =>
  Effect.gen(function* () {
    const store = yield* Store
    const free = lanes.filter((lane) => Option.isNone(closed(lane, conditions)))
    const open = yield* inTurn(lanes, free, conditions, at)
    const { higher, older } = yield* store.tasks.before(
      task,
      open.map(({ key }) => key),
      at
    )
    const nobody = Option.isNone(dispatcher) ? `; ${NOBODY}` : ""
    if (higher > 0)
      return because("priority", `it is behind ${tasks(higher, "")} of higher priority${nobody}`)
    if (Option.isNone(dispatcher)) return Option.none<Waiting>()
    const running = (yield* store.tasks.counts).running
    const { concurrency } = dispatcher.value
    if (running < concurrency) return Option.none<Waiting>()
    const first = older > 0 ? `, and ${tasks(older, "older ")} ${older === 1 ? "comes" : "come"} first` : ""
    return because("concurrency", `${running} of ${concurrency} attempts are running${first}`)
  })

const warning = (of: ProbeWarning) => {
  switch (of._tag) {
    case "Fails":
      return because(
        "probe",
        `adapter ${of.adapterId} fails its probe, and no fallback passes: ${of.reason}; the attempt is made all the same`
      )
    case "Waits":
      return Option.match(of.spent, {
        onNone: () =>
          because(
            "cooldown",
            `adapter ${of.adapterId} fails its probe, and its fallback ${of.fallbackId} cools down`,
            Option.some(of.until)
          ),
        onSome: (budget) =>
          because(
            "budget",
            `adapter ${of.adapterId} fails its probe; of its fallback ${of.fallbackId}: ${budget}`,
            Option.some(of.until)
          )
      })
  }
}
