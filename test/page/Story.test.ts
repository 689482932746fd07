import { describe, expect, test } from "bun:test"
import { barsOf, chosen, endOf, momentsOf, neverBegan, reasonBelow } from "../../src/page/task/Story.ts"
import type { Attempt, RunEvent } from "../../src/page/Wire.ts"

const NOW = Date.parse("2026-04-29T12:00:10.000Z")

const attempt = (given: Partial<Attempt> = {}): Attempt => ({
  attempt_id: "a1",
  task_id: "t1",
  number: 1,
  runner_id: "vm:1:2026-04-29T11:00:00.000Z",
  host: "vm",
  profile_id: null,
  adapter_id: "local",
  adapter_mode: "script",
  model: null,
  status: "finished",
  started_at: "2026-04-29T12:00:00.000Z",
  ended_at: "2026-04-29T12:00:05.000Z",
  exit_status: "ok",
  retry_class: "none",
  reason: null,
  bundle_id: null,
  bundle_hash: null,
  replay_grade: null,
  usage: { input_tokens: null, output_tokens: null, cached_tokens: null, cost_usd: null },
  issues: [],
  prompt_path: null,
  ...given
})

const event = (event_type: string, at: string, detail: RunEvent["detail"] = {}): RunEvent => ({
  id: 1,
  event_type,
  task_id: "t1",
  attempt_id: null,
  actor: { surface: "cli", name: "maria" },
  detail,
  created_at: `2026-04-29T12:00:0${at}Z`
})

describe("an attempt ended", () => {
  const ends: ReadonlyArray<readonly [Partial<Attempt>, readonly [string, string]]> = [
    [{}, ["completed", "completed"]],
    [{ reason: "completed: all is well" }, ["completed", "completed"]],
    [{ reason: "completed: all is well", issues: ["only the end was read"] }, ["completed", "completed"]],
    [{ reason: "reported_blocked: no key" }, ["blocked", "blocked"]],
    [
      { reason: "verification_failed: artifact_missing: it is not there", issues: ["artifact_missing: x"] },
      ["blocked", "not verified"]
    ],
    [{ exit_status: "error", reason: "exit_error: exit code 3" }, ["failed", "exit code 3"]],
    [{ exit_status: "timeout" }, ["failed", "timed out"]],
    [{ exit_status: "canceled" }, ["canceled", "canceled"]],
    [{ exit_status: null, reason: "input_missing: no plan" }, ["blocked", "not started"]],
    [{ status: "running", exit_status: null }, ["running", "running"]]
  ]
  for (const [given, [tone, word]] of ends)
    test(`${word} (${tone})`, () => expect(endOf(attempt(given))).toEqual([tone as "failed", word]))
})

test("an attempt whose adapter never began has no logs to ask for", () => {
  const ended = (given: Partial<Attempt>) => neverBegan(attempt(given))
  expect(ended({ exit_status: null, reason: "artifact_missing: x" })).toBe(true)
  expect(ended({ exit_status: "error", reason: "cannot_start: cannot start: it is not there" })).toBe(true)
  expect(ended({ exit_status: "error", reason: "exit_error: cannot start: the engine" })).toBe(false)
  expect(ended({})).toBe(false)
  expect(ended({ exit_status: null, status: "running" })).toBe(false)
})

test("attempts are bars on one scale; one that runs grows until now", () => {
  expect(barsOf([attempt(), attempt({ status: "running", ended_at: null })], NOW)).toEqual([
    { length: 0.5, ms: 5_000 },
    { length: 1, ms: 10_000 }
  ])
  expect(barsOf([], NOW)).toEqual([])
})

test("a life is told moment by moment, each with the time since the one before", () => {
  const told = momentsOf([
    event("task_enqueued", "0.000"),
    event("task_claimed", "1.500", { runner_id: "vm:7:2026-04-29T11:00:00.000Z" }),
    event("task_finished", "1.500", { status: "blocked", reason: "reported_blocked: no key" }),
    event("something_new", "4.000")
  ])
  expect(told.map(({ after, detail, tone, words }) => [words, tone, after, detail])).toEqual([
    ["Queued", "waiting", undefined, "by maria"],
    ["Claimed", "running", "+1.5 s", "by vm:7"],
    ["Blocked", "blocked", undefined, "No key"],
    ["Something new", "waiting", "+2.5 s", undefined]
  ])
})

test("a reason is said once: not below an attempt and not in the timeline where the task's head says it", () => {
  const blocked = { issues: [], reason: "reported_blocked: no key" }
  expect(reasonBelow(blocked, undefined)).toBe("No key")
  expect(reasonBelow(blocked, "No key")).toBeUndefined()
  expect(reasonBelow({ issues: [], reason: "completed: all is well" }, "all is well")).toBeUndefined()
  expect(
    reasonBelow({ issues: ["artifact_missing: x"], reason: "verification_failed: x" }, undefined)
  ).toBeUndefined()
  const ends = [
    event("task_finished", "1.000", { status: "blocked", reason: "reported_blocked: no key" }),
    event("task_retried", "2.000", { answer: "the south one" })
  ]
  expect(momentsOf(ends, "No key").map(({ detail }) => detail)).toEqual([
    undefined,
    "answered “the south one” · by maria"
  ])
})

test("a parent's life names the follow-ups that it made, and the messages that it put out", () => {
  const child = "01a22950-f63c-7000-9e3d-9ec9d8a6710c"
  const told = momentsOf([
    event("follow_up_created", "1.000", { follow_up_task_id: child }),
    event("follow_up_refused", "1.000", { reason: "the profile does not allow follow-up tasks" }),
    event("outbox_added", "1.000", { outbox_id: "01a22950-f63d-7000-9e3d-9ec9d8a6710c" })
  ])
  expect(told.map(({ detail, taskId, words }) => [words, taskId, detail])).toEqual([
    ["Created follow-up", child, undefined],
    ["Refused", undefined, "The profile does not allow follow-up tasks"],
    ["Message put into the outbox", undefined, "01a22950-f63d"]
  ])
})

test("a task that is put off says for how long, not the moment of another clock", () => {
  const told = momentsOf([
    event("task_retry_scheduled", "1.000", {
      reason: "exit_error: exit code 1",
      available_at: "2026-04-29T12:00:59.000Z"
    })
  ])
  expect(told.map(({ detail, words }) => [words, detail])).toEqual([
    ["Will be tried again", "Exit code 1 · in 58 s"]
  ])
})

test("the attempt that is named is chosen, else the last", () => {
  const attempts = [attempt(), attempt({ attempt_id: "a2", number: 2 })]
  const story = { attempts }
  expect(chosen(story, "a1")?.number).toBe(1)
  expect(chosen(story, "gone")?.number).toBe(2)
})
