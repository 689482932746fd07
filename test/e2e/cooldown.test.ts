import { Database } from "bun:sqlite"
import { expect, setDefaultTimeout, test } from "bun:test"
import { rm } from "node:fs/promises"
import type { Place, PlaceOptions } from "../support/binary.ts"
import { isLong } from "../support/breadth.ts"
import { errorOf, inPlace, queue, runOnce, story } from "./inPlace.ts"

setDefaultTimeout(60_000)

const MANY = isLong ? 100_000 : 20_000
const limited = { mode: "script", command: "./limited.sh", retryHintService: "generic" }

/** The adapter `limited` is at its limit while there is a file `limit`; `other` never is. */
const place = (adapters: Readonly<Record<string, unknown>> = {}): PlaceOptions => ({
  config: {
    defaultAdapter: "limited",
    adapters: { limited, other: { mode: "script", command: "/bin/echo", extraArgs: ["fine"] }, ...adapters }
  },
  files: {
    "limited.sh": `#!/bin/sh
[ -e limit ] || { echo fine; exit 0; }
echo 'try again in 3600 seconds' >&2
exit 1
`,
    limit: ""
  }
})

/** The times that a test compares, from what the wire says. */
const secondsFromNow = (time: string | null | undefined): number =>
  (Date.parse(time ?? "") - Date.now()) / 1000

/** Puts `count` tasks for the default adapter in front of whatever else waits. */
const fill = (at: Place, count: number): ((n: number) => string) => {
  const db = new Database(at.path("state", "runtime.db"))
  db.run(
    `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
     INSERT INTO tasks (task_id, kind, source, priority, payload_json, max_attempts, status, created_at, updated_at,
       available_at, lane, ready, created_by_json)
     SELECT printf('00000000-0000-7000-8000-%012d', n), 'note', 'e2e', 90, '{}', 3, 'pending',
       '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', '[null,null,0]', 1,
       '{"surface":"cli","name":"e2e"}' FROM numbers`,
    [count]
  )
  db.close()
  return (n) => `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`
}

const allEvents = async (at: Place) =>
  (
    (await at.json(["events", "--since", "0"])) as {
      events: ReadonlyArray<{
        event_type: string
        task_id: string | null
        attempt_id: string | null
        actor: { surface: string }
        detail: Readonly<Record<string, unknown>>
      }>
    }
  ).events

const cooldowns = async (at: Place) =>
  (await allEvents(at)).filter((event) => event.event_type === "adapter_cooldown")

test("very many tasks behind an adapter that cools down keep none of another adapter from starting at once", () =>
  inPlace(place(), async (at) => {
    const first = await queue(at, { priority: 100 })
    expect(await runOnce(at)).toMatchObject({ status: "retryable_failure", task_id: first })
    const { attempts, task } = await story(at, first)
    expect(task.attempt_count).toBe(0)
    expect(secondsFromNow(task.available_at)).toBeGreaterThan(3_500)
    expect(await cooldowns(at)).toMatchObject([
      {
        task_id: first,
        attempt_id: attempts[0]?.attempt_id,
        detail: { adapter_id: "limited", until: task.available_at }
      }
    ])

    const idOf = fill(at, MANY)
    const other = await queue(at, { priority: 0, requested_adapter: "other" })
    expect(await runOnce(at)).toMatchObject({ status: "completed", task_id: other })
    expect(await runOnce(at)).toEqual({ ok: true, status: "idle" })
    for (const n of [1, MANY]) {
      const { waiting } = await story(at, idOf(n))
      expect(waiting).toMatchObject({ reason: "cooldown", until: task.available_at })
      expect(waiting?.detail).toStartWith("adapter limited cools down: ")
      expect(waiting?.detail).toContain("try again in 3600 seconds")
    }
    expect((await story(at, first)).waiting).toMatchObject({ reason: "not_due", until: task.available_at })
  }))

