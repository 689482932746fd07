import { Database } from "bun:sqlite"
import { expect, setDefaultTimeout, test } from "bun:test"
import type { Place } from "../support/binary.ts"
import { inPlace, outcomeOf, queue, runOnce, saying, scripted, story } from "./inPlace.ts"

setDefaultTimeout(60_000)

/** Lets the time of a waiting task come. */
const makeDue = (place: Place, id: string): void => {
  const db = new Database(place.path("state", "runtime.db"))
  db.run("UPDATE tasks SET available_at = '2026-01-01T00:00:00.000Z' WHERE task_id = ?", [id])
  db.close()
}

const secondsBetween = (from: string | null, to: string): number =>
  (Date.parse(to) - Date.parse(from ?? "")) / 1000

test("a failing script is tried again after a doubling back-off until its attempts are used up", () =>
  inPlace(scripted("exit 1", {}, { retryBackoffSeconds: 100, maxAttempts: 3 }), async (place) => {
    const id = await queue(place)
    for (const wait of [100, 200]) {
      expect((await runOnce(place)).status).toBe("retryable_failure")
      const { attempts, events, task, waiting } = await story(place, id)
      const seconds = secondsBetween(attempts.at(-1)?.ended_at ?? null, task.available_at)
      expect(seconds).toBeGreaterThanOrEqual(wait * 0.8 - 1)
      expect(seconds).toBeLessThanOrEqual(wait * 1.2 + 1)
      expect(waiting).toMatchObject({ reason: "not_due", until: task.available_at })
      expect(events.map((one) => one.event_type)).toContain("task_retry_scheduled")
      expect(await runOnce(place)).toEqual({ ok: true, status: "idle" })
      makeDue(place, id)
    }
    expect((await runOnce(place)).status).toBe("blocked")
    const { attempts, task, waiting } = await story(place, id)
    expect(task).toMatchObject({ status: "blocked", attempt_count: 3 })
    expect(task.last_error).toContain("3 of 3 attempts used up")
    expect(attempts.map((one) => one.number)).toEqual([1, 2, 3])
    expect(new Set(attempts.map((one) => one.bundle_hash)).size).toBe(1)
    expect(waiting).toMatchObject({ reason: "operator" })
  }))

test("a task's own max_attempts goes before the configured number", () =>
  inPlace(scripted("exit 1"), async (place) => {
    const { task } = await outcomeOf(place, { max_attempts: 1 })
    expect(task).toMatchObject({ status: "blocked", attempt_count: 1, max_attempts: 1 })
  }))

test("retry_after_seconds does not use up an attempt and cools the adapter down for all its tasks", () =>
  inPlace(
    scripted(
      saying({
        status: "retryable_failure",
        operator_summary: "Too fast.",
        machine_status: "needs_retry",
        retry_after_seconds: 600
      })
    ),
    async (place) => {
      const first = await queue(place, { max_attempts: 1 })
      const second = await queue(place)
      expect(await runOnce(place)).toMatchObject({ status: "retryable_failure", task_id: first })
      const { attempts, events, task } = await story(place, first)
      expect(task).toMatchObject({ status: "retryable_failure", attempt_count: 0 })
      const seconds = secondsBetween(attempts[0]?.ended_at ?? null, task.available_at)
      expect(Math.abs(seconds - 600)).toBeLessThan(5)
      expect(events.map((one) => one.event_type)).toContain("rate_limit_rescheduled")
      expect(await runOnce(place)).toEqual({ ok: true, status: "idle" })
      expect((await story(place, second)).waiting).toMatchObject({
        reason: "cooldown",
        until: task.available_at
      })
    }
  ))

test("words of a rate limit count only where the adapter names its service", () =>
  inPlace(
    {
      config: {
        retryBackoffSeconds: 60,
        adapters: {
          local: { mode: "script", command: "./limited.sh" },
          heartbeat: { mode: "script", command: "./limited.sh", retryHintService: "aibtc" }
        }
      },
      files: { "limited.sh": "#!/bin/sh\necho '429 rate limit: try again in 300 seconds' >&2; exit 1\n" }
    },
    async (place) => {
      const plain = await outcomeOf(place)
      const hinted = await outcomeOf(place, { requested_adapter: "heartbeat" })
      expect(plain.task.attempt_count).toBe(1)
      expect(hinted.task.attempt_count).toBe(0)
      const seconds = secondsBetween(hinted.attempt.ended_at, hinted.task.available_at)
      expect(Math.abs(seconds - 300)).toBeLessThan(5)
    }
  ))
