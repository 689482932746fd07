import { describe, expect } from "bun:test"
import { DateTime, Effect, Option, TestClock } from "effect"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { tick } from "../../src/intake/Due.ts"
import { Store } from "../../src/store/Store.ts"
import { DOOR, queue, ran, says, typesOf, world } from "../dispatch/world.ts"
import { it, ticking } from "../support/effect.ts"
import {
  damage,
  fatesOf,
  iso,
  lastEvents,
  lines,
  save,
  scheduleOf,
  TASK,
  tasks,
  tickNow
} from "./schedules.ts"

const quiet = world({ adapters: { local: says("done") } })

const minutes = (count: number) => TestClock.adjust(`${count} minutes`)

/** Runs everything that is queued. */
const workOff = Effect.repeat(runOnce, { until: (cycle) => cycle._tag !== "Ran" })

describe("a schedule that is due", () => {
  it.effect("creates one task with its due time in the source, and is due again an interval later", () =>
    Effect.gen(function* () {
      yield* save({ task: { ...TASK, subject: "Look", priority: 7, requested_adapter: "local" } })
      const { schedulesEvaluated, taskIds } = yield* tickNow
      const [task] = yield* tasks
      expect([schedulesEvaluated, taskIds]).toEqual([1, [task!.taskId]])
      expect(task).toMatchObject({
        kind: "note",
        source: "test:1970-01-01T00:00:00.000Z",
        subject: Option.some("Look"),
        priority: 7,
        requestedAdapter: Option.some("local"),
        status: "pending",
        untrusted: false,
        availableAt: DateTime.unsafeMake(0)
      })
      const schedule = yield* scheduleOf()
      expect(iso(schedule.nextRunAt)).toBe("1970-01-01T00:01:00.000Z")
      expect(schedule.lastTaskId).toEqual(Option.some(task!.taskId))
      expect(schedule.lastRunAt).toEqual(Option.some(DateTime.unsafeMake(0)))
      expect(yield* typesOf(task!.taskId)).toEqual(["task_enqueued", "schedule_task_created"])
      expect(yield* tickNow).toEqual({ schedulesEvaluated: 0, taskIds: [] })
      expect(yield* lines()).toEqual(["fired 00:00:00"])
    }).pipe(Effect.provide(quiet))
  )

  it.effect("is evaluated by run-once, which runs its task in the same cycle", () =>
    Effect.gen(function* () {
      yield* save()
      const { taskId } = yield* ran
      const schedule = yield* scheduleOf()
      expect(schedule.lastTaskId).toEqual(Option.some(taskId))
      expect((yield* tasks).map((task) => task.status)).toEqual(["completed"])
      expect((yield* runOnce)._tag).toBe("Idle")
      yield* minutes(1)
      yield* ran
      expect((yield* tasks).map((task) => task.source)).toEqual([
        "test:1970-01-01T00:00:00.000Z",
        "test:1970-01-01T00:01:00.000Z"
      ])
    }).pipe(Effect.provide(quiet))
  )

  it.effect("and missed five runs creates one task, and each due time has its fate", () =>
    Effect.gen(function* () {
      yield* save()
      yield* minutes(5.5)
      expect((yield* tickNow).taskIds).toHaveLength(1)
      expect(yield* lines()).toEqual(["fired 00:00:00", "coalesced 00:01:00-00:05:00 (5)"])
      expect(iso((yield* scheduleOf()).nextRunAt)).toBe("1970-01-01T00:06:30.000Z")
      expect(yield* lastEvents(1)).toEqual([
        {
          type: "schedule_task_created",
          detail: {
            name: "s",
            due_at: "1970-01-01T00:00:00.000Z",
            missed: 5,
            next_run_at: "1970-01-01T00:06:30.000Z"
          }
        }
      ])
    }).pipe(Effect.provide(quiet))
  )

  it.effect("by cron goes on with its next match, whatever was missed", () =>
    Effect.gen(function* () {
      yield* save({ cron: "0 2 * * *", timezone: "Europe/Zurich" })
      expect(iso((yield* scheduleOf()).nextRunAt)).toBe("1970-01-01T01:00:00.000Z")
      yield* TestClock.adjust("3 days")
      expect((yield* tickNow).taskIds).toHaveLength(1)
      const fates = yield* fatesOf(yield* scheduleOf())
      expect(fates.map((one) => [one.fate, iso(one.firstDueAt), iso(one.lastDueAt), one.missed])).toEqual([
        ["fired", "1970-01-01T01:00:00.000Z", "1970-01-01T01:00:00.000Z", 0],
        ["coalesced", "1970-01-02T01:00:00.000Z", "1970-01-03T01:00:00.000Z", 2]
      ])
      expect(iso((yield* scheduleOf()).nextRunAt)).toBe("1970-01-04T01:00:00.000Z")
    }).pipe(Effect.provide(quiet))
  )

  it.effect("and missed more than are counted says so in its event", () =>
    Effect.gen(function* () {
      yield* save({ cron: "* * * * *" })
      yield* TestClock.adjust("8 days")
      yield* tickNow
      expect((yield* lastEvents(1))[0]?.detail).toMatchObject({ missed: 10_000, missed_is_exact: false })
    }).pipe(Effect.provide(quiet))
  )

  it.effect("and delays its task makes it wait so long from then on", () =>
    Effect.gen(function* () {
      yield* save({ task: { ...TASK, schedule: { delay_minutes: 30 } } })
      yield* minutes(2)
      yield* tickNow
      expect((yield* tasks).map((task) => iso(task.availableAt))).toEqual(["1970-01-01T00:32:00.000Z"])
    }).pipe(Effect.provide(quiet))
  )

  it.effect("creates no task while its last one is unfinished, and says which", () =>
    Effect.gen(function* () {
      yield* save()
      yield* tickNow
      const [first] = yield* tasks
      yield* minutes(1)
      expect(yield* tickNow).toEqual({ schedulesEvaluated: 1, taskIds: [] })
      const reason = `its last task ${first!.taskId} is pending`
      expect((yield* lastEvents(1))[0]).toMatchObject({
        type: "schedule_skipped_overlap",
        detail: { name: "s", missed: 0, fate: "skipped_overlap", reason }
      })
      const [, skipped] = yield* fatesOf(yield* scheduleOf())
      expect(skipped).toMatchObject({ fate: "skipped_overlap", reason: Option.some(reason) })
      yield* workOff
      yield* minutes(1)
      expect((yield* tickNow).taskIds).toHaveLength(1)
      expect(yield* lines()).toEqual(["fired 00:00:00", "skipped_overlap 00:01:00", "fired 00:02:00"])
    }).pipe(Effect.provide(quiet))
  )

  it.effect("creates its tasks all the same where overlap is allowed", () =>
    Effect.gen(function* () {
      yield* save({ overlap: "allow" })
      yield* tickNow
      yield* minutes(1)
      yield* tickNow
      expect((yield* tasks).map((task) => task.status)).toEqual(["pending", "pending"])
    }).pipe(Effect.provide(quiet))
  )

  it.effect("is refused its task while another one holds the dedupe_key", () =>
    Effect.gen(function* () {
      const holder = yield* queue({ dedupeKey: "k" })
      yield* save({ task: { ...TASK, dedupe_key: "k" } })
      expect((yield* tickNow).taskIds).toEqual([])
      expect(yield* lines()).toEqual(["refused 00:00:00"])
      const [fate] = yield* fatesOf(yield* scheduleOf())
      expect(fate?.reason).toEqual(Option.some(`task ${holder} holds its dedupe_key`))
      yield* workOff
      yield* minutes(1)
      expect((yield* tickNow).taskIds).toHaveLength(1)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("stays evaluated when its task was pruned meanwhile", () =>
    Effect.gen(function* () {
      yield* save()
      yield* tickNow
      yield* damage("DELETE FROM run_events")
      yield* damage("DELETE FROM tasks")
      yield* minutes(1)
      expect((yield* tickNow).taskIds).toHaveLength(1)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("leaves its unfinished task alone when it is deleted, and is due no more", () =>
    Effect.gen(function* () {
      const store = yield* Store
      yield* save()
      const stamp = { at: yield* DateTime.now, actor: DOOR.actor }
      yield* tickNow
      yield* store.schedules.remove("s", stamp)
      yield* ran
      expect((yield* tasks).map((task) => task.status)).toEqual(["completed"])
      yield* minutes(9)
      expect(yield* tickNow).toEqual({ schedulesEvaluated: 0, taskIds: [] })
    }).pipe(Effect.provide(quiet))
  )
})

describe("an evaluation", () => {
  it.effect("makes a task that is due at once, though time goes by meanwhile", () =>
    Effect.gen(function* () {
      yield* save()
      yield* ticking(tickNow)
      const store = yield* Store
      expect(yield* store.tasks.lanes).toHaveLength(1)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("tells the time that the next one was reckoned from, however late it is carried out", () =>
    Effect.gen(function* () {
      yield* save()
      yield* minutes(2)
      yield* tick(DateTime.unsafeMake(90_000))
      const schedule = yield* scheduleOf()
      expect(iso(schedule.nextRunAt)).toBe("1970-01-01T00:02:30.000Z")
      const evaluated = (yield* fatesOf(schedule)).map((fate) => iso(fate.evaluatedAt))
      expect(evaluated).toEqual(["1970-01-01T00:01:30.000Z", "1970-01-01T00:01:30.000Z"])
    }).pipe(Effect.provide(quiet))
  )

  it.effect(
    "at a given time leaves the clock alone: what comes of a future one is not due again before it",
    () =>
      Effect.gen(function* () {
        yield* save()
        expect((yield* tick(DateTime.unsafeMake(600_000))).taskIds).toHaveLength(1)
        expect(yield* lines()).toEqual(["fired 00:00:00", "coalesced 00:01:00-00:10:00 (10)"])
        expect(iso((yield* scheduleOf()).nextRunAt)).toBe("1970-01-01T00:11:00.000Z")
        expect((yield* tasks).map((task) => iso(task.createdAt))).toEqual(["1970-01-01T00:00:00.000Z"])
        yield* minutes(10)
        expect(yield* tickNow).toEqual({ schedulesEvaluated: 0, taskIds: [] })
      }).pipe(Effect.provide(quiet))
  )

  it.effect("at a past time sees what was due by then, and the next one goes on from there", () =>
    Effect.gen(function* () {
      yield* save({ overlap: "allow" })
      yield* minutes(10)
      expect(yield* tick(DateTime.unsafeMake(-1))).toEqual({ schedulesEvaluated: 0, taskIds: [] })
      yield* tick(DateTime.unsafeMake(120_000))
      yield* tickNow
      expect(yield* lines()).toEqual([
        "fired 00:00:00",
        "coalesced 00:01:00-00:02:00 (2)",
        "fired 00:03:00",
        "coalesced 00:04:00-00:10:00 (7)"
      ])
    }).pipe(Effect.provide(quiet))
  )

  it.effect("waits for the clock that was put back, and fires nothing twice", () =>
    Effect.gen(function* () {
      yield* minutes(60)
      yield* save()
      yield* tickNow
      yield* workOff
      yield* TestClock.setTime(0)
      expect((yield* tickNow).schedulesEvaluated).toBe(0)
      yield* minutes(61)
      expect((yield* tickNow).taskIds).toHaveLength(1)
      expect(yield* lines()).toEqual(["fired 01:00:00", "fired 01:01:00"])
    }).pipe(Effect.provide(quiet))
  )

  it.effect("goes through more schedules than it reads at once, each once", () =>
    Effect.gen(function* () {
      for (let nth = 0; nth < 230; nth++) yield* save({ name: `s${nth}` })
      const { schedulesEvaluated, taskIds } = yield* tickNow
      expect([schedulesEvaluated, new Set(taskIds).size]).toEqual([230, 230])
      expect((yield* tickNow).schedulesEvaluated).toBe(0)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("takes no schedule that is off; once it is on again, what it missed is one run", () =>
    Effect.gen(function* () {
      const store = yield* Store
      yield* save()
      const turn = (on: boolean) =>
        Effect.flatMap(DateTime.now, (at) =>
          store.schedules.setEnabled("s", on, Option.none(), { at, actor: DOOR.actor })
        )
      yield* turn(false)
      yield* minutes(10)
      expect((yield* tickNow).schedulesEvaluated).toBe(0)
      yield* turn(true)
      expect((yield* tickNow).taskIds).toHaveLength(1)
      expect(yield* lines()).toEqual(["fired 00:00:00", "coalesced 00:01:00-00:10:00 (10)"])
    }).pipe(Effect.provide(quiet))
  )
})

describe("many schedules that are due at once", () => {
  it.live("leave the event loop a turn between two of them", () =>
    Effect.gen(function* () {
      const names = Array.from({ length: 20 }, (_, count) => `s${count}`)
      for (const name of names)
        yield* save({ name, cron: "* * * * *", next_run_at: "2026-01-01T00:00:00.000Z" })
      let turns = 0
      const turning = setInterval(() => turns++, 0)
      const { schedulesEvaluated } = yield* tickNow
      clearInterval(turning)
      expect(schedulesEvaluated).toBe(names.length)
      expect(turns).toBeGreaterThanOrEqual(names.length / 2)
    }).pipe(Effect.provide(quiet))
  )
})