test("adapter-clear ends the wait of all the adapter's tasks, of the one that hit the limit too", () =>
  inPlace(place(), async (at) => {
    const first = await queue(at)
    const second = await queue(at)
    await runOnce(at)
    const before = (await story(at, first)).task.available_at
    expect(await runOnce(at)).toEqual({ ok: true, status: "idle" })
    await rm(at.path("limit"))

    expect(await at.json(["adapter-clear", "limited"])).toEqual({
      ok: true,
      adapter: "limited",
      cleared: true
    })
    const { events, task, waiting } = await story(at, first)
    expect([task.status, task.attempt_count, waiting?.reason]).toEqual([
      "retryable_failure",
      0,
      "no_dispatcher"
    ])
    expect(events.at(-1)).toMatchObject({
      event_type: "rate_limit_rescheduled",
      actor: { surface: "cli" },
      detail: { available_at: task.available_at, reason: "the cool-down of adapter limited was ended" }
    })
    expect((await cooldowns(at)).at(-1)).toMatchObject({
      actor: { surface: "cli" },
      detail: { adapter_id: "limited", cleared: true, until: before }
    })
    expect(await runOnce(at)).toMatchObject({ status: "completed", task_id: first })
    expect(await runOnce(at)).toMatchObject({ status: "completed", task_id: second })

    expect(await at.json(["adapter-clear", "limited"])).toMatchObject({ ok: true, cleared: false })
    expect(await cooldowns(at)).toHaveLength(2)
  }))

test("adapter-clear refuses what is no adapter and names the one that was meant", () =>
  inPlace(place(), async (at) => {
    const told = await at.run(["adapter-clear", "limitd", "-o", "json"])
    expect([told.code, told.stdout]).toEqual([1, ""])
    expect(errorOf(told)).toEqual({
      error: "there is no adapter limitd",
      code: "adapter_not_found",
      hint: "did you mean `limited`?"
    })
  }))

test("a fallback that cools down is passed over; where no other is left it is waited for", () =>
  inPlace(
    place({
      gone: { mode: "script", command: "./gone.sh", fallbackAdapter: "limited" },
      lost: { mode: "script", command: "./gone.sh", fallbackAdapter: "between" },
      between: { ...limited, command: "./gone.sh", fallbackAdapter: "again" },
      again: { ...limited, fallbackAdapter: "other" }
    }),
    async (at) => {
      await queue(at)
      await queue(at, { requested_adapter: "again" })
      for (const _ of [1, 2]) expect((await runOnce(at)).status).toBe("retryable_failure")
      const [first, again] = await cooldowns(at)

      const waits = await queue(at, { requested_adapter: "gone" })
      expect(await runOnce(at)).toMatchObject({ status: "retryable_failure", task_id: waits })
      const waiting = await story(at, waits)
      expect(waiting.task).toMatchObject({ attempt_count: 0 })
      expect(waiting.attempts[0]).toMatchObject({ adapter_id: null })
      expect(waiting.waiting).toMatchObject({ reason: "cooldown", until: waiting.task.available_at })
      expect(waiting.waiting?.detail).toContain(`limited cools down until ${first?.detail.until}`)

      const helped = await queue(at, { requested_adapter: "lost" })
      expect(await runOnce(at)).toMatchObject({ status: "completed", task_id: helped })
      const { attempts, events } = await story(at, helped)
      expect(attempts[0]?.adapter_id).toBe("other")
      const [fallback] = events.filter((event) => event.event_type === "adapter_fallback_used")
      expect(fallback?.attempt_id).toBe(attempts[0]?.attempt_id ?? "?")
      expect(fallback?.detail).toMatchObject({
        intended: "lost",
        used: "other",
        passed_over: [
          { id: "lost", reason: expect.stringContaining("gone.sh") },
          { id: "between", reason: expect.stringContaining("gone.sh") },
          { id: "again", reason: `it cools down until ${again?.detail.until}` }
        ]
      })

      await at.json(["adapter-clear", "limited"])
      const freed = await story(at, waits)
      expect(freed.task.available_at < waiting.task.available_at).toBe(true)
      expect(freed.waiting).toMatchObject({ reason: "no_dispatcher" })
    }
  ))
