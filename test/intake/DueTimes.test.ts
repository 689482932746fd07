import { expect, setDefaultTimeout } from "bun:test"
import { DateTime, Effect, Either, Layer, Option, Ref, Schema, TestClock, TestContext } from "effect"
import type { RecurringSchedule, ScheduleFate } from "../../src/domain/RecurringSchedule.ts"
import { tick, timingOf } from "../../src/intake/Due.ts"
import { nextAfter } from "../../src/schedule/Recurrence.ts"
import { Store } from "../../src/store/Store.ts"
import { StoreUnavailable } from "../../src/store/StoreError.ts"
import { DOOR, says, world } from "../dispatch/world.ts"
import { isLong } from "../support/breadth.ts"
import { it } from "../support/effect.ts"
import { fatesOf, save, scheduleOf, TASK, tasks } from "./schedules.ts"

setDefaultTimeout(120_000)

const START = DateTime.unsafeMake("2026-01-01T00:00:00Z")
const HOUR = 3_600_000

const SCHEDULES = [
  { name: "heartbeat", interval_seconds: 305 },
  { name: "daily", interval_seconds: 86_400, overlap: "allow" },
  { name: "night", cron: "30 2 * * *", timezone: "Europe/Zurich" },
  { name: "often", cron: "15 */5 * * *", timezone: "America/St_Johns", overlap: "allow" },
  { name: "month", cron: "0 0 1 * *" }
]

const whole = (from: number, to: number) => Schema.Int.pipe(Schema.between(from, to))

/** A jump of the clock, then an evaluation that is cut off at one of its calls of the store, or is not. */
const Step = Schema.Struct({
  hours: Schema.Union(whole(0, 30), whole(0, 2_500), whole(-200, 0)),
  ahead: Schema.Union(Schema.Literal(0), whole(0, 500)),
  cutAt: Schema.Union(Schema.Literal(null), whole(0, 25)),
  work: Schema.Boolean
})

const crash = new StoreUnavailable({ path: "", reason: "a power cut", remedy: "" })

/** The store of a process that dies at its nth call, before or after that took hold. */
const dyingAt = (store: Store["Type"], nth: number) =>
  Effect.map(Ref.make(0), (calls): Store["Type"] => {
    const cut = <A, E, R>(call: Effect.Effect<A, E, R>) =>
      Effect.flatMap(
        Ref.getAndUpdate(calls, (count) => count + 1),
        (count) =>
          2 * count === nth
            ? crash
            : 2 * count + 1 === nth
              ? Effect.zipRight(call, crash)
              : 2 * count > nth
                ? crash
                : call
      )
    return {
      ...store,
      tasks: { ...store.tasks, add: (task, stamp) => cut(store.tasks.add(task, stamp)) },
      schedules: {
        ...store.schedules,
        due: (at, limit) => cut(store.schedules.due(at, limit)),
        evaluated: (evaluation, stamp) => cut(store.schedules.evaluated(evaluation, stamp))
      },
      transact: (name, program) => cut(store.transact(name, program))
    }
  })

/** Every task that waits is at its end. */
const workOff = Effect.gen(function* () {
  const store = yield* Store
  const stamp = { at: yield* DateTime.now, actor: DOOR.actor }
  for (const task of yield* tasks)
    if (task.status === "pending") yield* store.tasks.cancel(task.taskId, Option.none(), stamp)
})

/** How many due times lie behind one, until `at`, counted one by one; and the last of them. */
const behind = (schedule: RecurringSchedule, at: DateTime.Utc) => {
  const timing = Either.getOrThrow(timingOf(schedule, START))
  let [count, last] = [0, schedule.nextRunAt]
  for (;;) {
    const one = Option.getOrThrow(nextAfter(timing, last))
    if (DateTime.greaterThan(one, at)) return { count, last, next: Option.getOrThrow(nextAfter(timing, at)) }
    count++
    last = one
  }
}

/** Holds for a schedule over one evaluation at `at`, cut off or not: all of it happened, or nothing. */
const judge = (
  before: RecurringSchedule,
  after: RecurringSchedule,
  made: ReadonlyArray<ScheduleFate>,
  at: DateTime.Utc,
  isWhole: boolean
) => {
  const isDue = DateTime.lessThanOrEqualTo(before.nextRunAt, at)
  if (!isDue || (!isWhole && made.length === 0)) {
    expect([after.nextRunAt, made]).toEqual([before.nextRunAt, []])
    return
  }
  const { count, last, next } = behind(before, at)
  expect(after.nextRunAt).toEqual(next)
  expect(DateTime.greaterThan(after.nextRunAt, at)).toBe(true)
  const [own, ...missed] = made
  expect([own!.firstDueAt, own!.lastDueAt, own!.missed]).toEqual([before.nextRunAt, before.nextRunAt, 0])
  expect(["fired", "skipped_overlap"]).toContain(own!.fate)
  if (before.overlap === "allow") expect(own!.fate).toBe("fired")
  expect(Option.isSome(own!.taskId)).toBe(own!.fate === "fired")
  expect(missed.map((one) => [one.fate, one.lastDueAt, one.missed])).toEqual(
    count === 0 ? [] : [["coalesced", last, count]]
  )
}

it.prop(
  "over years, clock changes, clocks put back and forward, and crashes, every due time has one fate, fires at most once and makes one task",
  Schema.Array(Step).pipe(Schema.minItems(5), Schema.maxItems(25)),
  (steps) =>
    Effect.gen(function* () {
      const store = yield* Store
      yield* TestClock.setTime(DateTime.toEpochMillis(START))
      for (const document of SCHEDULES) yield* save({ task: { ...TASK, source: document.name }, ...document })
      const state = Effect.forEach(SCHEDULES, ({ name }) =>
        Effect.flatMap(scheduleOf(name), (schedule) =>
          Effect.map(fatesOf(schedule), (fates) => ({ schedule, fates }))
        )
      )
      for (const { ahead, cutAt, hours, work } of steps) {
        if (work) yield* workOff
        const now = DateTime.toEpochMillis(yield* DateTime.now)
        yield* TestClock.setTime(Math.max(now + hours * HOUR, 0))
        const at = DateTime.addDuration(yield* DateTime.now, `${ahead} hours`)
        const before = yield* state
        const seen = cutAt === null ? store : yield* dyingAt(store, cutAt)
        const ticked = yield* Effect.either(Effect.provideService(tick(at), Store, seen))
        const after = yield* state
        for (const [nth, one] of after.entries()) {
          const had = before[nth]!
          expect(one.fates.slice(0, had.fates.length)).toEqual(had.fates)
          judge(had.schedule, one.schedule, one.fates.slice(had.fates.length), at, Either.isRight(ticked))
        }
      }
      const fired = (yield* state).flatMap(({ fates, schedule }) =>
        fates
          .filter((fate) => fate.fate === "fired")
          .map(
            (fate) =>
              `${schedule.name}:${DateTime.formatIso(fate.firstDueAt)} ${Option.getOrNull(fate.taskId)}`
          )
      )
      const made = (yield* tasks).map((task) => `${task.source} ${task.taskId}`)
      expect(new Set(made).size).toBe(made.length)
      expect([...made].sort()).toEqual([...fired].sort())
    }).pipe(
      Effect.provide(
        Layer.provideMerge(world({ adapters: { local: says("done") } }), TestContext.TestContext)
      )
    ),
  { numRuns: isLong ? 15 : 5 }
)
