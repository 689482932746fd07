import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { Store } from "../../../src/store/Store.ts"
import type { Move } from "../../../src/store/Tasks.ts"
import {
  add,
  at,
  attemptId,
  claimed,
  complete,
  ended,
  eventsOf,
  find,
  newest,
  outcome,
  Raw,
  settle,
  stampAt,
  taskId
} from "../../support/store.ts"
import type { Sentence } from "../store.ts"

const COLUMNS = `status, attempt_count, not_counted, available_at, ready, finished_at, last_error, updated_at,
  outcome_json IS NOT NULL AS has_outcome, cancel_requested_at`
const iso = (seconds: number) =>
  new Date(Date.parse("2026-04-29T07:00:00.000Z") + seconds * 1000).toISOString()

interface Case {
  readonly title: string
  readonly move: Move
  readonly row: Readonly<Record<string, unknown>>
  readonly event: string
  readonly detail: Readonly<Record<string, unknown>>
}

const some = Option.some(outcome("retryable_failure", "not yet"))
const settled = { attempt_count: 1, not_counted: 0, available_at: iso(0), ready: 0, finished_at: iso(20) }

const cases: ReadonlyArray<Case> = [
  {
    title: "completes",
    move: complete,
    row: { ...settled, status: "completed", last_error: null, has_outcome: 1 },
    event: "task_finished",
    detail: { status: "completed", reason: null }
  },
  {
    title: "blocks, which is no end,",
    move: { _tag: "Block", outcome: some, error: "an issue" },
    row: { ...settled, status: "blocked", finished_at: null, last_error: "an issue", has_outcome: 1 },
    event: "task_finished",
    detail: { status: "blocked", reason: "an issue" }
  },
  {
    title: "fails for good",
    move: { _tag: "FailForGood", outcome: Option.none(), error: "cannot start" },
    row: { ...settled, status: "permanent_failure", last_error: "cannot start", has_outcome: 0 },
    event: "task_finished",
    detail: { status: "permanent_failure", reason: "cannot start" }
  },
  {
    title: "cancels",
    move: { _tag: "Cancel", reason: "an operator said so" },
    row: { ...settled, status: "operator_canceled", last_error: "an operator said so", has_outcome: 0 },
    event: "task_operator_canceled",
    detail: { status: "operator_canceled", reason: "an operator said so" }
  },
  {
    title: "retries later",
    move: { _tag: "RetryAt", at: at(80), outcome: some, error: "exit 1" },
    row: {
      ...settled,
      status: "retryable_failure",
      available_at: iso(80),
      finished_at: null,
      last_error: "exit 1",
      has_outcome: 1
    },
    event: "task_retry_scheduled",
    detail: { available_at: iso(80), counted: true, reason: "exit 1" }
  },
  {
    title: "retries at once",
    move: { _tag: "RetryAt", at: at(20), outcome: Option.none(), error: "exit 1" },
    row: {
      ...settled,
      status: "retryable_failure",
      available_at: iso(20),
      ready: 1,
      finished_at: null,
      last_error: "exit 1",
      has_outcome: 0
    },
    event: "task_retry_scheduled",
    detail: { available_at: iso(20), counted: true, reason: "exit 1" }
  },
  {
    title: "snoozes for a rate limit, which takes the attempt back,",
    move: { _tag: "SnoozeUntil", at: at(3_600), outcome: some, error: "429" },
    row: {
      status: "retryable_failure",
      attempt_count: 0,
      not_counted: 1,
      available_at: iso(3_600),
      ready: 0,
      finished_at: null,
      last_error: "429",
      has_outcome: 1
    },
    event: "rate_limit_rescheduled",
    detail: { available_at: iso(3_600), counted: false, reason: "429" }
  },
  {
    title: "puts back after a drain, which takes the attempt back,",
    move: { _tag: "PutBack", counted: false, error: "drained" },
    row: {
      status: "retryable_failure",
      attempt_count: 0,
      not_counted: 1,
      available_at: iso(20),
      ready: 1,
      finished_at: null,
      last_error: "drained",
      has_outcome: 0
    },
    event: "dispatch_drained",
    detail: { available_at: iso(20), counted: false, reason: "drained" }
  },
  {
    title: "puts back after a boot sweep",
    move: { _tag: "PutBack", counted: true, error: "swept" },
    row: {
      ...settled,
      status: "retryable_failure",
      available_at: iso(20),
      ready: 1,
      finished_at: null,
      last_error: "swept",
      has_outcome: 0
    },
    event: "task_retry_scheduled",
    detail: { available_at: iso(20), counted: true, reason: "swept" }
  }
]

