import { describe, expect } from "bun:test"
import { Effect, Option, Schema } from "effect"
import { scriptSettings } from "../../layers/adapter/ScriptedAdapters.ts"
import type { TaskId } from "../../src/domain/Ids.ts"
import { JsonObject } from "../../src/domain/Json.ts"
import { now } from "../../src/domain/Time.ts"
import { enqueue } from "../../src/intake/Enqueue.ts"
import { Store } from "../../src/store/Store.ts"
import { answer, DOOR, detailsOf, queue, ran, taskOf, UNTRUSTED, world, yields } from "../dispatch/world.ts"
import { it, ticking } from "../support/effect.ts"
import { profile } from "../support/settings.ts"

const allows = { result_schema: { allow_follow_up_tasks: true } }

/** A runtime whose adapter `local` completes with these follow-ups. */
const asking = (followUps: ReadonlyArray<unknown>, own: Record<string, unknown> = allows) =>
  world({
    adapters: { local: yields(answer({ follow_up_tasks: followUps })) },
    configured: ["safe", "power"].map((id) => scriptSettings(id)),
    settings: {
      profiles: new Map([
        ["lumen", profile(own)],
        ["quiet", profile({ ...allows, profile_id: "quiet", default_adapter: "power" })],
        ["admin", profile({ ...allows, profile_id: "admin" })]
      ])
    }
  })

const childrenOf = (id: TaskId) => Effect.flatMap(Store, (store) => store.tasks.children(id, 1_000))

const refusals = (id: TaskId) =>
  Effect.map(detailsOf(id, "follow_up_refused"), (details) => details.map(({ reason }) => String(reason)))

const numbered = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ kind: "part", subject: `part ${n}`, payload: { n } }))

const retried = (id: TaskId) =>
  Effect.gen(function* () {
    const store = yield* Store
    yield* store.tasks.retry(id, Option.none(), { at: yield* now, actor: DOOR.actor })
    yield* ran
  })

describe("follow-ups of a completed outcome", () => {
  it.effect("are due at once, though time goes by while they are made", () =>
    Effect.gen(function* () {
      yield* queue()
      yield* ticking(ran)
      const store = yield* Store
      expect(yield* store.tasks.lanes).toHaveLength(1)
    }).pipe(Effect.provide(asking(numbered(1))))
  )

  it.effect("become tasks of their parent, told in its history", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      const [child] = yield* childrenOf(id)
      expect(child).toMatchObject({
        kind: "part",
        source: `task:${id}`,
        subject: Option.some("part 0"),
        payload: { n: 0 },
        parentTaskId: Option.some(id),
        untrusted: false,
        status: "pending"
      })
      expect(yield* detailsOf(id, "follow_up_created")).toEqual([{ follow_up_task_id: child!.taskId }])
    }).pipe(Effect.provide(asking(numbered(1))))
  )

  it.effect("inherit that their parent's input is untrusted", () =>
    Effect.gen(function* () {
      const id = yield* queue({}, UNTRUSTED)
      yield* ran
      expect((yield* childrenOf(id)).map((child) => child.untrusted)).toEqual([true])
    }).pipe(Effect.provide(asking([{ kind: "part", payload: { untrusted: false } }])))
  )

  it.effect("are refused, and told, where the profile does not allow them", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      expect((yield* taskOf(id)).status).toBe("completed")
      expect(yield* childrenOf(id)).toEqual([])
      expect(yield* refusals(id)).toEqual(["the profile does not allow follow-up tasks"])
    }).pipe(Effect.provide(asking(numbered(1), {})))
  )

  it.effect("are at most 20 of one outcome; the rest is refused in one event", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      expect(yield* childrenOf(id)).toHaveLength(20)
      expect(yield* detailsOf(id, "follow_up_refused")).toEqual([
        { reason: "one outcome makes at most 20, this one asked for 5000", dropped: 4980 }
      ])
    }).pipe(Effect.provide(asking(numbered(5000))))
  )

  it.effect("go five generations deep", () =>
    Effect.gen(function* () {
      yield* queue()
      for (let turn = 0; turn <= 5; turn++) {
        const { taskId } = yield* ran
        const children = yield* childrenOf(taskId)
        expect([turn, children.length]).toEqual([turn, turn < 5 ? 1 : 0])
        if (turn === 5) expect(yield* refusals(taskId)).toEqual(["at most 5 generations follow each other"])
      }
    }).pipe(Effect.provide(asking(numbered(1))))
  )

  it.effect("are at most 100 unfinished descendants of one root", () =>
    Effect.gen(function* () {
      // Higher than its children: the root's tree grows in breadth before any of it is finished.
      const root = yield* queue({ priority: 9 })
      let made = 0
      let refused = 0
      for (let turn = 0; turn < 8; turn++) {
        const { taskId } = yield* ran
        made += (yield* childrenOf(taskId)).length
        refused += (yield* refusals(taskId)).filter((why) =>
          why.includes("100 unfinished descendants")
        ).length
      }
      // Every one that ran finished itself before its children were counted.
      expect(made).toBe(100 + 7)
      expect(refused).toBeGreaterThan(0)
      const store = yield* Store
      expect(yield* store.tasks.unfinishedDescendants(root)).toBe(100)
    }).pipe(Effect.provide(asking(numbered(20))))
  )

  it.effect("are not made again by a retry; new ones are", () =>
    Effect.gen(function* () {
      const id = yield* queue({ priority: 9 })
      yield* ran
      yield* retried(id)
      expect(yield* childrenOf(id)).toHaveLength(2)
      expect((yield* refusals(id)).every((why) => why.startsWith("it was made before, as task "))).toBe(true)
      expect(yield* refusals(id)).toHaveLength(2)
    }).pipe(Effect.provide(asking(numbered(2))))
  )

  it.effect("are not made again where only the order of their keys is another", () => {
    const turns = [
      { a: 1, b: [{ c: null, d: "x" }] },
      { b: [{ d: "x", c: null }], a: 1 },
      { a: 1, b: [{ d: "x" }] }
    ]
    let at = 0
    const local = () =>
      Effect.sync(() => answer({ follow_up_tasks: [{ kind: "part", payload: turns[at++] }] }))
    return Effect.gen(function* () {
      const id = yield* queue({ priority: 9 })
      yield* ran
      yield* retried(id)
      expect(yield* childrenOf(id)).toHaveLength(1)
      yield* retried(id)
      expect(yield* childrenOf(id)).toHaveLength(2)
    }).pipe(
      Effect.provide(
        world({ adapters: { local }, settings: { profiles: new Map([["lumen", profile(allows)]]) } })
      )
    )
  })

  it.effect("that name the dedupe key of an unfinished task are refused and name it", () =>
    Effect.gen(function* () {
      const { task } = yield* enqueue(
        { kind: "x", source: "y", payload: {}, dedupeKey: "k", priority: 0 },
        DOOR
      )
      const id = yield* queue()
      yield* ran
      expect(yield* refusals(id)).toEqual([
        `task ${task.taskId}, which is not finished, holds its dedupe key`
      ])
      expect(yield* childrenOf(id)).toEqual([])
    }).pipe(Effect.provide(asking([{ kind: "part", payload: {}, dedupe_key: "k" }])))
  )
})

