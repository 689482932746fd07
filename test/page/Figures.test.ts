import { expect, test } from "bun:test"
import { durations, hoursBefore, quantile, throughput, topOf } from "../../src/page/Figures.ts"
import type { Task } from "../../src/page/Wire.ts"

const NOW = Date.parse("2026-04-29T12:30:00.000Z")

const ended = (status: Task["status"], finished: string, seconds: number): Task => ({
  task_id: finished,
  kind: "note",
  source: "test",
  subject: null,
  description: null,
  priority: 5,
  payload: {},
  requested_profile: null,
  requested_adapter: null,
  requested_model: null,
  max_attempts: 3,
  status,
  attempt_count: 1,
  created_at: finished,
  updated_at: finished,
  available_at: finished,
  started_at: new Date(Date.parse(finished) - seconds * 1_000).toISOString(),
  finished_at: finished,
  outcome: null,
  last_error: null,
  parent_task_id: null,
  workflow_id: null,
  untrusted: false
})

const TASKS = [
  ended("completed", "2026-04-29T12:10:00.000Z", 2),
  ended("completed", "2026-04-29T12:20:00.000Z", 4),
  ended("permanent_failure", "2026-04-29T12:25:00.000Z", 60),
  ended("completed", "2026-04-29T11:59:59.999Z", 8),
  ended("completed", "2026-04-28T11:00:00.000Z", 1)
]

const label = (hour: number) => new Date(hour).toISOString().slice(11, 16)

test("what ended is counted in its hour, what went wrong apart from what went well", () => {
  expect(throughput(TASKS, hoursBefore(NOW, 3), label)).toEqual([
    { label: "10:00", parts: [0, 0] },
    { label: "11:00", parts: [1, 0] },
    { label: "12:00", parts: [2, 1] }
  ])
})

test("an hour is told by its median and by what the slowest took beyond it", () => {
  expect(durations(TASKS, hoursBefore(NOW, 1), label)).toEqual([{ label: "12:00", parts: [4_000, 56_000] }])
})

test("a share of the values lies below its quantile; nothing has none", () => {
  expect(quantile([5, 1, 3], 0.5)).toBe(3)
  expect(quantile([1, 2, 3, 4], 0.95)).toBe(4)
  expect(quantile([], 0.5)).toBeUndefined()
})

test("a scale ends at a round figure that is not below what it shows", () => {
  expect([0, 1, 3, 12, 99, 100, 101].map(topOf)).toEqual([1, 1, 5, 20, 100, 100, 200])
})
