import { Database } from "bun:sqlite"
import { expect, setDefaultTimeout, test } from "bun:test"
import { Schema } from "effect"
import type { Place } from "../support/binary.ts"
import { errorOf, inPlace, runOnce, scripted, story } from "./inPlace.ts"
import { Events, exactly, Id, Time } from "./wire.ts"

setDefaultTimeout(60_000)

const text = Schema.String
const RecurringSchedule = Schema.Struct({
  schedule_id: Id,
  name: text,
  enabled: Schema.Boolean,
  interval_seconds: Schema.NullOr(Schema.Int),
  cron: Schema.NullOr(text),
  timezone: Schema.NullOr(text),
  next_run_at: Time,
  last_run_at: Schema.NullOr(Time),
  last_task_id: Schema.NullOr(Id),
  overlap: Schema.Literal("skip", "allow"),
  task: Schema.Record({ key: text, value: Schema.Unknown }),
  disabled_reason: Schema.NullOr(text),
  created_at: Time,
  updated_at: Time
})
const Saved = Schema.Struct({ upserted: Schema.Literal(true), schedule: RecurringSchedule })
const Turned = Schema.Struct({ ok: Schema.Literal(true), schedule: RecurringSchedule })
const Listed = Schema.Struct({ schedules: Schema.Array(RecurringSchedule) })
const Shown = Schema.Struct({
  schedule: RecurringSchedule,
  fates: Schema.Array(
    Schema.Struct({
      first_due_at: Time,
      last_due_at: Time,
      missed: Schema.Int,
      fate: Schema.Literal("fired", "skipped_overlap", "coalesced", "refused"),
      task_id: Schema.NullOr(Id),
      task_status: Schema.NullOr(text),
      reason: Schema.NullOr(text),
      evaluated_at: Time
    })
  )
})
const Ticked = Schema.Struct({
  schedules_evaluated: Schema.Int,
  tasks_created: Schema.Int,
  task_ids: Schema.Array(Id)
})

const heartbeat = {
  name: "heartbeat",
  interval_seconds: 305,
  task: { kind: "note", source: "schedule:heartbeat", subject: "Check in", payload: { check: "heartbeat" } }
}

const save = async (place: Place, changes: object = {}) =>
  exactly(
    Saved,
    await place.json(["schedule-create", "--json", JSON.stringify({ ...heartbeat, ...changes })])
  ).schedule
const show = async (place: Place, name = "heartbeat") =>
  exactly(Shown, await place.json(["schedule-show", "--", name]))
const tick = async (place: Place, ...args: ReadonlyArray<string>) =>
  exactly(Ticked, await place.json(["schedule-tick", ...args]))
const list = async (place: Place) => exactly(Listed, await place.json(["schedule-list"])).schedules

test("a schedule is saved, fires once when it is ticked, and says what became of each due time", () =>
  inPlace({}, async (place) => {
    const saved = await save(place)
    expect(saved).toMatchObject({
      ...heartbeat,
      enabled: true,
      overlap: "skip",
      cron: null,
      last_task_id: null
    })
    expect(await list(place)).toEqual([saved])

    const first = await tick(place)
    expect(first).toMatchObject({ schedules_evaluated: 1, tasks_created: 1 })
    const { task } = await story(place, first.task_ids[0]!)
    expect(task).toMatchObject({
      kind: "note",
      source: `schedule:heartbeat:${saved.next_run_at}`,
      subject: "Check in",
      status: "pending",
      untrusted: false
    })
    expect(await tick(place)).toEqual({ schedules_evaluated: 0, tasks_created: 0, task_ids: [] })

    const later = new Date(Date.parse(saved.next_run_at) + 3_600_000).toISOString()
    expect(await tick(place, "--at", later)).toMatchObject({ schedules_evaluated: 1, tasks_created: 0 })
    const { fates, schedule } = await show(place)
    expect(fates.map((one) => [one.fate, one.missed])).toEqual([
      ["coalesced", 10],
      ["skipped_overlap", 0],
      ["fired", 0]
    ])
    expect(fates[1]?.reason).toBe(`its last task ${task.task_id} is pending`)
    expect(fates[2]).toMatchObject({ first_due_at: saved.next_run_at, task_id: task.task_id })
    expect(Date.parse(schedule.next_run_at)).toBe(Date.parse(later) + 305_000)

    const { events } = exactly(Events, await place.json(["events"]))
    expect(events.map((one) => one.event_type)).toEqual([
      "schedule_upserted",
      "task_enqueued",
      "schedule_task_created",
      "schedule_skipped_overlap"
    ])
    expect(events[3]?.detail).toMatchObject({
      name: "heartbeat",
      missed: 10,
      next_run_at: schedule.next_run_at
    })
  }))

