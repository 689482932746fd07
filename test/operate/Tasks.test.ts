import { describe, expect } from "bun:test"
import { Effect, Option, Schema } from "effect"
import { ArtifactStore } from "../../src/artifact/ArtifactStore.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import type { TaskStatus } from "../../src/domain/Task.ts"
import { Refusal } from "../../src/operate/Refusal.ts"
import { cancel, type ListInput, list, retry, show } from "../../src/operate/Tasks.ts"
import { answer, DOOR, queue, says, taskOf, world, yields } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import { profile } from "../support/settings.ts"

const quiet = { adapters: { local: says("hello") } }

const listed = (given: Partial<ListInput> = {}) =>
  list.run(
    { status: [], kind: Option.none(), source: Option.none(), limit: 50, after: Option.none(), ...given },
    DOOR.actor
  )

type Needed =
  | Effect.Effect.Context<ReturnType<typeof cancel.run>>
  | Effect.Effect.Context<ReturnType<typeof show.run>>

/** What an operation that answers "no" says. */
const refusalOf = <A, E, R>(asked: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Effect.flip(asked), (error) =>
    error instanceof Refusal ? Effect.succeed(error) : Effect.dieMessage(`no refusal: ${error}`)
  )

const showOf = (id: string) => show.run({ id }, DOOR.actor)

describe("a list of tasks", () => {
  it.effect("is newest first, page by page, null after the last", () =>
    Effect.gen(function* () {
      const ids = yield* Effect.forEach([1, 2, 3, 4, 5], () => queue())
      const first = yield* listed({ limit: 3 })
      const second = yield* listed({ limit: 3, after: first.next })
      const found = [...first.tasks, ...second.tasks].map((task) => task.taskId)
      expect(found).toEqual([...ids].reverse())
      expect([Option.isSome(first.next), Option.isSome(second.next)]).toEqual([true, false])
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("holds what fits every filter", () =>
    Effect.gen(function* () {
      const a = yield* queue({ kind: "a", priority: 9 })
      yield* queue({ kind: "b" })
      yield* runOnce
      const status: ReadonlyArray<TaskStatus> = ["completed", "blocked"]
      expect((yield* listed({ status })).tasks.map((task) => task.taskId)).toEqual([a])
      expect((yield* listed({ status, kind: Option.some("b") })).tasks).toEqual([])
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("refuses a cursor that is none of its own as wrong input", () =>
    Effect.gen(function* () {
      const refusal = yield* Effect.flip(listed({ after: Option.some("nonsense") }))
      expect(refusal).toMatchObject({ code: "bad_cursor", exitCode: 2 })
    }).pipe(Effect.provide(world(quiet)))
  )
})

describe("the story of a task", () => {
  it.effect(
    "shows what was declared and verified, reported or not; what waits shows nothing that it declares",
    () => {
      // What the adapter does is known once the world stands that it works in.
      let work: Effect.Effect<unknown> = Effect.void
      const local = () => Effect.as(work, answer({ artifact_paths: ["./a.md"] }))
      return Effect.gen(function* () {
        const store = yield* ArtifactStore
        work = Effect.forEach(["a.md", "b.md"], (path) => Effect.orDie(store.write(path, path)))
        const payload = { required_artifacts: ["a.md", "b.md"] }
        const [id, other] = [yield* queue({ payload }), yield* queue({ payload })]
        yield* runOnce
        const shown = (task: string) =>
          Effect.map(showOf(task), (story) => story.artifacts.map(({ exists, path }) => [path, exists]))
        expect((yield* taskOf(id)).status).toBe("completed")
        expect(yield* shown(id)).toEqual([
          ["./a.md", true],
          ["b.md", true]
        ])
        expect(yield* shown(other)).toEqual([])
      }).pipe(Effect.provide(world({ adapters: { local } })))
    }
  )

  it.effect("has its attempts, events, artifacts and children", () =>
    Effect.gen(function* () {
      const id = yield* queue({ payload: { output_path: "out.md" } })
      yield* runOnce
      const story = yield* showOf(id)
      expect(story.task.status).toBe("completed")
      expect(story.attempts).toHaveLength(1)
      expect(Option.isSome(story.attempts[0]!.bundleHash)).toBe(true)
      expect(story.events.map((event) => event.eventType)).toEqual([
        "task_enqueued",
        "task_claimed",
        "bundle_compiled",
        "task_started",
        "task_attempt_finished",
        "task_finished",
        "follow_up_created"
      ])
      expect(story.artifacts).toMatchObject([{ path: "out.md", exists: true }])
      expect(story.children.map((child) => child.kind)).toEqual(["more"])
      expect(story.waiting).toEqual(Option.none())
      // It is what the wire carries.
      expect(Object.keys(yield* Schema.encode(show.output)(story))).toEqual([
        "task",
        "attempts",
        "events",
        "artifacts",
        "children",
        "waiting",
        "replay_of",
        "replays"
      ])
    }).pipe(
      Effect.provide(
        world({
          adapters: { local: yields(answer({ follow_up_tasks: [{ kind: "more", payload: {} }] })) },
          settings: {
            profiles: new Map([["lumen", profile({ result_schema: { allow_follow_up_tasks: true } })]])
          }
        })
      )
    )
  )
})

describe("an id that no task has", () => {
  for (const id of ["missing", "", "x".repeat(5_000)])
    it.effect(`is refused as not found everywhere (${id.length} characters)`, () =>
      Effect.gen(function* () {
        const asked: ReadonlyArray<Effect.Effect<unknown, unknown, Needed>> = [
          showOf(id),
          cancel.run({ id, reason: Option.none(), force: false }, DOOR.actor),
          cancel.run({ id, reason: Option.none(), force: true }, DOOR.actor),
          retry.run({ id, note: Option.none() }, DOOR.actor)
        ]
        for (const one of asked) {
          const refusal = yield* refusalOf(one)
          expect(refusal).toMatchObject({ code: "task_not_found", exitCode: 1 })
          expect(refusal.message.length).toBeLessThan(300)
        }
      }).pipe(Effect.provide(world(quiet)))
    )
})

describe("a cancel", () => {
  it.effect("ends a waiting task, once", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      const asked = cancel.run({ id, reason: Option.some("not needed"), force: false }, DOOR.actor)
      expect(yield* asked).toEqual({ ok: true, task_id: id, status: "operator_canceled" })
      expect((yield* refusalOf(asked)).code).toBe("move_refused")
    }).pipe(Effect.provide(world(quiet)))
  )
})

describe("a retry", () => {
  it.effect("begins a fresh round of a task that has ended, with a note for its next prompt", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* runOnce
      expect(yield* retry.run({ id, note: Option.some("again, please") }, DOOR.actor)).toEqual({
        ok: true,
        task_id: id,
        status: "pending"
      })
      yield* runOnce
      expect((yield* taskOf(id)).status).toBe("completed")
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("is refused while another unfinished task holds the dedupe key, naming it", () =>
    Effect.gen(function* () {
      const id = yield* queue({ dedupeKey: "k" })
      yield* runOnce
      const other = yield* queue({ dedupeKey: "k" })
      const refusal = yield* Effect.flip(retry.run({ id, note: Option.none() }, DOOR.actor))
      expect(refusal.message).toContain(other)
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("of a task that waits is refused", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      expect((yield* refusalOf(retry.run({ id, note: Option.none() }, DOOR.actor))).code).toBe("move_refused")
    }).pipe(Effect.provide(world(quiet)))
  )
})
