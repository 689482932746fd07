import { describe, expect } from "bun:test"
import { Effect, Option, Schema, TestClock } from "effect"
import { sentence } from "../../src/config/Issues.ts"
import { ScheduleIntent } from "../../src/domain/RecurringSchedule.ts"
import { readSchedule } from "../../src/intake/SaveSchedule.ts"
import { Store } from "../../src/store/Store.ts"
import { fullIntent } from "../config/samples.ts"
import { says, world } from "../dispatch/world.ts"
import { badCases } from "../support/badCases.ts"
import { it } from "../support/effect.ts"
import { iso, lines, save, scheduleOf, TASK, tickNow } from "./schedules.ts"

const quiet = world({ adapters: { local: says("done") } })

const plain = { name: "s", interval_seconds: 60, task: TASK }

const problemsOf = (input: unknown) =>
  Effect.map(Effect.flip(readSchedule(input)), ({ problems }) => problems)
const sentenceOf = (input: unknown) =>
  Effect.map(problemsOf(input), (problems) => problems.map(sentence).join("\n"))

describe("a schedule that says no more than it must", () => {
  it.effect("by interval is due now, waits for its last task, and is on", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 hours")
      const schedule = yield* save()
      expect(schedule).toMatchObject({
        name: "s",
        enabled: true,
        overlap: "skip",
        intervalSeconds: Option.some(60),
        cron: Option.none(),
        timezone: Option.none(),
        lastRunAt: Option.none(),
        lastTaskId: Option.none(),
        disabledReason: Option.none(),
        task: TASK
      })
      expect(iso(schedule.nextRunAt)).toBe("1970-01-01T01:00:00.000Z")
      expect(yield* scheduleOf()).toEqual(schedule)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("by cron is due at its next match, in UTC where it names no zone", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 hours")
      expect(iso((yield* save({ cron: "0 * * * *" })).nextRunAt)).toBe("1970-01-01T02:00:00.000Z")
      const zoned = yield* save({ name: "z", cron: "30 8 * * *", timezone: "Europe/Zurich" })
      expect(iso(zoned.nextRunAt)).toBe("1970-01-01T07:30:00.000Z")
      const offset = yield* save({ name: "o", cron: "30 8 * * *", timezone: "+05:30" })
      expect(iso(offset.nextRunAt)).toBe("1970-01-01T03:00:00.000Z")
    }).pipe(Effect.provide(quiet))
  )
})