test("run-once creates the task of a schedule that is due and runs it", () =>
  inPlace({}, async (place) => {
    await save(place)
    const cycle = await runOnce(place)
    expect(cycle.status).toBe("completed")
    expect((await show(place)).schedule.last_task_id).toBe(cycle.task_id!)
    expect(await runOnce(place)).toEqual({ ok: true, status: "idle" })
  }))

test("a paused runtime still gets its due tasks", () =>
  inPlace({}, async (place) => {
    await save(place)
    await place.json(["pause"])
    expect((await runOnce(place)).status).toBe("paused")
    expect((await show(place)).fates.map((one) => one.fate)).toEqual(["fired"])
  }))

test("of processes that tick at once one creates the task", () =>
  inPlace({}, async (place) => {
    for (let nth = 0; nth < 5; nth++) await save(place, { name: `s${nth}`, overlap: "allow" })
    const ticks = await Promise.all(Array.from({ length: 6 }, () => tick(place)))
    expect(ticks.reduce((sum, one) => sum + one.tasks_created, 0)).toBe(5)
    for (let nth = 0; nth < 5; nth++)
      expect((await show(place, `s${nth}`)).fates.map((one) => one.fate)).toEqual(["fired"])
  }))

test("a schedule is turned off with a reason, on again, and deleted; its name may be any text", () =>
  inPlace({}, async (place) => {
    const name = `--help '"\`$(x) ${"ü".repeat(180)}`
    await save(place, { name })
    const off = ["schedule-disable", "--reason", "the sensor is away", "--", name]
    const { schedule } = exactly(Turned, await place.json(off))
    expect(schedule).toMatchObject({ name, enabled: false, disabled_reason: "the sensor is away" })
    expect(await tick(place)).toMatchObject({ schedules_evaluated: 0 })
    const on = exactly(Turned, await place.json(["schedule-enable", "--", name]))
    expect(on.schedule).toMatchObject({ enabled: true, disabled_reason: null })
    expect(await tick(place)).toMatchObject({ tasks_created: 1 })
    expect(await place.json(["schedule-delete", "--", name])).toEqual({ ok: true, name })
    expect(await list(place)).toEqual([])
    for (const command of ["schedule-show", "schedule-enable", "schedule-disable", "schedule-delete"]) {
      const told = await place.run([command, "-o", "json", "--", name])
      expect({ code: told.code, stdout: told.stdout }).toEqual({ code: 1, stdout: "" })
      expect(errorOf(told)).toMatchObject({ code: "schedule_not_found" })
    }
  }))

test("a schedule that is deleted while its task runs leaves the task to its end", () =>
  inPlace(
    scripted('"$BINARY" schedule-delete heartbeat >/dev/null && echo deleted', {
      inheritEnv: ["BINARY", "AGENT_RUNTIME_CONFIG"]
    }),
    async (place) => {
      await save(place)
      const cycle = await runOnce(place, { env: { BINARY: place.program } })
      expect(cycle.status).toBe("completed")
      expect((await story(place, cycle.task_id!)).task.outcome?.operator_summary).toBe("deleted")
      expect(await list(place)).toEqual([])
    }
  ))

test("a damaged schedule is turned off, visibly, the others go on, and a save mends it", () =>
  inPlace({}, async (place) => {
    for (const name of ["a", "b", "c", "d"]) await save(place, { name })
    const db = new Database(place.path("state", "runtime.db"))
    db.run("UPDATE schedules SET task_json = '{' WHERE name = 'a'")
    db.run("UPDATE schedules SET interval_seconds = NULL, cron = '99 * * * *' WHERE name = 'b'")
    db.run("UPDATE schedules SET next_run_at = 'soon' WHERE name = 'c'")
    db.close()
    const told = await place.run(["schedule-tick"])
    expect(told.code).toBe(0)
    expect(JSON.parse(told.stdout)).toMatchObject({ schedules_evaluated: 4, tasks_created: 1 })
    expect((await list(place)).map((one) => one.enabled)).toEqual([false, false, false, true])
    const { events } = exactly(Events, await place.json(["events"]))
    const damaged = events.filter((one) => one.event_type === "record_quarantined")
    expect(damaged.map((one) => one.detail.name).sort()).toEqual(["a", "b", "c"])
    const refused = await place.run(["schedule-enable", "a", "-o", "json"])
    expect(refused.code).toBe(1)
    expect(errorOf(refused)).toMatchObject({ code: "schedule_invalid" })
    for (const name of ["a", "b", "c"]) expect(await save(place, { name })).toMatchObject({ enabled: true })
    expect(await tick(place)).toMatchObject({ tasks_created: 3 })
  }))
