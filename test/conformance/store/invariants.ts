import { expect } from "bun:test"
import { Effect, FastCheck, Option } from "effect"
import { TaskStatus } from "../../../src/domain/Task.ts"
import { Store } from "../../../src/store/Store.ts"
import type { Move } from "../../../src/store/Tasks.ts"
import {
  add,
  at,
  attemptId,
  claim,
  nextQuestionId,
  outcome,
  Raw,
  settle,
  stampAt,
  taskId
} from "../../support/store.ts"
import type { Sentence } from "../store.ts"

const TASKS = ["a", "b", "c", "d"]

const block: Move = { _tag: "Block", outcome: Option.none(), error: "x" }

const move: FastCheck.Arbitrary<Move> = FastCheck.oneof(
  FastCheck.constant<Move>({ _tag: "Complete", outcome: outcome() }),
  FastCheck.constant(block),
  FastCheck.constant<Move>({ _tag: "FailForGood", outcome: Option.none(), error: "x" }),
  FastCheck.integer({ min: -5, max: 50 }).map((seconds): Move => {
    return { _tag: "RetryAt", at: at(seconds), outcome: Option.none(), error: "x" }
  }),
  FastCheck.integer({ min: -5, max: 50 }).map((seconds): Move => {
    return { _tag: "SnoozeUntil", at: at(seconds), outcome: Option.none(), error: "x" }
  }),
  FastCheck.boolean().map((counted): Move => ({ _tag: "PutBack", counted, error: "x" })),
  FastCheck.constant<Move>({ _tag: "Cancel", reason: "x" })
)

type Named = "add" | "cancel" | "retry" | "ask" | "answer" | "expire" | "beginRound"
type Step =
  | { readonly do: Named; readonly task: string }
  | { readonly do: "claim" | "promote"; readonly task: string }
  | { readonly do: "settle"; readonly nth: number; readonly move: Move }

const task = FastCheck.constantFrom(...TASKS)
const step: FastCheck.Arbitrary<Step> = FastCheck.oneof(
  FastCheck.record({
    do: FastCheck.constantFrom<Named>(
      "add",
      "add",
      "cancel",
      "retry",
      "ask",
      "answer",
      "answer",
      "expire",
      "beginRound"
    ),
    task
  }),
  FastCheck.record({ do: FastCheck.constantFrom<"claim" | "promote">("claim", "claim", "promote"), task }),
  FastCheck.record({ do: FastCheck.constant("settle" as const), nth: FastCheck.nat(20), move }),
  FastCheck.record({ do: FastCheck.constant("settle" as const), nth: FastCheck.constant(0), move }),
  FastCheck.constant({ do: "settle" as const, nth: 0, move: block })
)

/** From where to where a task may go (SPEC.md section 3). */
const LEGAL: Readonly<Record<string, ReadonlyArray<string>>> = {
  pending: ["running", "operator_canceled"],
  running: ["completed", "retryable_failure", "permanent_failure", "blocked", "operator_canceled"],
  retryable_failure: ["running", "operator_canceled"],
  blocked: ["pending", "operator_canceled"],
  completed: ["pending"],
  permanent_failure: ["pending"],
  operator_canceled: ["pending"]
}

/** The statuses that each kind of event can leave its task in. */
const LEAVES: Readonly<Record<string, ReadonlyArray<string>>> = {
  task_enqueued: ["pending"],
  task_claimed: ["running"],
  task_retried: ["pending"],
  task_retry_scheduled: ["retryable_failure"],
  rate_limit_rescheduled: ["retryable_failure"],
  dispatch_drained: ["retryable_failure"],
  task_operator_canceled: ["operator_canceled"],
  task_finished: ["completed", "blocked", "permanent_failure"]
}

const run = (steps: ReadonlyArray<Step>) =>
  Effect.gen(function* () {
    const store = yield* Store
    const raw = yield* Raw
    yield* raw.run("CREATE TABLE moved (task_id TEXT, before TEXT, after TEXT)")
    yield* raw.run(
      `CREATE TRIGGER moves AFTER UPDATE OF status ON tasks WHEN NEW.status <> OLD.status BEGIN
         INSERT INTO moved VALUES (NEW.task_id, OLD.status, NEW.status); END`
    )
    const attempts: Array<string> = []
    for (const [index, one] of steps.entries()) {
      const now = index
      if (one.do === "claim") {
        const found = yield* claim(`attempt ${index}`, now)
        if (found._tag === "Claimed") attempts.unshift(`attempt ${index}`)
      } else if (one.do === "promote") yield* store.tasks.promote(at(now))
      else if (one.do === "settle") {
        const attempt = attempts[one.nth % Math.max(1, attempts.length)]
        if (attempt !== undefined) yield* settledBy(attempt, one, now)
      } else if (one.do === "add") {
        const there = Option.isSome(yield* store.tasks.find(taskId(one.task)))
        if (!there) yield* add(one.task, { dedupeKey: one.task < "c" ? "shared" : one.task }, now)
      } else if (one.do === "cancel") yield* store.tasks.cancel(taskId(one.task), Option.none(), stampAt(now))
      else if (one.do === "retry") yield* store.tasks.retry(taskId(one.task), Option.none(), stampAt(now))
      else if (one.do === "ask")
        yield* store.tasks.requestCancel(taskId(one.task), Option.none(), stampAt(now))
      else if (one.do === "beginRound") yield* store.tasks.beginRound(taskId(one.task), at(now), [])
      else {
        const last = yield* store.questions.lastOf(taskId(one.task))
        if (Option.isNone(last)) continue
        const { questionId } = last.value
        if (one.do === "answer") yield* store.questions.answer(questionId, "yes", stampAt(now))
        else yield* store.questions.expire(questionId, stampAt(now))
      }
    }
    yield* holds
    yield* questionsHold
  })

