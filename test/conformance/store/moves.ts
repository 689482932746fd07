import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { WorkflowId } from "../../../src/domain/Ids.ts"
import { Store } from "../../../src/store/Store.ts"
import type { Move } from "../../../src/store/Tasks.ts"
import {
  add,
  at,
  claimed,
  complete,
  find,
  newest,
  Raw,
  settle,
  stampAt,
  taskId,
  text
} from "../../support/store.ts"
import type { Sentence } from "../store.ts"

const block: Move = { _tag: "Block", outcome: Option.none(), error: "stuck" }
const none = Option.none<string>()

/** A task that a settlement brought where a test needs it. */
const brought = (name: string, move: Move, wanted: Parameters<typeof add>[1] = {}) =>
  Effect.gen(function* () {
    yield* add(name, { priority: 50, ...wanted })
    yield* claimed(`of ${name}`)
    yield* settle(`of ${name}`, move)
  })

export const moves = (check: Sentence) => {
  check(
    "cancels a waiting task and a blocked one, and tells where it was",
    Effect.gen(function* () {
      const store = yield* Store
      yield* add("waiting", { due: 60 })
      yield* brought("blocked", block)
      yield* brought("retrying", { _tag: "RetryAt", at: at(60), outcome: Option.none(), error: "x" })
      for (const [name, from] of [
        ["waiting", "pending"],
        ["blocked", "blocked"],
        ["retrying", "retryable_failure"]
      ] as const) {
        const moved = yield* store.tasks.cancel(taskId(name), Option.some("no need"), stampAt(5))
        expect(moved).toMatchObject({ _tag: "Moved", task: { status: "operator_canceled" } })
        expect(text((yield* find(name)).task.finishedAt)).toBe(text(at(5)))
        const [event] = yield* newest(1)
        expect(event).toMatchObject({
          eventType: "task_operator_canceled",
          taskId: Option.some(taskId(name)),
          detail: { from, reason: "no need" }
        })
      }
      expect(yield* store.tasks.nextDue).toEqual(Option.none())
      expect(yield* store.tasks.lanes).toEqual([])
    })
  )

  check(
    "refuses to cancel a running or finished task, names why and changes nothing",
    Effect.gen(function* () {
      const store = yield* Store
      const raw = yield* Raw
      yield* brought("done", complete)
      yield* add("running")
      yield* claimed("a1")
      const before = yield* raw.run("SELECT * FROM tasks UNION ALL SELECT * FROM tasks")
      const history = (yield* newest(100)).length
      const refused = (name: string) => store.tasks.cancel(taskId(name), none, stampAt(9))
      expect(yield* refused("running")).toMatchObject({
        _tag: "Refused",
        task: { taskId: taskId("running") },
        why: `it is running; cancel it with force to stop its processes; test (cli) claimed it at ${text(at(0))}`
      })
      expect(yield* refused("done")).toMatchObject({
        _tag: "Refused",
        why: `it is completed already; test (cli) finished it at ${text(at(0))}`
      })
      expect(yield* refused("none")).toEqual({ _tag: "NotFound" })
      expect(yield* raw.run("SELECT * FROM tasks UNION ALL SELECT * FROM tasks")).toEqual(before)
      expect((yield* newest(100)).length).toBe(history)
    })
  )

  check(
    "remembers who asked to cancel a running task, until its attempt ends",
    Effect.gen(function* () {
      const store = yield* Store
      yield* add("a")
      expect(yield* store.tasks.requestCancel(taskId("a"), none, stampAt(1))).toMatchObject({
        _tag: "Refused",
        why: `it is not running, it is pending; test (cli) queued it at ${text(at(0))}`
      })
      yield* claimed("a1")
      expect(yield* store.tasks.cancelRequested(taskId("a"))).toEqual(Option.none())
      const asked = yield* store.tasks.requestCancel(taskId("a"), Option.some("wrong one"), stampAt(2))
      expect(asked).toMatchObject({ _tag: "Moved", task: { status: "running" } })
      expect(yield* store.tasks.cancelRequested(taskId("a"))).toEqual(
        Option.some({ actor: { surface: "cli", name: "test" }, reason: Option.some("wrong one") })
      )
      const [event] = yield* newest(1)
      expect(event).toMatchObject({ eventType: "task_cancel_requested", detail: { reason: "wrong one" } })
      const second = { at: at(3), actor: { surface: "http", name: "bert" } as const }
      expect(yield* store.tasks.requestCancel(taskId("a"), Option.some("mine"), second)).toMatchObject({
        _tag: "Refused",
        why: `its processes are being stopped already; test (cli) asked to cancel it at ${text(at(2))}`
      })
      expect(yield* newest(1)).toEqual([event!])
      yield* settle("a1", block)
      expect(yield* store.tasks.cancelRequested(taskId("a"))).toEqual(Option.none())
      expect(yield* store.tasks.requestCancel(taskId("none"), none, stampAt(2))).toEqual({ _tag: "NotFound" })
    })
  )

  check(
    "lets one of two operators win, and tells the other who did what and when",
    Effect.gen(function* () {
      const store = yield* Store
      yield* add("a")
      const ada = { at: at(1), actor: { surface: "cli", name: "ada" } as const }
      const bert = { at: at(2), actor: { surface: "http", name: "bert" } as const }
      const a = taskId("a")
      expect((yield* store.tasks.cancel(a, none, ada, { bulk_id: "b1" }))._tag).toBe("Moved")
      expect((yield* newest(1))[0]?.detail).toMatchObject({ bulk_id: "b1" })
      expect(yield* store.tasks.cancel(a, none, bert)).toMatchObject({
        why: `it is operator_canceled already; ada (cli) canceled it at ${text(at(1))}`
      })
      expect((yield* store.tasks.retry(a, none, bert))._tag).toBe("Moved")
      expect((yield* newest(1))[0]?.detail).not.toHaveProperty("bulk_id")
      expect(yield* store.tasks.retry(a, none, ada)).toMatchObject({
        why: `it is pending, which is not an end that can be retried; bert (http) retried it at ${text(at(2))}`
      })
    })
  )

  const ends: ReadonlyArray<readonly [string, Effect.Effect<unknown, unknown, Store>]> = [
    ["blocked", brought("a", block)],
    ["permanent_failure", brought("a", { _tag: "FailForGood", outcome: Option.none(), error: "x" })],
    ["completed", brought("a", complete)],
    [
      "operator_canceled",
      Effect.zipRight(
        add("a"),
        Effect.flatMap(Store, (store) => store.tasks.cancel(taskId("a"), none, stampAt(0)))
      )
    ]
  ]
  for (const [from, bring] of ends)
    check(
      `begins a fresh round of a task that is ${from}`,
      Effect.gen(function* () {
        const store = yield* Store
        const raw = yield* Raw
        yield* bring
        yield* store.tasks.beginRound(taskId("a"), at(1), [])
        const moved = yield* store.tasks.retry(taskId("a"), Option.some("look at the log"), stampAt(30))
        expect(moved).toMatchObject({ _tag: "Moved", task: { status: "pending", attemptCount: 0 } })
        const { task, round } = yield* find("a")
        expect([text(task.availableAt), text(task.finishedAt)]).toEqual([text(at(30)), null])
        expect(round).toMatchObject({
          round: 2,
          notCounted: 0,
          roundStartedAt: Option.none(),
          known: Option.none(),
          note: Option.some("look at the log")
        })
        expect(yield* raw.run("SELECT ready FROM tasks")).toEqual([{ ready: 1 }])
        const [event] = yield* newest(1)
        expect(event).toMatchObject({
          eventType: "task_retried",
          detail: { from, round: 2, note: "look at the log" }
        })
        expect((yield* claimed("again", 31)).round.note).toEqual(Option.some("look at the log"))
      })
    )

  check(
    "keeps the note of a retry through its round and forgets it at the round's end",
    Effect.gen(function* () {
      const store = yield* Store
      yield* brought("a", block)
      yield* store.tasks.retry(taskId("a"), Option.some("hint"), stampAt(1))
      yield* claimed("1", 1)
      yield* settle("1", { _tag: "RetryAt", at: at(1), outcome: Option.none(), error: "x" }, 1)
      expect((yield* claimed("2", 1)).round.note).toEqual(Option.some("hint"))
      yield* settle("2", block, 2)
      expect((yield* find("a")).round.note).toEqual(Option.none())
    })
  )

  check(
    "refuses to retry what is not at an end",
    Effect.gen(function* () {
      const store = yield* Store
      const retry = (name: string) => store.tasks.retry(taskId(name), none, stampAt(9))
      yield* add("a", { dedupeKey: "own" })
      const why = (status: string) =>
        expect.stringContaining(`it is ${status}, which is not an end that can be retried; `)
      expect(yield* retry("a")).toMatchObject({ _tag: "Refused", why: why("pending") })
      yield* claimed("1")
      expect(yield* retry("a")).toMatchObject({ _tag: "Refused", why: why("running") })
      yield* settle("1", { _tag: "RetryAt", at: at(60), outcome: Option.none(), error: "x" })
      expect(yield* retry("a")).toMatchObject({ _tag: "Refused", why: why("retryable_failure") })
      expect(yield* retry("none")).toEqual({ _tag: "NotFound" })
    })
  )

  check(
    "refuses to retry while another unfinished task holds the dedupe key, and names it",
    Effect.gen(function* () {
      const store = yield* Store
      yield* brought("a", complete, { dedupeKey: "k" })
      yield* add("rival", { dedupeKey: "k" })
      expect(yield* store.tasks.retry(taskId("a"), none, stampAt(1))).toMatchObject({
        _tag: "Refused",
        task: { taskId: taskId("a"), status: "completed" },
        why: "task rival, which is not finished, holds its dedupe key"
      })
      yield* store.tasks.cancel(taskId("rival"), none, stampAt(1))
      expect((yield* store.tasks.retry(taskId("a"), none, stampAt(1)))._tag).toBe("Moved")
      expect(yield* store.tasks.retry(taskId("rival"), none, stampAt(1))).toMatchObject({
        _tag: "Refused",
        why: "task a, which is not finished, holds its dedupe key"
      })
    })
  )

  check(
    "refuses to retry while another unfinished task holds the workflow's state, and names it",
    Effect.gen(function* () {
      const store = yield* Store
      const workflow = Option.some({ id: WorkflowId.make(3), template: "t", state: "draft" })
      yield* brought("a", complete, { workflow })
      yield* add("rival", { workflow })
      expect(yield* store.tasks.retry(taskId("a"), none, stampAt(1))).toMatchObject({
        _tag: "Refused",
        why: "task rival, which is not finished, holds its workflow's state"
      })
    })
  )

  check(
    "remembers what was known when a round began, once in a round",
    Effect.gen(function* () {
      const store = yield* Store
      const known = [
        { path: "a.md", sha256: Option.some("1") },
        { path: "b.md", sha256: Option.none<string>() }
      ]
      yield* add("a")
      yield* claimed("1")
      yield* store.tasks.beginRound(taskId("a"), at(1), known)
      yield* store.tasks.beginRound(taskId("a"), at(2), [])
      expect((yield* find("a")).round).toMatchObject({
        roundStartedAt: Option.some(at(1)),
        known: Option.some(known)
      })
      yield* settle("1", { _tag: "RetryAt", at: at(3), outcome: Option.none(), error: "x" }, 3)
      expect((yield* claimed("2", 3)).round.roundStartedAt).toEqual(Option.some(at(1)))
      yield* settle("2", block, 4)
      yield* store.tasks.retry(taskId("a"), none, stampAt(5))
      yield* store.tasks.beginRound(taskId("a"), at(6), [])
      expect((yield* find("a")).round).toMatchObject({
        roundStartedAt: Option.some(at(6)),
        known: Option.some([])
      })
    })
  )
}
