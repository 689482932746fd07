import { expect, test } from "bun:test"
import { happenings, lostWords, waysIn } from "../../src/page/task/WorkflowStory.ts"
import type { RunEvent } from "../../src/page/Wire.ts"

let id = 0
const event = (
  event_type: string,
  second: number,
  detail: RunEvent["detail"] = {},
  task_id: string | null = null
): RunEvent => ({
  id: ++id,
  event_type,
  task_id,
  attempt_id: null,
  actor: { surface: "dispatch", name: "vm:7" },
  detail,
  created_at: `2026-04-29T12:00:${String(second).padStart(2, "0")}.000Z`
})

const HISTORY = [
  event("workflow_created", 0, { template: "goal-loop", state: "plan" }),
  event("task_enqueued", 0, { kind: "goal-plan" }, "t1"),
  event("workflow_task_created", 0, { state: "plan" }, "t1"),
  event("task_claimed", 1, {}, "t1"),
  event("bundle_compiled", 1, { bundle_hash: "abc" }, "t1"),
  event("task_started", 1, { adapter_id: "codex" }, "t1"),
  event("task_attempt_finished", 4, { exit_status: "ok" }, "t1"),
  event("task_finished", 4, { status: "blocked", reason: "reported_blocked: no key" }, "t1"),
  event("workflow_transitioned", 9, { from: "plan", to: "execute", signal: "plan_ready" }),
  event("workflow_stalled", 12, { reason: "no_signal: the outcome gave no signal" })
]

test("what happened to a workflow is told once, in words, without what its tasks tell themselves", () => {
  expect(happenings(HISTORY).map(({ taskId, tone, words }) => [words, tone, taskId])).toEqual([
    ["Opened in plan", "waiting", null],
    ["Task for plan queued", "waiting", "t1"],
    ["Started by codex", "running", "t1"],
    ["Task blocked: No key", "blocked", "t1"],
    ["Stalled: The outcome gave no signal", "blocked", null]
  ])
})

test("a way is told with how long the workflow had been where it came from", () => {
  expect(waysIn(HISTORY, "2026-04-29T12:00:00.000Z")).toMatchObject([
    { from: "plan", to: "execute", signal: "plan_ready", stayedMs: 9_000 }
  ])
})

test("a history that was pruned says so, wholly or in part", () => {
  expect(lostWords(HISTORY)).toBeUndefined()
  expect(lostWords(HISTORY.slice(3))).toBe(
    "What happened before was pruned, and the ways that it went then are not drawn."
  )
  expect(lostWords([])).toBe("Its history was pruned: which way it went, and when, is not known any more.")
})