describe("a follow-up can run only with what its parent ran with or the defaults:", () => {
  const one = (asked: Record<string, unknown>) => [{ kind: "part", payload: {}, ...asked }]
  const refused: ReadonlyArray<readonly [asked: Record<string, unknown>, why: string]> = [
    [{ requested_profile: "admin" }, "profile admin is neither the parent's nor the default"],
    [{ requested_adapter: "power" }, "adapter power is neither the parent's nor the default"],
    [{ requested_model: "the-big-one" }, "model the-big-one is not the one that the parent requested"],
    [{ payload: "text" }, "payload: found"],
    [{ untrusted: false }, "untrusted is not a known key"],
    [{ parent_task_id: "x" }, "parent_task_id is not a known key"]
  ]
  for (const [asked, why] of refused)
    it.effect(`${JSON.stringify(asked)} is refused`, () =>
      Effect.gen(function* () {
        const id = yield* queue()
        yield* ran
        expect(yield* childrenOf(id)).toEqual([])
        const [detail] = yield* detailsOf(id, "follow_up_refused")
        expect(String(detail?.reason)).toStartWith(why)
        expect(detail?.asked).toMatchObject(asked)
      }).pipe(Effect.provide(asking(one(asked))))
    )

  it.effect("the defaults are allowed", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      expect(yield* childrenOf(id)).toHaveLength(1)
    }).pipe(Effect.provide(asking(one({ requested_profile: "lumen", requested_adapter: "local" }))))
  )

  it.effect("a profile that would lead to another adapter runs on the parent's", () =>
    Effect.gen(function* () {
      // The operator put this task on `local`, although its profile prefers `power`.
      const id = yield* queue({ requestedProfile: "quiet", requestedAdapter: "local" })
      yield* ran
      const [child] = yield* childrenOf(id)
      expect(child?.requestedAdapter).toEqual(Option.some("local"))
    }).pipe(Effect.provide(asking(one({ requested_profile: "quiet" }))))
  )
})

it.prop(
  "whatever a model asks for ends as a task or as a refusal, and the parent is completed",
  Schema.Array(JsonObject).pipe(Schema.maxItems(6)),
  (asked) =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      expect((yield* taskOf(id)).status).toBe("completed")
      const told = (yield* childrenOf(id)).length + (yield* refusals(id)).length
      expect(told).toBe(asked.length)
    }).pipe(Effect.provide(asking(asked))),
  { numRuns: 30 }
)
