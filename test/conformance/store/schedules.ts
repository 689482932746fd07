import { expect } from "bun:test"
import { Effect, Option } from "effect"
import type { DueSchedule, Evaluation, NewFate, NewSchedule } from "../../../src/store/Schedules.ts"
import { Store } from "../../../src/store/Store.ts"
import { actor, add, at, find, newest, stampAt, taskId, text } from "../../support/store.ts"
import type { Sentence } from "../store.ts"

const schedule = (name: string, changes: Partial<NewSchedule> = {}): NewSchedule => ({
  scheduleId: `id-${name}`,
  name,
  intervalSeconds: Option.some(60),
  cron: Option.none(),
  timezone: Option.none(),
  nextRunAt: at(60),
  enabled: true,
  overlap: "skip",
  task: { kind: "note", source: "test", payload: {} },
  ...changes
})

/** Saves a schedule of every minute that is due after one. */
export const save = (name: string, changes: Partial<NewSchedule> = {}, seconds = 0) =>
  Effect.flatMap(Store, ({ schedules }) => schedules.upsert(schedule(name, changes), [], stampAt(seconds)))

/** What is due at a second. */
export const due = (seconds: number, limit = 10) =>
  Effect.flatMap(Store, ({ schedules }) => schedules.due(at(seconds), limit))

export const nameOf = (row: DueSchedule): string => (row._tag === "Due" ? row.schedule.name : row.name)

/** The one that is due. */
const only = (seconds: number) => Effect.map(due(seconds), (rows) => rows[0]!)

/** The fate of the due time at a second: fired, where nothing else is said. */
export const fate = (seconds: number, changes: Partial<NewFate> = {}): NewFate => ({
  firstDueAt: at(seconds),
  lastDueAt: at(seconds),
  missed: 0,
  fate: "fired",
  evaluatedAt: at(199),
  taskId: Option.none(),
  reason: Option.none(),
  ...changes
})

const decided = (row: DueSchedule, changes: Partial<Evaluation> = {}): Evaluation => ({
  scheduleId: row._tag === "Due" ? row.schedule.scheduleId : row.scheduleId,
  fence: row.fence,
  dueAt: at(60),
  missed: 0,
  isExact: true,
  next: Option.some(at(120)),
  taskId: Option.some(taskId("t")),
  fates: [fate(60, { taskId: Option.some(taskId("t")) })],
  ...changes
})

