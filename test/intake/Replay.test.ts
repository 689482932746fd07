import { describe, expect } from "bun:test"
import { Effect, Option } from "effect"
import { Sqlite } from "../../layers/store/Sqlite.ts"
import { AttemptId } from "../../src/domain/Ids.ts"
import { enqueueReplay, replaySource } from "../../src/intake/Replay.ts"
import { Store } from "../../src/store/Store.ts"
import { DOOR, detailsOf, history, queue, ran, says, taskOf, typesOf, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

const quiet = world({ adapters: { local: says("hello") } })

describe("a replay's task", () => {
  it.effect("is nobody's child, holds no key, and names the attempt that it runs again", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const id = yield* queue({ dedupeKey: "once", payload: { a: 1 } })
      const { attemptId } = yield* ran
      const intent = { kind: "note", payload: { a: 1 }, priority: 7, requestedAdapter: "local" }
      const replay = yield* enqueueReplay(
        { taskId: id, attemptId, untrusted: true, intent },
        { adapter_id: "local" },
        DOOR.actor
      )
      const { round, task } = Option.getOrThrow(yield* store.tasks.find(replay.taskId))
      expect(task).toMatchObject({
        ...intent,
        source: `replay:${attemptId}`,
        requestedAdapter: Option.some("local"),
        status: "pending",
        untrusted: true,
        dedupeKey: Option.none(),
        parentTaskId: Option.none(),
        workflowId: Option.none()
      })
      expect(round).toMatchObject({
        replayOf: Option.some(attemptId),
        generation: 0,
        rootTaskId: Option.none()
      })
      expect(yield* typesOf(replay.taskId)).toEqual(["task_enqueued"])
      expect(yield* detailsOf(id, "task_replayed")).toEqual([
        { replay_task_id: replay.taskId, adapter_id: "local" }
      ])
      expect((yield* store.tasks.replays(id, 9)).map((one) => one.taskId)).toEqual([replay.taskId])
    }).pipe(Effect.provide(quiet))
  )

  it.effect("is not there without its event", () =>
    Effect.gen(function* () {
      const sqlite = yield* Sqlite
      const id = yield* queue()
      const { attemptId } = yield* ran
      const before = yield* history
      // As if the disk were full when the event is written.
      yield* sqlite.transact(
        "break",
        sqlite.rows({
          text: "CREATE TRIGGER no_replays BEFORE INSERT ON run_events WHEN NEW.event_type = 'task_replayed' BEGIN SELECT RAISE(ABORT, 'full'); END",
          names: []
        })
      )
      const of = { taskId: id, attemptId, untrusted: false, intent: { kind: "note", payload: {} } }
      yield* Effect.exit(enqueueReplay(of, {}, DOOR.actor))
      expect(yield* history).toEqual(before)
      expect((yield* taskOf(id)).status).toBe("completed")
      expect(yield* (yield* Store).tasks.replays(id, 9)).toEqual([])
    }).pipe(Effect.provide(quiet))
  )

  it.effect("has a source of at most 200 characters, whatever the attempt is called", () =>
    Effect.sync(() => expect(replaySource(AttemptId.make("x".repeat(200)))).toHaveLength(200))
  )
})
