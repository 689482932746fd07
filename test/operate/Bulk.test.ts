import { describe, expect } from "bun:test"
import { Clock, Effect, Option, Schema } from "effect"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { AttemptId, RunnerId } from "../../src/domain/Ids.ts"
import { now } from "../../src/domain/Time.ts"
import { Bulk } from "../../src/operate/answers/Bulk.ts"
import { cancelMatching, retryMatching } from "../../src/operate/Bulk.ts"
import { Refusal } from "../../src/operate/Refusal.ts"
import { Store } from "../../src/store/Store.ts"
import type { TaskFilter } from "../../src/store/TaskLists.ts"
import { DOOR, detailsOf, queue, says, taskOf, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

const quiet = { adapters: { local: says("hello") } }

const all: TaskFilter = { status: [], kind: Option.none(), source: Option.none() }
const kind = (name: string): TaskFilter => ({ ...all, kind: Option.some(name) })

const cancel = (
  filter: TaskFilter,
  given: {
    readonly dryRun?: boolean
    readonly force?: boolean
    readonly limit?: Option.Option<number>
    readonly after?: Option.Option<string>
  } = {}
) =>
  Effect.flatMap(
    cancelMatching.run(
      { filter, dryRun: false, force: false, reason: Option.some("too many"), ...given },
      DOOR.actor
    ),
    Schema.encode(Bulk)
  )
const retry = (filter: TaskFilter, dryRun = false) =>
  Effect.flatMap(
    retryMatching.run({ filter, dryRun, note: Option.some("again") }, DOOR.actor),
    Schema.encode(Bulk)
  )

/** A running task whose dispatcher is dead. */
const claimForTheDead = Effect.gen(function* () {
  const store = yield* Store
  yield* store.tasks.claim({
    lanes: (yield* store.tasks.lanes).map((lane) => lane.key),
    attemptId: AttemptId.make("a1"),
    runnerId: RunnerId.make("dead:1:then"),
    host: "memory",
    stamp: { at: yield* now, actor: DOOR.actor }
  })
})

describe("a cancel of all that fit", () => {
  it.effect("moves them in batches, each with an event that has the common id, and nothing else", () =>
    Effect.gen(function* () {
      const ids = yield* Effect.forEach(Array.from({ length: 230 }), () => queue({ kind: "flood" }))
      const other = yield* queue({ kind: "other" })
      const told = yield* cancel(kind("flood"))
      expect(told).toMatchObject({ matched: 230, moved: 230, refused: 0, dry_run: false, refusals: [] })
      for (const id of ids)
        expect(yield* detailsOf(id, "task_operator_canceled")).toEqual([
          { from: "pending", reason: "too many", bulk_id: told.bulk_id }
        ])
      expect((yield* taskOf(other)).status).toBe("pending")
      expect(yield* cancel(kind("flood"))).toMatchObject({ matched: 230, moved: 0, refused: 230 })
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("with a limit moves so many, newest first, and behind a cursor those behind it", () =>
    Effect.gen(function* () {
      const ids = yield* Effect.forEach(Array.from({ length: 130 }), () => queue({ kind: "flood" }))
      const store = yield* Store
      const page = yield* store.tasks.list(kind("flood"), { limit: 5, after: Option.none() })
      const after = Option.getOrThrow(page).next
      expect(yield* cancel(kind("flood"), { limit: Option.some(120), after })).toMatchObject({
        matched: 120,
        moved: 120
      })
      const left = yield* Effect.filter(ids, (id) =>
        Effect.map(taskOf(id), ({ status }) => status === "pending")
      )
      expect(left).toEqual([...ids.slice(0, 5), ...ids.slice(-5)])
      const refused = yield* Effect.flip(cancel(kind("flood"), { after: Option.some("nonsense") }))
      expect(refused).toBeInstanceOf(Refusal)
      expect(yield* cancel(kind("flood"), { dryRun: true, limit: Option.some(1) })).toMatchObject({
        matched: 1
      })
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("as a dry run counts and changes nothing", () =>
    Effect.gen(function* () {
      const [done] = [yield* queue({ kind: "a", priority: 9 }), yield* queue({ kind: "a" })]
      yield* runOnce
      const store = yield* Store
      const before = yield* store.events.newest(1)
      expect(yield* cancel(kind("a"), { dryRun: true })).toEqual({
        matched: 2,
        moved: 0,
        refused: 1,
        dry_run: true,
        bulk_id: null,
        refusals: [{ task_id: done, why: "it is completed already" }]
      })
      expect(yield* store.events.newest(1)).toEqual(before)
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("as a dry run by status is told from the counts, with the newest refusals", () =>
    Effect.gen(function* () {
      const ids = yield* Effect.forEach(Array.from({ length: 25 }), () => queue({ kind: "a" }))
      yield* cancel(kind("a"))
      yield* Effect.forEach(Array.from({ length: 3 }), () => queue({ kind: "b" }))
      const store = yield* Store
      const walks: Array<TaskFilter> = []
      const watched = {
        ...store,
        transact: () => Effect.dieMessage("a dry run begins no transaction"),
        tasks: {
          ...store.tasks,
          matching: (...[filter, page]: Parameters<typeof store.tasks.matching>) => {
            walks.push(filter)
            return store.tasks.matching(filter, page)
          }
        }
      }
      const dry = (status: TaskFilter["status"]) =>
        Effect.provideService(cancel({ ...all, status }, { dryRun: true }), Store, watched)
      expect(yield* dry(["pending"])).toMatchObject({ matched: 3, refused: 0, moved: 0, bulk_id: null })
      expect(walks).toEqual([])
      const told = yield* dry(["operator_canceled", "pending", "pending"])
      expect(told).toMatchObject({ matched: 28, refused: 25, moved: 0 })
      expect(told.refusals).toEqual(
        ids
          .toReversed()
          .slice(0, 20)
          .map((task_id) => ({ task_id, why: "it is operator_canceled already" }))
      )
      expect(walks).toEqual([{ ...all, status: ["operator_canceled"] }])
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("lets the event loop turn between its batches, as a dry run too, which tries no move", () =>
    Effect.gen(function* () {
      for (let n = 0; n < 1_050; n++) yield* queue({ kind: "flood", dedupeKey: `k${n}` })
      const store = yield* Store
      const untried = { ...store, transact: () => Effect.dieMessage("a dry run begins no transaction") }
      const turnsOf = <A, E, R>(program: Effect.Effect<A, E, R>) =>
        Effect.acquireUseRelease(
          Effect.sync(() => {
            const loop = { turns: 0, isOver: false }
            const turned = () => {
              loop.turns++
              if (!loop.isOver) setImmediate(turned)
            }
            setImmediate(turned)
            return loop
          }),
          (loop) =>
            Effect.map(Effect.withClock(program, Clock.make()), (told) => ({ told, turns: loop.turns })),
          (loop) =>
            Effect.sync(() => {
              loop.isOver = true
            })
        )
      const dry = yield* turnsOf(
        Effect.provideService(cancel(kind("flood"), { dryRun: true }), Store, untried)
      )
      expect(dry.told).toMatchObject({ matched: 1_050, moved: 0, refused: 0 })
      expect(dry.turns).toBeGreaterThanOrEqual(2)
      const real = yield* turnsOf(cancel(kind("flood")))
      expect(real.told).toMatchObject({ matched: 1_050, moved: 1_050, refused: 0 })
      expect(real.turns).toBeGreaterThanOrEqual(11)
      const again = yield* turnsOf(Effect.provideService(retry(kind("flood"), true), Store, untried))
      expect(again.told).toMatchObject({ matched: 1_050, moved: 0, refused: 0 })
      expect(again.turns).toBeGreaterThanOrEqual(2)
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("as a forced dry run tells which of those that run are stopped already, and stops none", () =>
    Effect.gen(function* () {
      const id = yield* queue({ kind: "a" })
      yield* claimForTheDead
      const waiting = yield* queue({ kind: "a" })
      const store = yield* Store
      const dry = cancel(kind("a"), { dryRun: true, force: true })
      expect(yield* dry).toMatchObject({ matched: 2, moved: 0, refused: 0, refusals: [] })
      expect([(yield* taskOf(id)).status, (yield* taskOf(waiting)).status]).toEqual(["running", "pending"])
      yield* store.tasks.requestCancel(id, Option.none(), { at: yield* now, actor: DOOR.actor })
      const { refusals, ...told } = yield* dry
      expect(told).toMatchObject({ matched: 2, moved: 0, refused: 1 })
      expect(refusals[0]?.why).toStartWith("its processes are being stopped already")
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("leaves what runs alone, unless it is forced; then nothing of a dead dispatcher is left", () =>
    Effect.gen(function* () {
      const id = yield* queue({ kind: "a" })
      yield* claimForTheDead
      const refused = yield* cancel(kind("a"))
      expect(refused).toMatchObject({ matched: 1, moved: 0, refused: 1 })
      expect(refused.refusals[0]?.why).toContain("force")
      expect((yield* taskOf(id)).status).toBe("running")
      const forced = yield* cancel({ ...all, status: ["running"] }, { force: true })
      expect(forced).toMatchObject({ matched: 1, moved: 1, refused: 0 })
      expect((yield* taskOf(id)).status).toBe("operator_canceled")
      expect(yield* detailsOf(id, "task_cancel_requested")).toEqual([
        { reason: "too many", bulk_id: forced.bulk_id }
      ])
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("without any filter is refused, and says what to name", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      for (const asked of [cancel(all), cancel(all, { dryRun: true }), retry(all)]) {
        const refusal = yield* Effect.flip(asked)
        expect(refusal).toBeInstanceOf(Refusal)
        expect(refusal).toMatchObject({ code: "filter_empty", exitCode: 2 })
        expect(refusal).toHaveProperty(
          "hint",
          expect.stringMatching(/; --status (pending,retryable_failure,)?blocked is /)
        )
      }
      expect((yield* taskOf(id)).status).toBe("pending")
    }).pipe(Effect.provide(world(quiet)))
  )
})

describe("a retry of all that fit", () => {
  it.effect("begins fresh rounds, and tells of those that another task is in the way of", () =>
    Effect.gen(function* () {
      const keyed = yield* queue({ kind: "a", dedupeKey: "k" })
      const plain = yield* queue({ kind: "a" })
      yield* cancel(kind("a"))
      const rival = yield* queue({ kind: "b", dedupeKey: "k" })
      const store = yield* Store
      const before = yield* store.events.newest(9)
      const foreseen = yield* retry(kind("a"), true)
      expect(foreseen).toMatchObject({ matched: 2, moved: 0, refused: 1, dry_run: true, bulk_id: null })
      expect(yield* store.events.newest(9)).toEqual(before)
      const told = yield* retry(kind("a"))
      expect(told).toMatchObject({ matched: 2, moved: 1, refused: 1 })
      expect(foreseen.refusals).toEqual(told.refusals)
      expect(told.refusals).toEqual([
        { task_id: keyed, why: `task ${rival}, which is not finished, holds its dedupe key` }
      ])
      expect((yield* taskOf(plain)).status).toBe("pending")
      expect(yield* detailsOf(plain, "task_retried")).toEqual([
        { from: "operator_canceled", round: 2, note: "again", bulk_id: told.bulk_id }
      ])
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("as a dry run tells of those that stand in each other's way, in one batch or in two", () =>
    Effect.gen(function* () {
      const keys = Array.from({ length: 120 }, (_, n) => `k${n}`)
      for (const some of [["far"], [...keys, "near"], ["near", "far"]]) {
        for (const dedupeKey of some) yield* queue({ kind: "a", dedupeKey })
        yield* cancel({ ...kind("a"), status: ["pending"] })
      }
      const foreseen = yield* retry(kind("a"), true)
      const { refusals, ...told } = yield* retry(kind("a"))
      expect(told).toMatchObject({ matched: 124, moved: 122, refused: 2 })
      expect(refusals.map(({ why }) => why.replace(/^task [^,]+/, "task T"))).toEqual([
        "task T, which is not finished, holds its dedupe key",
        "task T, which is not finished, holds its dedupe key"
      ])
      expect(foreseen).toMatchObject({ matched: 124, moved: 0, refused: 2, refusals })
    }).pipe(Effect.provide(world(quiet)))
  )
})
