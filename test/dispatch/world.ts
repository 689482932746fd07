import { Effect, Layer, Logger, Option } from "effect"
import type { Scripted } from "../../layers/adapter/ScriptedAdapters.ts"
import { scriptSettings } from "../../layers/adapter/ScriptedAdapters.ts"
import * as Memory from "../../layers/Memory.ts"
import type { Execution } from "../../src/adapter/AdapterRegistry.ts"
import type { AdapterSettings } from "../../src/config/AdapterSettings.ts"
import type { Settings } from "../../src/config/RuntimeConfig.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import type { TaskId } from "../../src/domain/Ids.ts"
import type { Intent } from "../../src/domain/Task.ts"
import { type Door, enqueue } from "../../src/intake/Enqueue.ts"
import { Store } from "../../src/store/Store.ts"
import { settings } from "../support/settings.ts"

export const DOOR: Door = { actor: { surface: "cli", name: "olga" }, untrusted: false }
export const UNTRUSTED: Door = { ...DOOR, untrusted: true }

interface Given extends Omit<Memory.Scene, "settings"> {
  readonly settings?: Partial<Settings>
  /** What adapters are configured as; those that only act are plain scripts. */
  readonly configured?: ReadonlyArray<AdapterSettings>
}

/** A whole runtime in memory that logs nothing. Every adapter that acts is configured. */
export const world = ({ configured = [], settings: changes = {}, ...scene }: Given) => {
  const plain = Object.keys(scene.adapters).map((id) => scriptSettings(id))
  const adapters = new Map([...plain, ...configured].map((one) => [one.id, one]))
  return Layer.merge(
    Memory.layer({ ...scene, settings: settings({ adapters, ...changes }) }),
    Logger.remove(Logger.defaultLogger)
  )
}

/** Queues a task; kind, source and payload are the plainest where they are not given. */
export const queue = (intent: Partial<Intent> = {}, door: Door = DOOR) =>
  enqueue({ kind: "note", source: "test", payload: {}, ...intent }, door).pipe(
    Effect.catchTag("TooManyOperatorTasks", Effect.die),
    Effect.map(({ task }) => task.taskId)
  )

/** An adapter whose answer is a text. */
export const says =
  (lastMessage: string): Scripted =>
  () =>
    Effect.succeed({ lastMessage })

/** An adapter whose execution is this. */
export const yields =
  (execution: Partial<Execution>): Scripted =>
  () =>
    Effect.succeed(execution)

export const failing: Partial<Execution> = {
  exitStatus: "error",
  retryClass: "retryable",
  reason: Option.some("exit code 7: boom")
}

/** An answer with an outcome. */
export const answer = (outcome: Record<string, unknown> = {}): Partial<Execution> => ({
  lastMessage: JSON.stringify({
    status: "completed",
    operator_summary: "done",
    machine_status: "ok",
    ...outcome
  })
})

/** One cycle that must have run a task. */
export const ran = Effect.flatMap(runOnce, (cycle) =>
  cycle._tag === "Ran" ? Effect.succeed(cycle.attempted) : Effect.dieMessage(`nothing ran: ${cycle._tag}`)
)

export const taskOf = (id: TaskId) =>
  Effect.gen(function* () {
    const store = yield* Store
    return Option.getOrThrow(yield* store.tasks.find(id)).task
  })

export const attemptsOf = (id: TaskId) => Effect.flatMap(Store, (store) => store.attempts.ofTask(id))

export const eventsOf = (id: TaskId) => Effect.flatMap(Store, (store) => store.events.ofTask(id, 1_000))

/** Types of a task's events, oldest first. */
export const typesOf = (id: TaskId) =>
  Effect.map(eventsOf(id), (events) => events.map((event) => event.eventType))

/** Types of the whole history, oldest first. */
export const history = Effect.flatMap(Store, (store) =>
  Effect.map(store.events.newest(1_000), (events) => events.map((event) => event.eventType))
)

/** Details of a task's events of a type. */
export const detailsOf = (id: TaskId, type: string) =>
  Effect.map(eventsOf(id), (events) =>
    events.filter((event) => event.eventType === type).map((event) => event.detail)
  )