export const settlements = (check: Sentence) => {
  for (const { title, move, row, event, detail } of cases)
    check(
      `${title} a task with its attempt, its columns and its events`,
      Effect.gen(function* () {
        const store = yield* Store
        const raw = yield* Raw
        yield* add("a")
        yield* claimed("a1", 10)
        yield* store.tasks.requestCancel(taskId("a"), Option.none(), stampAt(15))
        const answer = yield* settle("a1", move, 20, { ...ended("why"), issues: ["one", "two"] })
        expect(answer).toEqual({ _tag: "Settled", status: (yield* find("a")).task.status })
        expect(yield* raw.run(`SELECT ${COLUMNS} FROM tasks WHERE task_id = 'a'`)).toEqual([
          expect.objectContaining({ ...row, updated_at: iso(20), cancel_requested_at: null })
        ])
        expect(Option.getOrThrow(yield* store.attempts.find(attemptId("a1")))).toMatchObject({
          status: "finished",
          endedAt: Option.some(at(20)),
          exitStatus: Option.some("ok"),
          retryClass: Option.some("none"),
          reason: Option.some("why"),
          issues: ["one", "two"]
        })
        const events = yield* newest(2)
        expect(events.map((one) => [one.eventType, one.detail, text(one.attemptId)])).toEqual([
          ["task_attempt_finished", { exit_status: "ok", reason: "why", issues: ["one", "two"] }, "a1"],
          [event, detail, "a1"]
        ])
        expect(yield* store.tasks.cancelRequested(taskId("a"))).toEqual(Option.none())
      })
    )

  check(
    "shows the outcome of the last attempt, whatever an earlier one said",
    Effect.gen(function* () {
      const store = yield* Store
      yield* add("a")
      yield* claimed("1")
      yield* settle("1", { _tag: "Complete", outcome: outcome("completed", "first") })
      expect(Option.getOrThrow((yield* find("a")).task.outcome).operatorSummary).toBe("first")
      yield* store.tasks.retry(taskId("a"), Option.none(), stampAt(1))
      yield* claimed("2", 1)
      yield* settle("2", { _tag: "FailForGood", outcome: Option.none(), error: "cannot start" }, 2)
      expect((yield* find("a")).task.outcome).toEqual(Option.none())
    })
  )

  check(
    "ignores a late result but for an event that tells it",
    Effect.gen(function* () {
      const raw = yield* Raw
      yield* add("a")
      yield* claimed("a1", 10)
      yield* settle("a1", { _tag: "PutBack", counted: true, error: "swept" }, 20)
      yield* claimed("a2", 21)
      const snapshot = Effect.all([
        raw.run("SELECT * FROM tasks"),
        raw.run("SELECT * FROM attempts ORDER BY number"),
        raw.run("SELECT * FROM usage"),
        raw.run("SELECT * FROM task_counts")
      ])
      const before = yield* snapshot
      expect(yield* settle("a1", complete, 30, ended("late"))).toEqual({ _tag: "Late" })
      expect(yield* settle("never opened", complete, 31)).toEqual({ _tag: "Late" })
      expect(yield* snapshot).toEqual(before)
      const events = yield* newest(2)
      expect(events.map((one) => [one.eventType, text(one.taskId), text(one.attemptId)])).toEqual([
        ["late_result_ignored", "a", "a1"],
        ["late_result_ignored", null, "never opened"]
      ])
      expect(events[0]?.detail).toEqual({ move: "Complete", reason: "late" })
    })
  )

  check(
    "settles an attempt once when two results come at the same time",
    Effect.gen(function* () {
      yield* add("a")
      yield* claimed("a1")
      const [left, right] = yield* Effect.all([settle("a1", complete), settle("a1", complete)], {
        concurrency: "unbounded"
      })
      expect([left._tag, right._tag].sort()).toEqual(["Late", "Settled"])
      expect((yield* eventsOf("a")).filter((type) => type === "task_finished").length).toBe(1)
    })
  )

  check(
    "settles an attempt even when its dispatcher's clock has gone back",
    Effect.gen(function* () {
      yield* add("a")
      yield* claimed("a1", 100)
      expect((yield* settle("a1", complete, 50))._tag).toBe("Settled")
    })
  )

  check(
    "sums usage by day, adapter, profile and model; what is no count of tokens adds nothing and keeps no end away",
    Effect.gen(function* () {
      const store = yield* Store
      const raw = yield* Raw
      const bundle = (attempt: string, number: number) => ({
        bundleId: `b${number}` as never,
        taskId: `t${number}`,
        attemptId: attempt,
        bundleHash: "h",
        bundleVersion: 1,
        profileId: "lumen",
        adapterId: "codex",
        adapterMode: "agent-cli" as const,
        model: Option.some("m"),
        replayGrade: "best_effort" as const,
        relativePath: "b",
        promptRelativePath: "p"
      })
      const paths = { promptPath: "p", stdoutPath: "o", stderrPath: "e", resultPath: "r" }
      for (const number of [1, 2, 3]) {
        yield* add(`t${number}`, {}, number)
        yield* claimed(`a${number}`, number)
        if (number < 3) yield* store.attempts.compiled(bundle(`a${number}`, number), paths, stampAt(number))
        yield* settle(`a${number}`, complete, number, {
          ...ended(),
          usage: {
            inputTokens: Option.some(number === 2 ? 1e19 : 3_000_000_000),
            outputTokens: Option.some(number),
            cachedTokens: Option.none(),
            costUsd: Option.some(0.25)
          }
        })
      }
      expect(yield* raw.run("SELECT * FROM usage")).toEqual([
        {
          day: "2026-04-29",
          adapter_id: "codex",
          profile_id: "lumen",
          model: "m",
          attempts: 2,
          input_tokens: 3_000_000_000,
          output_tokens: 3,
          cached_tokens: 0,
          cost_usd: 0.5
        }
      ])
      const usage = Option.getOrThrow(yield* store.attempts.find(attemptId("a1"))).usage
      expect(usage).toEqual({
        inputTokens: Option.some(3_000_000_000),
        outputTokens: Option.some(1),
        cachedTokens: Option.none(),
        costUsd: Option.some(0.25)
      })
    })
  )
}

const text = (id: Option.Option<string>): string | null => Option.getOrNull(id)
