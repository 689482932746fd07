import { Database } from "bun:sqlite"
import { expect, setDefaultTimeout, test } from "bun:test"
import { inPlace, queue, runOnce, story } from "./inPlace.ts"
import { exactly, Queued, StatusReport, TaskPage } from "./wire.ts"

setDefaultTimeout(60_000)

const keyed = JSON.stringify({ kind: "note", source: "e2e", payload: { n: 1 }, dedupe_key: "once" })

test("a second intent with the dedupe_key of an unfinished task answers that task and creates none", () =>
  inPlace({}, async (place) => {
    const first = exactly(Queued, await place.json(["intake", "--json", keyed]))
    const second = exactly(Queued, await place.json(["intake", "--json", keyed]))
    expect(second).toEqual({ ...first, queued: false })
    const events = (await story(place, first.task_id)).events.map((one) => one.event_type)
    expect(events).toEqual(["task_enqueued", "task_deduped"])

    expect((await runOnce(place)).status).toBe("completed")
    const third = exactly(Queued, await place.json(["intake", "--json", keyed]))
    expect(third.queued).toBe(true)
    expect(third.task_id).not.toBe(first.task_id)

    const refused = await place.run(["task-retry", first.task_id])
    expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 1, stdout: "" })
    expect(refused.stderr).toContain(third.task_id)
  }))

test("of intents at once with one dedupe_key one is queued, also where none of them found a database", () =>
  inPlace({}, async (place) => {
    const all = await Promise.all(Array.from({ length: 6 }, () => place.json(["intake", "--json", keyed])))
    const answers = all.map((one) => exactly(Queued, one))
    expect(answers.filter((one) => one.queued)).toHaveLength(1)
    expect(new Set(answers.map((one) => one.task_id)).size).toBe(1)
    const { counts } = exactly(StatusReport, await place.json(["status"]))
    expect(counts.queued).toBe(1)
  }))

test("a task with a delay is not run before it is due, and says until when it waits", () =>
  inPlace({}, async (place) => {
    const began = Date.now()
    const later = await queue(place, { schedule: { delay_minutes: 30 } })
    const dated = await queue(place, { available_at: "2099-01-02T03:04:05+02:00" })
    expect(await runOnce(place)).toEqual({ ok: true, status: "idle" })

    const delayed = await story(place, later)
    const minutes = (Date.parse(delayed.task.available_at) - began) / 60_000
    expect(minutes).toBeGreaterThanOrEqual(30)
    expect(minutes).toBeLessThan(31)
    expect(delayed.waiting).toMatchObject({ reason: "not_due", until: delayed.task.available_at })
    expect((await story(place, dated)).task.available_at).toBe("2099-01-02T01:04:05.000Z")

    // The time comes: nothing else changes.
    const db = new Database(place.path("state", "runtime.db"))
    db.run("UPDATE tasks SET available_at = ? WHERE task_id = ?", ["2026-01-01T00:00:00.000Z", later])
    db.close()
    expect(await runOnce(place)).toMatchObject({ status: "completed", task_id: later })
  }))

test("the highest priority goes first, then the oldest", () =>
  inPlace({}, async (place) => {
    const usual = await queue(place)
    const usualToo = await queue(place, { priority: 5 })
    const low = await queue(place, { priority: 0 })
    const high = await queue(place, { priority: 100 })
    const ran: Array<string | undefined> = []
    for (let count = 0; count < 4; count++) ran.push((await runOnce(place)).task_id)
    expect(ran).toEqual([high, usual, usualToo, low])
  }))

test("pages of task-list walk through all that fits the filters, newest first, once", () =>
  inPlace({}, async (place) => {
    const ids: Array<string> = []
    for (let count = 0; count < 5; count++)
      ids.unshift(await queue(place, { kind: count === 2 ? "other" : "note", source: `e2e:${count}` }))
    const list = async (...args: ReadonlyArray<string>) =>
      exactly(TaskPage, await place.json(["task-list", ...args]))
    const seen: Array<string> = []
    let after: ReadonlyArray<string> = []
    for (let page = await list("--limit", "2"); ; page = await list("--limit", "2", ...after)) {
      seen.push(...page.tasks.map((task) => task.task_id))
      if (page.next === null) break
      expect(page.tasks).toHaveLength(2)
      after = ["--after", page.next]
    }
    expect(seen).toEqual(ids)
    const idsOf = async (...args: ReadonlyArray<string>) =>
      (await list(...args)).tasks.map((task) => task.task_id)
    expect(await idsOf("--kind", "other")).toEqual([ids[2]!])
    expect(await idsOf("--source", "e2e:4")).toEqual([ids[0]!])
    expect(await idsOf("--status", "blocked,pending", "--limit=3")).toEqual(ids.slice(0, 3))
    expect(await idsOf("--status", "completed")).toEqual([])
  }))
