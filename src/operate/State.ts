import { Clock, Effect, Option, Schema } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { holderOf } from "../dispatch/Lock.ts"
import type { Attempt } from "../domain/Attempt.ts"
import type { Task } from "../domain/Task.ts"
import { Time } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { nullable, wireStruct } from "../domain/Wire.ts"
import { Store } from "../store/Store.ts"
import { Heartbeat, State, stateFields } from "./answers/State.ts"
import { operation } from "./Operation.ts"
import { pauseState } from "./Pause.ts"

const RecentTask = wireStruct({
  taskId: Schema.String,
  kind: Schema.String,
  subject: nullable(Schema.String),
  status: Schema.String,
  createdAt: Time,
  updatedAt: Time,
  operatorSummary: nullable(Schema.String),
  attemptId: nullable(Schema.String),
  bundleHash: nullable(Schema.String)
})

/** `status`: the state and the newest tasks. */
export const Status = wireStruct({ ...stateFields, recent: Schema.Array(RecentTask) })

/** How many tasks `status` names. */
const RECENT = 5

/** What the runtime does now, from the store and the dispatch lock. */
export const state = traced("State.state")(function* () {
  const settings = yield* RuntimeConfig
  const store = yield* Store
  const counts = yield* store.tasks.counts
  const pause = yield* pauseState
  const holder = yield* holderOf(settings.lockPath)
  const runnerId = Option.flatMap(holder, (one) => one.runnerId)
  const runner = Option.isSome(runnerId) ? yield* store.runners.find(runnerId.value) : Option.none()
  const draining = Option.flatMap(runner, (one) => one.drainingSince)
  const last = yield* store.events.newest(1)
  const found: State = {
    runtimeName: settings.runtimeName,
    runtimeState: pause.paused ? "paused" : counts.running > 0 && Option.isSome(holder) ? "running" : "idle",
    counts: {
      queued: counts.pending,
      running: counts.running,
      completed: counts.completed,
      blocked: counts.blocked,
      retryableFailure: counts.retryable_failure,
      permanentFailure: counts.permanent_failure,
      operatorCanceled: counts.operator_canceled
    },
    dispatchPaused: pause,
    dispatcher: {
      held: Option.isSome(holder),
      runnerId,
      since: Option.flatMap(holder, (one) => one.since),
      ...Option.match(draining, { onNone: () => ({}), onSome: (at) => ({ drainingSince: at }) })
    },
    lastEvent: Option.fromNullable(last[0])
  }
  return found
})

const recent = (task: Task, last: Attempt | undefined) => ({
  taskId: task.taskId,
  kind: task.kind,
  subject: task.subject,
  status: task.status,
  createdAt: task.createdAt,
  updatedAt: task.updatedAt,
  operatorSummary: Option.map(task.outcome, (outcome) => outcome.operatorSummary),
  attemptId: Option.fromNullable(last?.attemptId),
  bundleHash: last === undefined ? Option.none() : last.bundleHash
})

/** The newest tasks, each with its last attempt. */
const newest = (store: Store["Type"]) =>
  Effect.gen(function* () {
    const page = yield* store.tasks.list(
      { status: [], kind: Option.none(), source: Option.none() },
      { limit: RECENT, after: Option.none() },
      "none"
    )
    const tasks = Option.match(page, { onNone: () => [], onSome: (found) => found.tasks })
    return { tasks, last: yield* store.attempts.lastOfTasks(tasks.map(({ taskId }) => taskId)) }
  })

/** Reads what `status` reads, which fails where the store is damaged there. */
export const readable = (store: Store["Type"]) =>
  Effect.all([store.tasks.counts, store.gates.pause, store.events.newest(1), newest(store)], {
    discard: true
  })

/** `status`: reads only. */
export const status = operation({
  name: "state.status",
  role: "read",
  output: Status,
  run: traced("State.status")(function* () {
    const { last, tasks } = yield* newest(yield* Store)
    return { ...(yield* state()), recent: tasks.map((task) => recent(task, last.get(task.taskId))) }
  })
})

/** What the runtime does now; costs the same however many tasks there are. */
export const current = operation({
  name: "state.current",
  role: "read",
  output: State,
  run: (_: object) => state()
})

/** That the store answers, and in how many milliseconds. */
export const heartbeat = operation({
  name: "state.heartbeat",
  role: "read",
  output: Heartbeat,
  run: traced("State.heartbeat")(function* () {
    const store = yield* Store
    const began = yield* Clock.currentTimeNanos
    yield* store.maintenance.here
    yield* store.events.newest(1)
    const took = (yield* Clock.currentTimeNanos) - began
    return { ok: true as const, latencyMs: Number(took / 1000n) / 1000 }
  })
})
