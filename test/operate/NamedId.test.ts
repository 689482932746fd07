import { describe, expect } from "bun:test"
import { Effect, Option } from "effect"
import { AttemptId, TaskId } from "../../src/domain/Ids.ts"
import { now } from "../../src/domain/Time.ts"
import { enqueue } from "../../src/intake/Enqueue.ts"
import { attemptOf } from "../../src/operate/AttemptLog.ts"
import { show as showBundle } from "../../src/operate/Bundles.ts"
import { namedTask } from "../../src/operate/NamedId.ts"
import { Store } from "../../src/store/Store.ts"
import { attemptsOf, DOOR, queue, ran, says, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

const quiet = { adapters: { local: says("hello") } }

/** A task with an id that the test chooses. */
const withId = (id: string) =>
  Effect.gen(function* () {
    const store = yield* Store
    const { task } = yield* enqueue({ kind: "note", source: "test", payload: {} }, DOOR)
    const intent = { kind: "note", source: "test", payload: {} }
    yield* store.tasks.add(
      {
        taskId: TaskId.make(id),
        intent,
        priority: 5,
        maxAttempts: 3,
        availableAt: task.availableAt,
        untrusted: false,
        parent: Option.none(),
        workflow: Option.none(),
        replayOf: Option.none(),
        traceParent: Option.none(),
        createdBy: DOOR.actor
      },
      { at: yield* now, actor: DOOR.actor }
    )
  })

describe("a task may be named", () => {
  it.effect("by its id, or by a beginning that is no other's, whatever its case", () =>
    Effect.gen(function* () {
      yield* withId("abcdef01-0000-7000-8000-00000000000a")
      yield* withId("abcdef01-0000-7000-8000-0000000000b0")
      yield* withId("abcdef01-0000-7000-8000-0000000000b1")
      for (const named of ["abcdef01-0000-7000-8000-00000000000a", "ABCDEF01-0000-7000-8000-00000000000"])
        expect(yield* namedTask(named)).toBe(TaskId.make("abcdef01-0000-7000-8000-00000000000a"))
      expect(yield* Effect.flip(namedTask("abcdef01-0000-7000-8000-0000000000b"))).toMatchObject({
        code: "id_ambiguous",
        message:
          "several tasks begin with abcdef01-0000-7000-8000-0000000000b: abcdef01-0000-7000-8000-0000000000b0, abcdef01-0000-7000-8000-0000000000b1"
      })
      expect(yield* Effect.flip(namedTask("abcdef0"))).toMatchObject({ code: "task_not_found" })
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("not by its attempt, and is told which task that is of", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      const attempt = (yield* attemptsOf(id))[0]!
      expect(yield* Effect.flip(namedTask(attempt.attemptId))).toMatchObject({
        code: "task_not_found",
        hint: `that is an attempt of task ${id}: agent-runtime task-show ${id}`
      })
    }).pipe(Effect.provide(world(quiet)))
  )
})

it.effect("an attempt may be named by a beginning as well, for its log and its bundle", () =>
  Effect.gen(function* () {
    const id = yield* queue()
    yield* ran
    const { attemptId, bundleId } = (yield* attemptsOf(id))[0]!
    const begun = attemptId.slice(0, -1)
    expect((yield* attemptOf(begun)).attemptId).toBe(AttemptId.make(attemptId))
    const shown = yield* showBundle.run({ id: begun }, DOOR.actor)
    expect(Option.some(shown.bundleId)).toEqual(bundleId)
  }).pipe(Effect.provide(world(quiet)))
)
