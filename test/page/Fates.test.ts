import { describe, expect, test } from "bun:test"
import { fateWords, heldBack, LEGEND, taskOf, toneOf } from "../../src/page/Fates.ts"
import type { Fate } from "../../src/page/Wire.ts"

const TASK = "01a22950-f63c-7000-9e3d-9ec9d8a6710c"

const fate = (given: Partial<Fate>): Fate => ({
  first_due_at: "2026-04-29T12:00:00.000Z",
  last_due_at: "2026-04-29T12:00:00.000Z",
  missed: 0,
  fate: "fired",
  task_id: null,
  task_status: null,
  reason: null,
  evaluated_at: "2026-04-29T12:00:00.000Z",
  ...given
})

const skipped = fate({
  fate: "skipped_overlap",
  reason: `the last task was unfinished: its last task ${TASK} is blocked`
})

describe("a due time is marked by what became of it, and of its task", () => {
  const marks: ReadonlyArray<readonly [Partial<Fate>, readonly [string, string]]> = [
    [{ task_id: TASK, task_status: "completed" }, ["completed", "fired, its task completed"]],
    [{ task_id: TASK, task_status: "pending" }, ["waiting", "fired, its task queued"]],
    [{ task_id: TASK, task_status: "running" }, ["running", "fired, its task running"]],
    [{ task_id: TASK, task_status: "blocked" }, ["blocked", "fired, its task blocked"]],
    [{ task_id: TASK, task_status: "permanent_failure" }, ["failed", "fired, its task failed"]],
    [{ task_id: TASK, task_status: "operator_canceled" }, ["canceled", "fired, its task canceled"]],
    [{ task_id: TASK }, ["waiting", "fired, its task was pruned"]],
    [{ fate: "skipped_overlap" }, ["canceled", "skipped: the last task was unfinished"]],
    [{ fate: "coalesced", missed: 3 }, ["paused", "3 due times missed, made up by one run"]],
    [{ fate: "refused" }, ["failed", "refused"]]
  ]
  for (const [given, [tone, words]] of marks)
    test(words, () => {
      expect([toneOf(fate(given)), fateWords(fate(given))]).toEqual([tone as "failed", words])
      expect(LEGEND.map(([known]) => known)).toContain(tone as "failed")
    })
})

test("a due time is about the task that it made, or about the one that held it back", () => {
  expect(taskOf(fate({ task_id: "t1" }))).toBe("t1")
  expect(taskOf(skipped)).toBe(TASK)
  expect(taskOf(fate({ fate: "refused", reason: "the queue is full" }))).toBeUndefined()
})

test("a schedule that is held back says since when, how often and by which task", () => {
  const fired = fate({ first_due_at: "2026-04-29T11:00:00.000Z", task_id: TASK, task_status: "blocked" })
  expect(heldBack([skipped, fate({ fate: "coalesced", missed: 2 }), skipped, fired, skipped])).toEqual({
    count: 2,
    lastFired: "2026-04-29T11:00:00.000Z",
    taskId: TASK,
    ended: false
  })
  expect(heldBack([skipped])).toEqual({ count: 1, lastFired: undefined, taskId: TASK, ended: false })
  for (const [task_status, ended] of [
    ["running", false],
    ["completed", true],
    ["operator_canceled", true],
    // Pruned.
    [null, true]
  ] as const)
    expect(heldBack([skipped, { ...fired, task_status }])).toMatchObject({ count: 1, ended })
  expect(heldBack([fired, skipped])).toBeUndefined()
  expect(heldBack([])).toBeUndefined()
})
