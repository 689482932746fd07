import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { BundleId } from "../../../src/domain/Ids.ts"
import { Store } from "../../../src/store/Store.ts"
import {
  add,
  attemptId,
  claimed,
  complete,
  newest,
  newTask,
  settle,
  stampAt,
  taskId
} from "../../support/store.ts"
import type { Sentence } from "../store.ts"

/** Adds a task that runs an attempt again, or only says so in its source. */
const replay = (name: string, attempt: string, seconds: number, isOne = true) =>
  Effect.gen(function* () {
    const store = yield* Store
    const task = newTask(name, { source: `replay:${attempt}`, kind: "k" })
    const replayOf = isOne ? Option.some(attemptId(attempt)) : Option.none()
    yield* store.tasks.add({ ...task, replayOf }, stampAt(seconds))
  })

const replaysOf = (name: string, limit = 9) =>
  Effect.gen(function* () {
    const store = yield* Store
    return (yield* store.tasks.replays(taskId(name), limit)).map((task) => task.taskId)
  })

export const replays = (check: Sentence) => {
  check(
    "finds the replays of a task's attempts, first to last, and no others",
    Effect.gen(function* () {
      yield* add("a")
      yield* claimed("a1")
      yield* settle("a1", complete)
      yield* replay("r2", "a1", 3)
      yield* replay("r1", "a1", 2)
      yield* replay("forged", "a1", 4, false)
      yield* replay("stranger", "other", 5)
      expect(yield* replaysOf("a")).toEqual([taskId("r1"), taskId("r2")])
      expect(yield* replaysOf("a", 1)).toEqual([taskId("r1")])
      expect(yield* replaysOf("r1")).toEqual([])
      const store = yield* Store
      const found = Option.getOrThrow(yield* store.tasks.find(taskId("r1")))
      expect(found.round.replayOf).toEqual(Option.some("a1"))
    })
  )

  check(
    "remembers work by its first run only, not by its replays",
    Effect.gen(function* () {
      const store = yield* Store
      yield* add("a", { kind: "k" })
      yield* claimed("a1")
      yield* settle("a1", complete, 1)
      yield* replay("r1", "a1", 2)
      yield* claimed("r1a")
      yield* settle("r1a", complete, 3)
      const done = yield* store.tasks.recentCompleted("k", 9)
      expect(done.map((task) => task.taskId)).toEqual([taskId("a")])
    })
  )

  check(
    "tells with a bundle what its caller adds",
    Effect.gen(function* () {
      const store = yield* Store
      yield* add("a")
      yield* claimed("a1")
      const bundle = {
        bundleId: BundleId.make("b"),
        taskId: "a",
        attemptId: "a1",
        bundleHash: "hash",
        bundleVersion: 1,
        profileId: "lumen",
        adapterId: "local",
        adapterMode: "script",
        model: Option.none(),
        replayGrade: "inputs_frozen",
        relativePath: "bundles/b.json",
        promptRelativePath: "bundles/b.prompt.txt"
      } as const
      const paths = { promptPath: "p", stdoutPath: "o", stderrPath: "e", resultPath: "r" }
      yield* store.attempts.compiled(bundle, paths, stampAt(1), { replay_of: "z", changed: [] })
      expect((yield* newest(1))[0]?.detail).toEqual({
        bundle_id: "b",
        bundle_hash: "hash",
        replay_grade: "inputs_frozen",
        replay_of: "z",
        changed: []
      })
    })
  )
}
