import { describe, expect } from "bun:test"
import { Effect, Option } from "effect"
import { readBacklog, seed } from "../../src/intake/Backlog.ts"
import { Store } from "../../src/store/Store.ts"
import { DOOR, history, queue, says, taskOf, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import { at, stampAt } from "../support/store.ts"

const quiet = { adapters: { local: says("hello") } }

const look = { kind: "note", source: "backlog", subject: "Look", payload: { n: 1 } }
const wiki = { template: "community-research", instance_key: "wiki" }
const stamp = { ...stampAt(0), actor: DOOR.actor }

const sow = (file: unknown) => Effect.flatMap(readBacklog(file), (backlog) => seed(backlog, stamp))
const created = ({ tasks, workflows }: Effect.Effect.Success<ReturnType<typeof sow>>) => [
  workflows.map((one) => one.created),
  tasks.map((one) => one.created)
]

describe("a backlog", () => {
  it.effect("is made once, trusted, in the operator's name; the second run answers what is there", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const file = { workflows: [wiki], tasks: [look, { ...look, subject: "Look again" }] }
      const first = yield* sow(file)
      expect(created(first)).toEqual([[true], [true, true]])
      expect(first.workflows[0]).toMatchObject({ instanceKey: "wiki" })
      expect(yield* taskOf(first.tasks[1]!.taskId)).toMatchObject({
        subject: Option.some("Look again"),
        untrusted: false
      })
      expect((yield* store.workflows.findByKey("wiki")).pipe(Option.getOrThrow).untrusted).toBe(false)
      const before = yield* history
      const second = yield* sow(file)
      expect(created(second)).toEqual([[false], [false, false]])
      expect(second.tasks.map((one) => one.taskId)).toEqual(first.tasks.map((one) => one.taskId))
      expect(second.workflows[0]?.workflowId).toBe(first.workflows[0]!.workflowId)
      expect(yield* history).toEqual(before)
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("knows a workflow by its key, though a new one would lack something", () =>
    Effect.gen(function* () {
      const goal = { template: "goal-loop", instance_key: "g" }
      const first = yield* sow({ workflows: [{ ...goal, context: { objective: "o" } }] })
      const again = yield* sow({ workflows: [goal] })
      expect(created(again)).toEqual([[false], []])
      expect(again.workflows[0]?.workflowId).toBe(first.workflows[0]!.workflowId)
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("is not made again when its tasks are pruned, whoever made them; one that was held up is", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const holder = yield* queue({ source: "elsewhere", dedupeKey: "one at a time" })
      const older = yield* queue({ source: "backlog", subject: "older" })
      const held = { ...look, subject: "held", dedupe_key: "one at a time" }
      const file = {
        tasks: [look, { kind: "note", source: "backlog", payload: {} }, { ...look, subject: "older" }, held]
      }
      const first = yield* sow(file)
      expect(created(first)[1]).toEqual([true, true, false, false])
      expect(first.tasks.slice(2).map((one) => one.taskId)).toEqual([older, holder])
      for (const { taskId } of first.tasks) yield* store.tasks.cancel(taskId, Option.none(), stamp)
      const wanted = { finishedBefore: at(1), held: [] }
      expect((yield* store.maintenance.prune.tasks(wanted, Option.none(), false)).tasks).toBe(4)
      const second = yield* sow(file)
      expect(created(second)[1]).toEqual([false, false, false, true])
      expect(second.tasks.slice(0, 3)).toEqual(
        first.tasks.slice(0, 3).map((one) => ({ ...one, created: false }))
      )
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("knows a task that came another way and was canceled since", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const id = yield* queue({ source: "backlog", subject: "Look", kind: "older" })
      yield* store.tasks.cancel(id, Option.none(), stamp)
      expect((yield* sow({ tasks: [look] })).tasks).toEqual([
        { created: false, taskId: id, kind: "older", source: "backlog" }
      ])
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("makes entries of one source and subject once, and those without a subject that differ", () =>
    Effect.gen(function* () {
      const { subject: _, ...bare } = look
      const file = { tasks: [look, { ...look, kind: "other" }, bare, { ...bare, payload: { n: 2 } }, bare] }
      expect(created(yield* sow(file))).toEqual([[], [true, false, true, true, false]])
      expect(created(yield* sow(file))).toEqual([[], [false, false, false, false, false]])
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("answers the unfinished task that holds an entry's dedupe_key", () =>
    Effect.gen(function* () {
      const id = yield* queue({ dedupeKey: "pump" })
      const { tasks } = yield* sow({ tasks: [{ ...look, dedupe_key: "pump" }] })
      expect(tasks).toMatchObject([{ created: false, taskId: id }])
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("is refused as a whole for what is wrong, each problem by its entry", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        sow({
          workflows: [wiki, { template: "goal-lop", instance_key: "g" }, { ...wiki, state: "nowhere" }, 7],
          tasks: [look, { ...look, kind: 3, prority: 1 }, null]
        })
      )
      const told = error._tag === "Invalid" ? error.message : error._tag
      for (const words of [
        'workflows[1].template: found "goal-lop"',
        'workflows[2].state: found "nowhere"',
        "workflows[3]: found 7",
        "tasks[1].kind: found 3",
        "tasks[1].prority is not a known key",
        "tasks[2]: found null"
      ])
        expect(told).toContain(words)
      expect(told).not.toContain("[0]")
      expect(yield* history).toEqual([])
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("is refused when it is no object of the two lists, or has too many entries", () =>
    Effect.gen(function* () {
      for (const [file, words] of [
        [[], "expected"],
        [{ tasks: {} }, "tasks: found"],
        [{ task: [] }, "task is not a known key; did you mean `tasks`?"],
        [{ tasks: Array.from({ length: 1_001 }, () => look) }, "at most 1000 in one file"]
      ] as const)
        expect((yield* Effect.flip(readBacklog(file))).message).toContain(words)
      expect(created(yield* sow({}))).toEqual([[], []])
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("keeps nothing when one of its sources has too many tasks to be searched", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const crowded = { ...store.backlog, find: () => Effect.succeed({ _tag: "Crowded" as const }) }
      const error = yield* Effect.flip(
        sow({ workflows: [wiki], tasks: [look] }).pipe(
          Effect.provideService(Store, { ...store, backlog: crowded })
        )
      )
      expect(error).toMatchObject({ _tag: "SourceCrowded", source: "backlog" })
      expect(yield* history).toEqual([])
    }).pipe(Effect.provide(world(quiet)))
  )
})
