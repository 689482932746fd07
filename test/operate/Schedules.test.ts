import { describe, expect } from "bun:test"
import { DateTime, Effect, Option, Schema, TestClock } from "effect"
import { Sqlite } from "../../layers/store/Sqlite.ts"
import type { KnownSecrets } from "../../src/artifact/KnownSecrets.ts"
import { Invalid } from "../../src/config/Issues.ts"
import { Refusal } from "../../src/operate/Refusal.ts"
import { create, disable, enable, list, remove, show, tick } from "../../src/operate/Schedules.ts"
import { Store } from "../../src/store/Store.ts"
import { DOOR, says, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

const quiet = world({ adapters: { local: says("done") } })

const document = {
  name: "heartbeat",
  interval_seconds: 305,
  task: { kind: "note", source: "schedule:heartbeat", payload: { check: "heartbeat" } }
}
const made = (changes: object = {}) => create.run({ ...document, ...changes }, DOOR.actor)
const showOf = (name: string) => show.run({ name }, DOOR.actor)
const off = (name: string, reason: Option.Option<string> = Option.none()) =>
  disable.run({ name, reason }, DOOR.actor)
const on = (name: string) => enable.run({ name }, DOOR.actor)
const ticked = (at: Option.Option<DateTime.Utc> = Option.none()) => tick.run({ at }, DOOR.actor)

/** What an operation that answers "no" says. */
const refusalOf = <A, E, R>(asked: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Effect.flip(asked), (error) =>
    error instanceof Refusal ? Effect.succeed(error) : Effect.dieMessage(`no refusal: ${error}`)
  )

const damage = (sql: string) =>
  Effect.flatMap(Sqlite, (sqlite) => sqlite.transact("damage", sqlite.rows({ text: sql, names: [] })))

describe("a schedule", () => {
  it.effect("is saved, listed, shown, ticked and deleted in the shapes of the wire", () =>
    Effect.gen(function* () {
      const saved = Schema.encodeSync(create.output)(yield* made())
      expect(saved).toEqual({
        upserted: true,
        schedule: {
          schedule_id: saved.schedule.schedule_id,
          name: "heartbeat",
          enabled: true,
          interval_seconds: 305,
          cron: null,
          timezone: null,
          next_run_at: "1970-01-01T00:00:00.000Z",
          last_run_at: null,
          last_task_id: null,
          overlap: "skip",
          task: document.task,
          disabled_reason: null,
          created_at: "1970-01-01T00:00:00.000Z",
          updated_at: "1970-01-01T00:00:00.000Z"
        }
      })
      expect(Schema.encodeSync(list.output)(yield* list.run({}, DOOR.actor))).toEqual({
        schedules: [saved.schedule]
      })
      yield* TestClock.adjust("1000 seconds")
      const tickResult = Schema.encodeSync(tick.output)(yield* ticked())
      expect(tickResult).toEqual({
        schedules_evaluated: 1,
        tasks_created: 1,
        task_ids: [expect.any(String)]
      })
      const { fates, schedule } = Schema.encodeSync(show.output)(yield* showOf("heartbeat"))
      expect(schedule.last_task_id).toBe(tickResult.task_ids[0]!)
      const evaluated_at = "1970-01-01T00:16:40.000Z"
      expect(fates).toEqual([
        {
          first_due_at: "1970-01-01T00:05:05.000Z",
          last_due_at: "1970-01-01T00:15:15.000Z",
          missed: 3,
          fate: "coalesced",
          task_id: null,
          task_status: null,
          reason: null,
          evaluated_at
        },
        {
          first_due_at: "1970-01-01T00:00:00.000Z",
          last_due_at: "1970-01-01T00:00:00.000Z",
          missed: 0,
          fate: "fired",
          task_id: tickResult.task_ids[0]!,
          task_status: "pending",
          reason: null,
          evaluated_at
        }
      ])
      expect(yield* remove.run({ name: "heartbeat" }, DOOR.actor)).toEqual({ ok: true, name: "heartbeat" })
      expect((yield* list.run({}, DOOR.actor)).schedules).toEqual([])
    }).pipe(Effect.provide(quiet))
  )

  it.effect("is evaluated at the time that is given, else by the clock", () =>
    Effect.gen(function* () {
      yield* made({ next_run_at: "1970-01-02T00:00:00Z" })
      expect((yield* ticked()).schedulesEvaluated).toBe(0)
      const later = DateTime.unsafeMake("1970-01-02T00:00:00Z")
      expect((yield* ticked(Option.some(later))).tasksCreated).toBe(1)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("is not turned off by a time that is given and leaves it no next one; nothing is evaluated", () =>
    Effect.gen(function* () {
      const end = DateTime.unsafeMake("9999-12-31T23:59:59Z")
      const daily = { interval_seconds: undefined, cron: "0 7 * * *" }
      yield* made({ name: "first" })
      for (const changes of [{}, daily]) {
        yield* made(changes)
        for (const one of [end, DateTime.unsafeMake("9999-12-31T23:59:00Z")]) {
          const error = yield* Effect.flip(ticked(Option.some(one)))
          expect(error).toBeInstanceOf(Invalid)
          expect((error as Invalid).message).toMatch(
            /^--at: .* leaves schedule (first|heartbeat) no next time/
          )
        }
        yield* off("first")
      }
      const { schedules } = yield* list.run({}, DOOR.actor)
      expect(schedules.map(({ enabled, lastRunAt }) => [enabled, Option.isNone(lastRunAt)])).toEqual([
        [false, true],
        [true, true]
      ])
      expect((yield* ticked(Option.some(DateTime.unsafeMake("9999-06-01T00:00:00Z")))).tasksCreated).toBe(1)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("that is wrong is refused as wrong input, and saves nothing", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(made({ interval_seconds: 0 }))
      expect(error).toBeInstanceOf(Invalid)
      expect((yield* list.run({}, DOOR.actor)).schedules).toEqual([])
      const store = yield* Store
      expect(yield* store.events.newest(9)).toEqual([])
    }).pipe(Effect.provide(quiet))
  )

  it.effect("is turned off with a reason and on again, by whoever did it", () =>
    Effect.gen(function* () {
      yield* made()
      const { schedule } = yield* off("heartbeat", Option.some("the sensor is away"))
      expect(schedule).toMatchObject({ enabled: false, disabledReason: Option.some("the sensor is away") })
      expect((yield* ticked()).schedulesEvaluated).toBe(0)
      expect((yield* on("heartbeat")).schedule).toMatchObject({
        enabled: true,
        disabledReason: Option.none()
      })
      const store = yield* Store
      expect((yield* store.events.newest(1))[0]).toMatchObject({
        eventType: "schedule_upserted",
        actor: DOOR.actor,
        detail: { name: "heartbeat", enabled: true, reason: null }
      })
      expect(yield* Effect.flip(off("heartbeat", Option.some(" ")))).toBeInstanceOf(Invalid)
    }).pipe(Effect.provide(quiet))
  )

  for (const [what, change] of [
    ["its record is damaged", "task_json = '{'"],
    ["its cron is none", "interval_seconds = NULL, cron = 'no'"],
    ["its task is no intent", "task_json = '{}'"]
  ] as const)
    it.effect(`is not turned on while ${what}; once it is saved anew it is`, () =>
      Effect.gen(function* () {
        yield* made()
        yield* damage(`UPDATE schedules SET enabled = 0, ${change}`)
        const refusal = yield* refusalOf(on("heartbeat"))
        expect(refusal).toMatchObject({ code: "schedule_invalid", exitCode: 1 })
        expect(refusal.message).toStartWith("schedule heartbeat cannot be turned on: ")
        expect((yield* showOf("heartbeat")).schedule.enabled).toBe(false)
        yield* made({ enabled: false })
        expect((yield* on("heartbeat")).schedule.enabled).toBe(true)
      }).pipe(Effect.provide(quiet))
    )
})

describe("a name that no schedule has", () => {
  for (const name of ["missing", "", "x".repeat(5_000)])
    it.effect(`is refused as not found everywhere (${name.length} characters)`, () =>
      Effect.gen(function* () {
        const asked: ReadonlyArray<Effect.Effect<unknown, unknown, Store | KnownSecrets>> = [
          showOf(name),
          off(name),
          on(name),
          remove.run({ name }, DOOR.actor)
        ]
        for (const one of asked) {
          const refusal = yield* refusalOf(one)
          expect(refusal).toMatchObject({ code: "schedule_not_found", exitCode: 1 })
          expect(refusal.message.length).toBeLessThan(300)
        }
      }).pipe(Effect.provide(quiet))
    )
})
