import { describe, expect } from "bun:test"
import { DateTime, Effect, Option, TestClock } from "effect"
import { disable, enable } from "../../src/operate/Schedules.ts"
import { Scheduler } from "../../src/schedule/Scheduler.ts"
import { Store } from "../../src/store/Store.ts"
import { DOOR, says, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import { iso, lastEvents, lines, save, scheduleOf, tickNow } from "./schedules.ts"

const quiet = world({ adapters: { local: says("done") } })

const DAY = 86_400_000

const next = Effect.map(scheduleOf(), ({ nextRunAt }) => iso(nextRunAt))
const putRight = Effect.flatMap(Scheduler, (scheduler) => scheduler.putRight)
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
