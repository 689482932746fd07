import { Effect, Option } from "effect"
import type { Actor } from "../domain/Actor.ts"
import type { AttemptId, TaskId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { Intent } from "../domain/Task.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { Store } from "../store/Store.ts"
import { toTask } from "./Enqueue.ts"

/** A recorded attempt that is to be run again. */
export interface Replayed {
  /** The task that it was an attempt of. */
  readonly taskId: TaskId
  readonly attemptId: AttemptId
  readonly untrusted: boolean
  /** The recorded work, and by what it is run; the source is decided here. */
  readonly intent: Omit<Intent, "source" | "dedupeKey" | "availableAt" | "schedule">
}

/** Characters of a source at most, as of an intent's. */
const MOST_SOURCE = 200

/** The source of a replay's task, by which the store finds an attempt's replays. */
export const replaySource = (attemptId: string): string => `replay:${attemptId}`.slice(0, MOST_SOURCE)

/**
 * Queues a task that runs an attempt's recorded bundle again, due at once. It is nobody's child, no step of a
 * workflow and holds no dedupe key: what follows from the work has followed from its first run. One
 * transaction with the original task's event `task_replayed`, whose `detail` stands beside the new task's id.
 */
export const enqueueReplay = traced("Replay.enqueueReplay")(function* (
  of: Replayed,
  detail: JsonObject,
  actor: Actor
) {
  const store = yield* Store
  const replay = yield* toTask(
    { ...of.intent, source: replaySource(of.attemptId) },
    { actor, untrusted: of.untrusted, replayOf: Option.some(of.attemptId) }
  )
  const stamp = { at: yield* now, actor }
  return yield* store.transact(
    "Replay.enqueueReplay",
    Effect.gen(function* () {
      const { task } = yield* store.tasks.add(replay, stamp)
      yield* store.events.append(
        {
          type: "task_replayed",
          taskId: Option.some(of.taskId),
          attemptId: Option.some(of.attemptId),
          detail: { replay_task_id: task.taskId, ...detail }
        },
        stamp
      )
      return task
    })
  )
})