/** Ends an attempt; of those that end blocked some ask. */
const settledBy = (attempt: string, { move, nth }: Extract<Step, { readonly do: "settle" }>, now: number) =>
  Effect.gen(function* () {
    const store = yield* Store
    const found = yield* store.attempts.find(attemptId(attempt))
    const settled = yield* settle(attempt, move, now)
    if (settled._tag === "Late" || move._tag !== "Block" || nth % 2 === 1 || Option.isNone(found)) return
    const { taskId } = found.value
    const question = { text: "Which?", choices: [] }
    const questionId = yield* nextQuestionId
    yield* store.questions.ask({ questionId, taskId, attemptId: attemptId(attempt), question }, stampAt(now))
  })

/** An open question is of a blocked task, one each; each answer began a round of its own, told once. */
const questionsHold = Effect.gen(function* () {
  const raw = yield* Raw
  const open = yield* raw.run(
    `SELECT t.status, count(*) AS n FROM questions AS q JOIN tasks AS t ON t.task_id = q.task_id
     WHERE q.closed_at IS NULL GROUP BY q.task_id`
  )
  for (const one of open) expect(one).toEqual({ status: "blocked", n: 1 })
  const odd = "(answer IS NULL) <> (answered_at IS NULL) OR (answer IS NOT NULL AND closed_at IS NULL)"
  expect(yield* raw.run(`SELECT question_id FROM questions WHERE ${odd}`)).toEqual([])
  const answered = yield* raw.run(
    "SELECT question_id AS id FROM questions WHERE answer IS NOT NULL ORDER BY 1"
  )
  const told = yield* raw.run(
    `SELECT json_extract(detail_json, '$.question_id') AS id FROM run_events
     WHERE event_type = 'task_retried' AND json_extract(detail_json, '$.answer') IS NOT NULL ORDER BY 1`
  )
  expect(told).toEqual(answered)
})

const holds = Effect.gen(function* () {
  const store = yield* Store
  const raw = yield* Raw
  for (const { before, after } of yield* raw.run("SELECT * FROM moved"))
    expect(LEGAL[String(before)]).toContain(String(after))
  const counts = yield* store.tasks.counts
  for (const status of TaskStatus.literals) {
    const real = yield* raw.run("SELECT count(*) AS n FROM tasks WHERE status = ?1", status)
    expect([status, counts[status]]).toEqual([status, Number(real[0]?.n)])
  }
  const open = "SELECT count(*) FROM attempts AS a WHERE a.task_id = t.task_id AND a.status = 'running'"
  const rows = yield* raw.run(
    `SELECT t.*, (${open}) AS open, (SELECT count(*) FROM attempts AS a WHERE a.task_id = t.task_id) AS attempts,
       (SELECT coalesce(max(number), 0) FROM attempts AS a WHERE a.task_id = t.task_id) AS last FROM tasks AS t`
  )
  for (const row of rows) {
    expect(row.open).toBe(row.status === "running" ? 1 : 0)
    expect(row.last).toBe(row.attempts ?? 0)
    expect(Number(row.attempt_count)).toBeGreaterThanOrEqual(0)
    expect(Number(row.attempt_count) + Number(row.not_counted)).toBeLessThanOrEqual(Number(row.attempts))
    expect(row.finished_at !== null).toBe(
      ["completed", "permanent_failure", "operator_canceled"].includes(String(row.status))
    )
    const told = yield* raw.run(
      `SELECT event_type FROM run_events WHERE task_id = ?1 AND event_type IN
         (${Object.keys(LEAVES).map((type) => `'${type}'`)}) ORDER BY id DESC LIMIT 1`,
      String(row.task_id)
    )
    expect(LEAVES[String(told[0]?.event_type)]).toContain(String(row.status))
  }
  const live = "status IN ('pending', 'running', 'retryable_failure', 'blocked')"
  expect(
    yield* raw.run(`SELECT dedupe_key FROM tasks WHERE ${live} GROUP BY dedupe_key HAVING count(*) > 1`)
  ).toEqual([])
  expect((yield* store.maintenance.health(true)).problems).toEqual([])
})

export const invariants = (check: Sentence) => {
  for (const seed of Array.from({ length: 24 }, (_, index) => index + 1))
    check(
      `keeps its invariants under random moves (seed ${seed})`,
      Effect.suspend(() =>
        run(
          FastCheck.sample(FastCheck.array(step, { minLength: 60, maxLength: 120, size: "max" }), {
            numRuns: 1,
            seed
          })[0]!
        )
      )
    )
}