describe("a schedule that is saved again", () => {
  const dueAfter = (first: Readonly<Record<string, unknown>>, second: Readonly<Record<string, unknown>>) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(0)
      yield* save({ next_run_at: "1970-01-01T05:00:00Z", ...first })
      yield* TestClock.adjust("1 hours")
      return iso((yield* save(second)).nextRunAt)
    }).pipe(Effect.provide(quiet))

  it.effect("keeps its next due time while its timing stays", () =>
    Effect.gen(function* () {
      expect(yield* dueAfter({}, { overlap: "allow", task: { ...TASK, kind: "b" } })).toBe(
        "1970-01-01T05:00:00.000Z"
      )
      expect(yield* dueAfter({ cron: "0 0 * * *" }, { cron: "0 0 * * *" })).toBe("1970-01-01T05:00:00.000Z")
    })
  )

  it.effect("is due as if it were new where its timing changed, and when it says where it says so", () =>
    Effect.gen(function* () {
      expect(yield* dueAfter({}, { interval_seconds: 61 })).toBe("1970-01-01T01:00:00.000Z")
      expect(yield* dueAfter({}, { cron: "0 3 * * *" })).toBe("1970-01-01T03:00:00.000Z")
      const zurich = { cron: "0 3 * * *", timezone: "Europe/Zurich" }
      expect(yield* dueAfter({ cron: "0 3 * * *" }, zurich)).toBe("1970-01-01T02:00:00.000Z")
      expect(yield* dueAfter({}, { next_run_at: "1970-01-01T04:00:00+01:00" })).toBe(
        "1970-01-01T03:00:00.000Z"
      )
    })
  )

  it.effect("takes the defaults for what it leaves out, as one that is new does", () =>
    Effect.gen(function* () {
      yield* save({ enabled: false, overlap: "allow" })
      expect(yield* save()).toMatchObject({ enabled: true, overlap: "skip" })
      const store = yield* Store
      expect(yield* store.schedules.list).toHaveLength(1)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("still waits for the task that it created before", () =>
    Effect.gen(function* () {
      yield* save()
      yield* tickNow
      yield* save({ interval_seconds: 30 })
      yield* tickNow
      expect(yield* lines()).toEqual(["fired 00:00:00", "skipped_overlap 00:00:00"])
    }).pipe(Effect.provide(quiet))
  )

  it.effect("leaves no due time that has passed without a fate when it is put elsewhere", () =>
    Effect.gen(function* () {
      yield* save()
      yield* TestClock.adjust("3 minutes")
      yield* save({ cron: "0 * * * *" })
      expect(yield* lines()).toEqual(["refused 00:00:00", "coalesced 00:01:00-00:03:00 (3)"])
      yield* save({ cron: "0 * * * *", task: { ...TASK, kind: "b" } })
      expect(yield* lines()).toHaveLength(2)
      yield* save({ cron: "30 * * * *" })
      expect(yield* lines()).toHaveLength(2)
    }).pipe(Effect.provide(quiet))
  )
})

describe("a schedule is refused by the field that is wrong:", () => {
  const { available_at: _, ...goodTask } = fullIntent
  const good = {
    name: "every morning",
    interval_seconds: 305,
    task: goodTask,
    next_run_at: "2026-04-29T07:01:02.003Z",
    enabled: true,
    overlap: "skip"
  }
  // Shapes only: what fields say together comes below.
  const cases = badCases(ScheduleIntent, good)

  it.effect("the good one is none of them", () => readSchedule(good))

  it.effect(`${cases.length} wrong ones, a change at one place each`, () =>
    Effect.gen(function* () {
      for (const bad of cases) {
        const problems = yield* problemsOf(bad.input)
        expect([bad.name, ...new Set(problems.map((one) => one.path))]).toEqual([bad.name, bad.path])
      }
      expect(cases.length).toBeGreaterThan(60)
    })
  )

  const rules: ReadonlyArray<readonly [Readonly<Record<string, unknown>>, string, string]> = [
    [{ interval_seconds: 0 }, "interval_seconds", "at least 1"],
    [{ interval_seconds: 1.5 }, "interval_seconds", "an integer"],
    [{ interval_seconds: 1e12 }, "interval_seconds", "100 years"],
    [{ cron: "0 * * * *" }, "cron", "one of the two"],
    [{ interval_seconds: undefined }, "interval_seconds", "it is missing, and so is cron"],
    [{ timezone: "UTC" }, "timezone", "there is no cron beside it"],
    [{ interval_seconds: undefined, cron: "61 * * * *" }, "cron", "cannot be used"],
    [{ interval_seconds: undefined, cron: "@daily" }, "cron", "five cron fields"],
    [{ interval_seconds: undefined, cron: "0 0 31 2 *" }, "cron", "it never matches a date"],
    [{ interval_seconds: undefined, cron: "0 0 * * *", timezone: "Nowhere/Town" }, "timezone", "not a known"],
    [
      { interval_seconds: undefined, cron: "0 0 * * *", timezone: "Europe/Zurick" },
      "timezone",
      "did you mean `Europe/Zurich`?"
    ],
    [{ task: { ...TASK, available_at: "2026-01-01T00:00:00Z" } }, "task.available_at", "next_run_at"],
    [{ task: { ...TASK, source: "x".repeat(176) } }, "task.source", "at most 175 characters"],
    [{ task: { ...TASK, kind: " " } }, "task.kind", "text of 1 to 200 characters"],
    [{ task: { ...TASK, schedule: { delay_minutes: -1 } } }, "task.schedule.delay_minutes", "found -1"],
    [{ name: " \t" }, "name", "text of 1 to 200 characters"],
    [{ name: "a\0" }, "name", "text of 1 to 200 characters"],
    [{ name: "x".repeat(201) }, "name", "200 characters"],
    [{ next_run_at: "tomorrow" }, "next_run_at", "ISO 8601"],
    [{ next_run_at: "2026-02-30T00:00:00Z" }, "next_run_at", "ISO 8601"],
    [{ overlap: "skipp" }, "overlap", "did you mean `skip`?"],
    [{ enabled: 1 }, "enabled", "found 1"]
  ]
  for (const [change, path, words] of rules)
    it.effect(`${path}: ${JSON.stringify(change).slice(0, 80)}`, () =>
      Effect.gen(function* () {
        const document = Object.fromEntries(
          Object.entries({ ...plain, ...change }).filter(([, value]) => value !== undefined)
        )
        expect((yield* problemsOf(document)).map((one) => one.path)).toEqual([path])
        expect(yield* sentenceOf(document)).toContain(words)
      })
    )

  it.effect("whatever is wrong beside it, in the cron, the time zone and the task", () =>
    Effect.gen(function* () {
      const task = { kind: "a", source: "x".repeat(190), available_at: "2030-01-01T00:00:00Z" }
      const document = { name: 1, cron: "99 * * * *", timezone: "Mars/Base", enabled: "yes", task }
      const told = yield* sentenceOf(document)
      for (const part of [
        "name: found 1",
        "enabled: found",
        "task.payload is missing",
        "task.available_at: the schedule says",
        `task.source: found "${"x".repeat(77)}…"`,
        'timezone: "Mars/Base" cannot be used',
        'cron: "99 * * * *" cannot be used'
      ])
        expect(told).toContain(part)
      expect(told.split("\n")).toHaveLength(7)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("several of them at once are told together, and nothing is saved", () =>
    Effect.gen(function* () {
      const document = { name: "", intervall: 5, task: { kind: "a" } }
      expect((yield* problemsOf(document)).map((one) => one.path)).toEqual([
        "intervall",
        "name",
        "task.source",
        "task.payload",
        "interval_seconds"
      ])
      const both = { ...plain, cron: "no", task: { ...TASK, source: "x".repeat(200) } }
      expect((yield* problemsOf(both)).map((one) => one.path)).toEqual(["cron", "cron", "task.source"])
    })
  )

  it.prop("any other value, never with a fault", Schema.Unknown, (input) =>
    Effect.gen(function* () {
      expect(["Left", "Right"]).toContain((yield* Effect.either(readSchedule(input)))._tag)
    })
  )
})

it.effect("a name of 200 characters and of any letters is the schedule's name", () =>
  Effect.gen(function* () {
    for (const name of ["ü".repeat(200), "🐝".repeat(200), "--help", "a/../b", "'\"`$(x)\n;", "-"]) {
      yield* save({ name })
      expect((yield* scheduleOf(name)).name).toBe(name)
    }
  }).pipe(Effect.provide(quiet))
)

it.prop(
  "every schedule that is read is saved and shown as it was, and creates its task",
  ScheduleIntent,
  (intent) =>
    Effect.gen(function* () {
      const wire = Schema.encodeSync(ScheduleIntent)(intent)
      const timing = { interval_seconds: wire.interval_seconds ?? 305, cron: undefined, timezone: undefined }
      const { available_at: _, ...task } = {
        ...wire.task,
        source: wire.task.source.slice(0, 80).trim() || "s"
      }
      const document = JSON.parse(JSON.stringify({ ...wire, ...timing, task, enabled: true }))
      const saved = yield* save({ ...document, next_run_at: "1970-01-01T00:00:00Z" })
      expect(saved).toMatchObject({ name: wire.name, task: document.task, overlap: wire.overlap ?? "skip" })
      expect((yield* tickNow).taskIds).toHaveLength(1)
    }).pipe(Effect.provide(quiet)),
  { numRuns: 40 }
)
