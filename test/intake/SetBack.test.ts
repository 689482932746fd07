import { describe, expect } from "bun:test"
import { DateTime, Effect, Option, TestClock } from "effect"
import { disable, enable } from "../../src/operate/Schedules.ts"
import { Scheduler } from "../../src/schedule/Scheduler.ts"
import { Store } from "../../src/store/Store.ts"
import { DOOR, says, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import { iso, lastEvents, lines, save, scheduleOf, tickNow } from "./schedules.ts"

const quiet = world({ adapters: { local: says("done") } })

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const next = Effect.map(scheduleOf(), ({ nextRunAt }) => iso(nextRunAt))
const putRight = Effect.flatMap(Scheduler, (scheduler) => scheduler.putRight)
const evaluateAll = Effect.gen(function* () {
  const scheduler = yield* Scheduler
  return yield* scheduler.tick(yield* DateTime.now)
})
const events = Effect.flatMap(Store, ({ events }) => events.latest)

/** What is due is evaluated a day ahead, then the clock is set back to noon of the first day. */
const dayBack = (document: Readonly<Record<string, unknown>> = {}) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(DAY + DAY / 2)
    yield* save(document)
    yield* tickNow
    yield* TestClock.setTime(DAY / 2)
  })

describe("a schedule whose next time was set before the clock was set back", () => {
  it.effect("is due an interval from now, which an event tells, and goes on from there", () =>
    Effect.gen(function* () {
      yield* dayBack()
      expect(yield* next).toBe("1970-01-02T12:01:00.000Z")
      yield* putRight
      expect(yield* next).toBe("1970-01-01T12:01:00.000Z")
      expect(yield* lastEvents(1)).toEqual([
        {
          type: "schedule_upserted",
          detail: {
            name: "s",
            enabled: true,
            next_run_at: "1970-01-01T12:01:00.000Z",
            set_back_from: "1970-01-02T12:01:00.000Z",
            reason: "the clock was set back"
          }
        }
      ])
      const before = yield* events
      yield* putRight
      expect(yield* events).toBe(before)
      yield* TestClock.setTime(DAY / 2 + 60_000)
      expect((yield* tickNow).schedulesEvaluated).toBe(1)
      expect((yield* lines()).length).toBe(2)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("is put right by every evaluation, as run-once and schedule-tick make it", () =>
    Effect.gen(function* () {
      yield* dayBack()
      const scheduler = yield* Scheduler
      expect((yield* scheduler.tick(yield* DateTime.now)).schedulesEvaluated).toBe(0)
      expect(yield* next).toBe("1970-01-01T12:01:00.000Z")
    }).pipe(Effect.provide(quiet))
  )

  it.effect("is due at the next match where it is a cron, and stays where that is no earlier one", () =>
    Effect.gen(function* () {
      yield* dayBack({ cron: "0 * * * *" })
      yield* putRight
      expect(yield* next).toBe("1970-01-01T13:00:00.000Z")
      yield* dayBack({ cron: "0 0 1 2 *" })
      const before = yield* events
      yield* putRight
      expect(yield* next).toBe("1970-02-01T00:00:00.000Z")
      expect(yield* events).toBe(before)
    }).pipe(Effect.provide(quiet))
  )

  it.effect(
    "stays where somebody asked for a time that far ahead, and where the clock was not set back",
    () =>
      Effect.gen(function* () {
        yield* dayBack({ next_run_at: "1970-01-09T00:00:00.000Z" })
        yield* putRight
        expect(yield* next).toBe("1970-01-09T00:00:00.000Z")
        yield* save({ next_run_at: "1970-01-05T00:00:00.000Z" })
        yield* putRight
        expect(yield* next).toBe("1970-01-05T00:00:00.000Z")
      }).pipe(Effect.provide(quiet))
  )

  it.effect("is not due again at a time that it has run for, by a small step or by one over several", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(11 * HOUR)
      yield* save({ cron: "0 12 * * *" })
      yield* save({ name: "often", cron: "*/20 * * * *" })
      yield* TestClock.setTime(12 * HOUR)
      yield* evaluateAll
      for (const minutes of [20, 40, 60]) {
        yield* TestClock.setTime(12 * HOUR + minutes * MINUTE)
        yield* evaluateAll
      }
      yield* TestClock.setTime(12 * HOUR - 2_000)
      yield* evaluateAll
      expect(yield* next).toBe("1970-01-02T12:00:00.000Z")
      expect(iso((yield* scheduleOf("often")).nextRunAt)).toBe("1970-01-01T13:20:00.000Z")
      // Neither a save that changes no timing nor the next evaluations bring one back.
      yield* save({ name: "often", cron: "*/20 * * * *" })
      yield* TestClock.setTime(12 * HOUR + 1_000)
      expect((yield* evaluateAll).schedulesEvaluated).toBe(0)
      yield* TestClock.setTime(13 * HOUR + 20 * MINUTE)
      expect((yield* evaluateAll).schedulesEvaluated).toBe(1)
      expect(yield* lines()).toEqual(["fired 12:00:00"])
      expect(yield* lines("often")).toEqual([
        "fired 11:20:00",
        "coalesced 11:40:00-12:00:00 (2)",
        "skipped_overlap 12:20:00",
        "skipped_overlap 12:40:00",
        "skipped_overlap 13:00:00",
        "skipped_overlap 13:20:00"
      ])
    }).pipe(Effect.provide(quiet))
  )

  it.effect("is due at the first time without a fate, and a second step keeps to that as well", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(11 * HOUR + 30 * MINUTE)
      yield* save({ cron: "0 * * * *" })
      yield* TestClock.setTime(15 * HOUR)
      yield* evaluateAll
      yield* TestClock.setTime(10 * HOUR + 30 * MINUTE)
      yield* evaluateAll
      expect(yield* next).toBe("1970-01-01T11:00:00.000Z")
      yield* TestClock.setTime(11 * HOUR)
      yield* evaluateAll
      expect(yield* next).toBe("1970-01-01T16:00:00.000Z")
    }).pipe(Effect.provide(quiet))
  )

  it.effect("does not wait for the end of what a clock that was days ahead has passed over", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(11 * HOUR)
      yield* save({ cron: "0 12 * * *" })
      yield* TestClock.setTime(1_000 * DAY)
      yield* evaluateAll
      yield* TestClock.setTime(11 * HOUR)
      yield* evaluateAll
      // The first one was acted upon, those behind it were not.
      expect(yield* next).toBe("1970-01-02T12:00:00.000Z")
    }).pipe(Effect.provide(quiet))
  )

  it.effect("is put right by saving it again, and by turning it off and on", () =>
    Effect.gen(function* () {
      yield* dayBack()
      yield* save()
      expect(yield* next).toBe("1970-01-01T12:01:00.000Z")
      yield* dayBack()
      yield* disable.run({ name: "s", reason: Option.none() }, DOOR.actor)
      yield* enable.run({ name: "s" }, DOOR.actor)
      expect(yield* next).toBe("1970-01-01T12:01:00.000Z")
    }).pipe(Effect.provide(quiet))
  )
})
