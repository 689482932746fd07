import { expect, test } from "bun:test"
import { answeredWords, workedMs } from "../../src/page/task/Answered.ts"
import type { Attempt, RunEvent } from "../../src/page/Wire.ts"

const event = (event_type: string, detail: RunEvent["detail"] = {}): RunEvent => ({
  id: 1,
  event_type,
  task_id: "t1",
  attempt_id: null,
  actor: { surface: "http", name: "maria" },
  detail,
  created_at: "2026-04-29T12:00:00.000Z"
})

const BLOCKED = event("task_finished", { status: "blocked", reason: "reported_blocked: two ways are open" })
const ANSWERED = event("task_retried", { question_id: 1, answer: "red" })

test("a round that an answer began says with which, until it has ended", () => {
  expect(answeredWords({ events: [BLOCKED, ANSWERED, event("task_claimed")] })).toBe("maria answered “red”.")
  expect(answeredWords({ events: [BLOCKED, event("task_retried", { note: "try it" })] })).toBeUndefined()
  expect(answeredWords({ events: [BLOCKED, ANSWERED, BLOCKED] })).toBeUndefined()
  expect(answeredWords({ events: [] })).toBeUndefined()
})

const attempt = (started_at: string, ended_at: string | null) => ({ started_at, ended_at }) as Attempt

test("what a task took is the time of its attempts, not the wait for an operator between them", () => {
  const attempts = [
    attempt("2026-04-29T12:00:00.000Z", "2026-04-29T12:00:00.400Z"),
    attempt("2026-04-29T12:35:29.000Z", null)
  ]
  expect(workedMs({ attempts }, Date.parse("2026-04-29T12:35:29.500Z"))).toBe(900)
})