/** Recurring schedules and what became of their due times. */
export const schedules = (check: Sentence) => {
  check(
    "saves a schedule under its name, and over the one that has it",
    Effect.gen(function* () {
      const store = yield* Store
      const first = yield* save("a")
      expect(first).toMatchObject({ scheduleId: "id-a", enabled: true, disabledReason: Option.none() })
      yield* store.schedules.setEnabled("a", false, Option.some("rest"), stampAt(1))
      const again = { scheduleId: "other", intervalSeconds: Option.none(), cron: Option.some("0 0 * * *") }
      const second = yield* save("a", { ...again, nextRunAt: at(90), overlap: "allow" }, 2)
      expect(second).toMatchObject({
        scheduleId: "id-a",
        enabled: true,
        intervalSeconds: Option.none(),
        cron: Option.some("0 0 * * *"),
        overlap: "allow",
        disabledReason: Option.none()
      })
      expect([first.createdAt, second.createdAt, second.updatedAt].map(text)).toEqual(
        [at(0), at(0), at(2)].map(text)
      )
      expect(yield* store.schedules.find("a")).toEqual(Option.some(second))
      expect(yield* store.schedules.sound("a")).toEqual(Option.some(second))
      expect((yield* newest(9)).map((one) => [one.eventType, one.detail])).toEqual([
        ["schedule_upserted", { name: "a", enabled: true, next_run_at: text(at(60)) }],
        ["schedule_upserted", { name: "a", enabled: false, reason: "rest" }],
        ["schedule_upserted", { name: "a", enabled: true, next_run_at: text(at(90)) }]
      ])
    })
  )

  check(
    "lists by name, and answers none for a name that nothing has",
    Effect.gen(function* () {
      const store = yield* Store
      const odd = `'"; DROP TABLE schedules; -- \n ${"ü".repeat(100)}`
      for (const name of ["b", odd, "a"]) yield* save(name)
      expect((yield* store.schedules.list).map((one) => one.name)).toEqual([odd, "a", "b"])
      expect(Option.isSome(yield* store.schedules.find(odd))).toBe(true)
      expect(yield* store.schedules.find("c")).toEqual(Option.none())
      expect(yield* store.schedules.sound("c")).toEqual(Option.none())
      expect(yield* store.schedules.setEnabled("c", true, Option.none(), stampAt(0))).toEqual(Option.none())
      expect(yield* store.schedules.remove("c", stampAt(0))).toBe(false)
      expect(yield* store.schedules.fates("c", 9)).toEqual([])
    })
  )

  check(
    "answers those that are due, earliest first, and when the next one is",
    Effect.gen(function* () {
      const store = yield* Store
      expect(yield* store.schedules.nextDue).toEqual(Option.none())
      yield* save("later", { nextRunAt: at(61) })
      yield* save("second", { nextRunAt: at(60) })
      yield* save("first", { nextRunAt: at(30) })
      yield* save("off", { nextRunAt: at(0), enabled: false })
      expect((yield* due(60)).map(nameOf)).toEqual(["first", "second"])
      expect((yield* due(60, 1)).map(nameOf)).toEqual(["first"])
      expect(yield* due(29)).toEqual([])
      expect(Option.map(yield* store.schedules.nextDue, text)).toEqual(Option.some(text(at(30))))
    })
  )

  check(
    "records a decision with the fates of its due times and an event, once",
    Effect.gen(function* () {
      const store = yield* Store
      yield* save("a")
      yield* add("t")
      const row = yield* only(200)
      const missed = fate(120, { lastDueAt: at(180), missed: 2, fate: "coalesced" })
      const one = decided(row, { missed: 2, next: Option.some(at(260)) })
      const evaluation = { ...one, fates: [...one.fates, missed] }
      expect(yield* store.schedules.evaluated(evaluation, stampAt(200))).toBe(true)
      expect(yield* store.schedules.evaluated(evaluation, stampAt(201))).toBe(false)
      const saved = Option.getOrThrow(yield* store.schedules.find("a"))
      expect(saved.lastTaskId).toEqual(Option.some(taskId("t")))
      expect([text(saved.nextRunAt), text(saved.lastRunAt)]).toEqual([text(at(260)), text(at(200))])
      expect(yield* store.schedules.fates("id-a", 9)).toEqual([
        { ...missed, taskStatus: Option.none(), evaluatedAt: at(199) },
        { ...one.fates[0]!, taskStatus: Option.some("pending"), evaluatedAt: at(199) }
      ])
      expect((yield* store.schedules.fates("id-a", 1)).map((found) => found.fate)).toEqual(["coalesced"])
      expect((yield* newest(9)).filter((event) => event.eventType === "schedule_task_created")).toMatchObject(
        [
          {
            taskId: Option.some(taskId("t")),
            actor,
            detail: { name: "a", due_at: text(at(60)), missed: 2, next_run_at: text(at(260)) }
          }
        ]
      )
    })
  )

  check(
    "tells why a due time made no task, and keeps what ran last",
    Effect.gen(function* () {
      const store = yield* Store
      yield* save("a")
      const why = fate(60, { fate: "refused", reason: Option.some("task t holds its dedupe_key") })
      const evaluation = decided(yield* only(60), { taskId: Option.none(), fates: [why] })
      expect(yield* store.schedules.evaluated(evaluation, stampAt(60))).toBe(true)
      expect(Option.getOrThrow(yield* store.schedules.find("a"))).toMatchObject({
        lastRunAt: Option.none(),
        lastTaskId: Option.none(),
        nextRunAt: at(120)
      })
      expect((yield* newest(1))[0]).toMatchObject({
        eventType: "schedule_skipped_overlap",
        detail: { name: "a", missed: 0, fate: "refused", reason: "task t holds its dedupe_key" }
      })
    })
  )

  check(
    "turns a schedule off that is never due again",
    Effect.gen(function* () {
      const store = yield* Store
      yield* save("a")
      yield* store.schedules.evaluated(decided(yield* only(60), { next: Option.none() }), stampAt(60))
      expect(Option.getOrThrow(yield* store.schedules.find("a"))).toMatchObject({
        enabled: false,
        disabledReason: Option.some("it is never due again")
      })
    })
  )

  for (const [change, program] of [
    ["saved anew", save("a", { task: { kind: "other", source: "test", payload: {} } }, 1)],
    [
      "turned off",
      Effect.flatMap(Store, (store) => store.schedules.setEnabled("a", false, Option.none(), stampAt(1)))
    ],
    ["deleted", Effect.flatMap(Store, (store) => store.schedules.remove("a", stampAt(1)))]
  ] as const)
    check(
      `takes no decision about a schedule that was ${change} since it was read`,
      Effect.gen(function* () {
        const store = yield* Store
        yield* save("a")
        const row = yield* only(60)
        yield* program
        const events = (yield* newest(9)).length
        expect(yield* store.schedules.evaluated(decided(row), stampAt(60))).toBe(false)
        const unfit = { ...decided(row), problem: "it is damaged" }
        expect(yield* store.schedules.quarantine(unfit, stampAt(60))).toBe(false)
        expect(yield* store.schedules.fates("id-a", 9)).toEqual([])
        expect((yield* newest(9)).length).toBe(events)
      })
    )

  check(
    "gives up due times with a save, and says so",
    Effect.gen(function* () {
      const store = yield* Store
      yield* save("a")
      const passed = fate(60, { fate: "refused", reason: Option.some("saved anew") })
      yield* store.schedules.upsert(schedule("a", { nextRunAt: at(90) }), [passed], stampAt(80))
      expect(yield* store.schedules.fates("id-a", 9)).toEqual([{ ...passed, taskStatus: Option.none() }])
    })
  )

  check(
    "turns schedules on and off, and deletes one with its fates but not with its tasks",
    Effect.gen(function* () {
      const store = yield* Store
      yield* save("a")
      yield* add("t")
      yield* store.schedules.evaluated(decided(yield* only(60)), stampAt(60))
      const turn = (enabled: boolean) =>
        Effect.map(
          store.schedules.setEnabled("a", enabled, Option.some("rest"), stampAt(61)),
          Option.getOrThrow
        )
      expect(yield* turn(false)).toMatchObject({ enabled: false, disabledReason: Option.some("rest") })
      expect(yield* due(500)).toEqual([])
      expect(yield* turn(true)).toMatchObject({ enabled: true, disabledReason: Option.none() })
      expect((yield* due(500)).map(nameOf)).toEqual(["a"])
      expect(yield* store.schedules.remove("a", stampAt(62))).toBe(true)
      expect(yield* store.schedules.remove("a", stampAt(62))).toBe(false)
      expect(yield* store.schedules.find("a")).toEqual(Option.none())
      expect(yield* store.schedules.fates("id-a", 9)).toEqual([])
      expect((yield* find("t")).task.status).toBe("pending")
      expect((yield* newest(1))[0]).toMatchObject({
        eventType: "schedule_upserted",
        detail: { name: "a", deleted: true }
      })
    })
  )
}
