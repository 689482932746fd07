import { expect } from "bun:test"
import { DateTime, Effect, Option } from "effect"
import { type Usage, unknownUsage } from "../../../src/domain/Usage.ts"
import type { AccountKey, Charge } from "../../../src/store/Budgets.ts"
import { Store } from "../../../src/store/Store.ts"
import type { AttemptEnd, Move } from "../../../src/store/Tasks.ts"
import {
  add,
  at,
  attemptId,
  claimed,
  complete,
  ended,
  newest,
  Raw,
  settle,
  stampAt,
  taskId,
  text
} from "../../support/store.ts"
import type { Sentence } from "../store.ts"

const DAY = DateTime.unsafeMake("2026-04-29T00:00:00.000Z").pipe(DateTime.toUtc)

const key = (changes: Partial<AccountKey> = {}): AccountKey => ({
  budgetId: "daily",
  subject: "codex",
  taskId: Option.none(),
  windowStart: DAY,
  ...changes
})

const charge = (amount: number, changes: Partial<Charge> = {}): Charge => ({
  ...key(),
  unit: "usd",
  limit: 1,
  amount,
  ...changes
})

const reserve = (attempt: string, ...charges: ReadonlyArray<Charge>) =>
  Effect.flatMap(Store, (store) => store.budgets.reserve(attemptId(attempt), charges, stampAt(1)))

/** `spent, reserved, granted` of the day's accounts by budget and subject. */
const day = Effect.flatMap(Store, (store) =>
  Effect.map(store.budgets.ofDay(DAY), (accounts) =>
    Object.fromEntries(
      accounts.map((one) => [`${one.budgetId} ${one.subject}`, [one.spent, one.reserved, one.granted]])
    )
  )
)

const running = (name: string, adapter = "codex", mode = "agent-cli") =>
  Effect.gen(function* () {
    const raw = yield* Raw
    yield* add(name)
    yield* claimed(`${name}1`)
    yield* raw.run(
      "UPDATE attempts SET adapter_id = ?, adapter_mode = ?, profile_id = 'lumen' WHERE attempt_id = ?",
      adapter,
      mode,
      `${name}1`
    )
  })

const usd = (costUsd: number): Usage => ({ ...unknownUsage, costUsd: Option.some(costUsd) })

/** What budgets spend, and the sums of usage. */
export const budgets = (check: Sentence) => {
  check(
    "set aside what attempts may use until there is no room, and settle it with what they used",
    Effect.gen(function* () {
      for (const name of ["a", "b", "c"]) yield* running(name)
      expect(yield* reserve("a1", charge(0.4))).toEqual({ _tag: "Reserved" })
      expect(yield* reserve("b1", charge(0.4))).toEqual({ _tag: "Reserved" })
      expect(yield* reserve("c1", charge(0.4))).toMatchObject({
        _tag: "Over",
        charge: { amount: 0.4 },
        account: { spent: 0, reserved: 0.8, granted: 0 }
      })
      expect(yield* day).toEqual({ "daily codex": [0, 0.8, 0] })
      yield* settle("a1", complete, 2, { ...ended(), usage: usd(0.1) })
      expect(yield* day).toEqual({ "daily codex": [0.1, 0.4, 0] })
      expect(yield* reserve("c1", charge(0.4))).toEqual({ _tag: "Reserved" })
      yield* settle("b1", complete, 2, { ...ended(), usage: usd(0.7) })
      yield* settle("c1", complete, 2, { ...ended(), usage: usd(0.4) })
      expect(yield* day).toEqual({ "daily codex": [1.2, 0, 0] })
      // A late result settles nothing twice.
      yield* settle("c1", complete, 3, { ...ended(), usage: usd(0.4) })
      expect(yield* day).toEqual({ "daily codex": [1.2, 0, 0] })
    })
  )

  check(
    "set aside all of an attempt's charges or none, and in place of those before",
    Effect.gen(function* () {
      yield* running("a")
      yield* running("b")
      const all = (amount: number) => charge(amount, { budgetId: "all", subject: "" })
      yield* reserve("a1", charge(0.5), all(0.9))
      expect((yield* reserve("b1", charge(0.5), all(0.2)))._tag).toBe("Over")
      expect(yield* day).toEqual({ "daily codex": [0, 0.5, 0], "all ": [0, 0.9, 0] })
      // To a fallback; what cannot be moved stays.
      yield* reserve("a1", charge(0.3, { subject: "local" }), all(0.9))
      const moved = { "daily codex": [0, 0, 0], "daily local": [0, 0.3, 0], "all ": [0, 0.9, 0] }
      expect(yield* day).toEqual(moved)
      expect((yield* reserve("a1", charge(2, { subject: "claude" }), all(0.9)))._tag).toBe("Over")
      expect(yield* day).toMatchObject(moved)
      yield* settle("a1", complete)
      expect(yield* day).toMatchObject({ "daily local": [0, 0, 0], "all ": [0, 0, 0] })
      expect(yield* reserve("a1", charge(0.5))).toEqual({ _tag: "Reserved" })
      expect(yield* day).toMatchObject({ "daily codex": [0, 0, 0] })
    })
  )

  const ends: ReadonlyArray<
    readonly [how: string, end: Partial<AttemptEnd>, move: Move, mode: string, spent: number]
  > = [
    ["a sweep", { cutOff: true }, { _tag: "PutBack", counted: true, error: "swept" }, "agent-cli", 0.4],
    ["a sweep of a script", { cutOff: true }, { _tag: "Cancel", reason: "x" }, "script", 0],
    ["a timeout", { exitStatus: Option.some("timeout") }, complete, "ollama-generate", 0.4],
    [
      "a drain",
      { exitStatus: Option.some("canceled") },
      { _tag: "PutBack", counted: false, error: "x" },
      "agent-cli",
      0.4
    ],
    [
      "an error that tells nothing",
      { exitStatus: Option.some("error") },
      { _tag: "Block", outcome: Option.none(), error: "x" },
      "agent-cli",
      0
    ]
  ]
  for (const [how, end, move, mode, spent] of ends)
    check(
      `leave nothing set aside after ${how}`,
      Effect.gen(function* () {
        yield* running("a", "codex", mode)
        yield* reserve(
          "a1",
          charge(0.4),
          charge(1, { budgetId: "tries", unit: "attempts", limit: 5 }),
          charge(3, { budgetId: "tokens", unit: "tokens", limit: 10 })
        )
        yield* settle("a1", move, 2, { ...ended(), ...end })
        expect(yield* day).toEqual({
          "daily codex": [spent, 0, 0],
          "tries codex": [1, 0, 0],
          "tokens codex": [spent === 0 ? 0 : 3, 0, 0]
        })
      })
    )

  check(
    "count nothing for an attempt whose adapter never started",
    Effect.gen(function* () {
      yield* add("a")
      yield* claimed("a1")
      yield* reserve("a1", charge(1, { budgetId: "tries", unit: "attempts" }))
      yield* settle("a1", { _tag: "Block", outcome: Option.none(), error: "no" }, 2, {
        ...ended(),
        exitStatus: Option.none()
      })
      expect(yield* day).toEqual({ "tries codex": [0, 0, 0] })
    })
  )

  check(
    "tell once that an account is spent, until something is granted",
    Effect.gen(function* () {
      const store = yield* Store
      const spent = store.budgets.exhausted(key(), { limit: 1 }, Option.none(), stampAt(1))
      expect([yield* spent, yield* spent]).toEqual([true, false])
      const granted = yield* store.budgets.grant(
        key(),
        { unit: "usd", amount: 0.5, opensAt: Option.none() },
        stampAt(2)
      )
      expect(granted).toMatchObject({ granted: 0.5, exhaustedAt: Option.none() })
      expect(yield* spent).toBe(true)
      expect((yield* newest(9)).map((one) => [one.eventType, one.detail])).toEqual([
        ["budget_exhausted", { ...toldOf(0), limit: 1 }],
        ["budget_granted", { ...toldOf(0.5), unit: "usd", amount: 0.5 }],
        ["budget_exhausted", { ...toldOf(0.5), limit: 1 }]
      ])
      yield* running("a")
      expect(yield* reserve("a1", charge(1.5))).toEqual({ _tag: "Reserved" })
    })
  )

  check(
    "let tasks go with a grant that were put off for this budget until its window opens, and no others",
    Effect.gen(function* () {
      const store = yield* Store
      const opensAt = DateTime.add(DAY, { days: 1 })
      const until = (error: string, later = 0): Move => ({
        _tag: "SnoozeUntil",
        at: DateTime.add(opensAt, { millis: later }),
        outcome: Option.none(),
        error
      })
      const moves: Readonly<Record<string, Move>> = {
        held: until("budget_exhausted: budget daily of codex: 1 of 1", 900),
        another: until("budget_exhausted: budget other of codex: 1 of 1"),
        longer: until("budget_exhausted: budget daily of codex-2: 1 of 1"),
        unlike: until("budget_exhausted: budget daily-2: 1 of 1"),
        limited: until("rate_limited: to be tried again"),
        tomorrow: until("budget_exhausted: budget daily of codex: 1 of 1", 86_400_000)
      }
      for (const [name, move] of Object.entries(moves)) {
        yield* running(name)
        yield* settle(`${name}1`, move, 1)
      }
      yield* store.budgets.grant(key(), { unit: "usd", amount: 1, opensAt: Option.some(opensAt) }, stampAt(2))
      const found = yield* claimed("next", 2)
      expect(found.task.taskId).toBe(taskId("held"))
      expect(text(found.task.availableAt)).toBe(text(at(2)))
      expect(yield* store.tasks.lanes).toEqual([])
      expect((yield* newest(2))[0]).toMatchObject({
        eventType: "rate_limit_rescheduled",
        taskId: Option.some(taskId("held")),
        detail: { reason: "more was granted to budget daily" }
      })
    })
  )

  check(
    "keep days and tasks apart, and tell which tasks an account holds up",
    Effect.gen(function* () {
      const store = yield* Store
      yield* running("a")
      yield* running("b")
      const own = (name: string) => key({ taskId: Option.some(taskId(name)), windowStart: at(0) })
      for (const name of ["a", "b"]) yield* reserve(`${name}1`, charge(0.4), { ...charge(0.4), ...own(name) })
      const held = Effect.map(store.budgets.ofTasks("daily", 9), (accounts) =>
        accounts.map((one) => Option.getOrNull(one.taskId)).sort()
      )
      expect(yield* held).toEqual(["a", "b"].map(taskId))
      expect(yield* day).toEqual({ "daily codex": [0, 0.8, 0] })
      yield* settle("a1", { _tag: "Block", outcome: Option.none(), error: "no" }, 2, {
        ...ended(),
        usage: usd(0.2)
      })
      expect(yield* held).toEqual([taskId("b")])
      yield* store.budgets.exhausted(own("a"), {}, Option.some(attemptId("a1")), stampAt(3))
      expect(yield* held).toEqual(["a", "b"].map(taskId))
      expect((yield* newest(1))[0]).toMatchObject({
        eventType: "budget_exhausted",
        taskId: Option.some(taskId("a")),
        attemptId: Option.some(attemptId("a1"))
      })
      const [account] = yield* store.budgets.ofTask(taskId("a"))
      expect([account?.spent, account?.reserved, text(account!.windowStart)]).toEqual([0.2, 0, text(at(0))])
      yield* store.tasks.cancel(taskId("a"), Option.none(), stampAt(4))
      expect(yield* held).toEqual([taskId("b")])
      const used = (limit: number) =>
        Effect.map(store.budgets.usedByTasks("daily", limit), (accounts) =>
          accounts.map((one) => [Option.getOrNull(one.taskId), one.spent, one.reserved])
        )
      const usedByBoth = [
        [taskId("a"), 0.2, 0],
        [taskId("b"), 0, 0.4]
      ]
      expect([yield* used(9), yield* used(1)]).toEqual([usedByBoth, usedByBoth.slice(0, 1)])
    })
  )

  check(
    "know what the last twenty attempts took that told it",
    Effect.gen(function* () {
      const store = yield* Store
      const raw = yield* Raw
      const told = (name: string, adapter: string, usage: Usage) =>
        Effect.zipRight(running(name, adapter), settle(`${name}1`, complete, 1, { ...ended(), usage }))
      const tokens = { ...unknownUsage, inputTokens: Option.some(100), outputTokens: Option.some(10) }
      for (let number = 10; number < 35; number++) yield* told(`a${number}`, "codex", usd(number))
      yield* told("silent", "codex", unknownUsage)
      yield* told("other", "local", tokens)
      yield* raw.run("UPDATE attempts SET usage_json = '{' WHERE attempt_id = 'a341'")
      expect(yield* store.budgets.mean("adapter", "local", "tokens")).toEqual(Option.some(110))
      expect(yield* store.budgets.mean("adapter", "local", "usd")).toEqual(Option.none())
      expect(yield* store.budgets.mean("profile", "lumen", "tokens")).toEqual(Option.some(110))
      expect(yield* store.budgets.mean("profile", "other", "tokens")).toEqual(Option.none())
      expect(yield* store.budgets.mean("all", "", "tokens")).toEqual(Option.some(110))
      expect(yield* store.budgets.mean("workflow", "goal-loop", "tokens")).toEqual(Option.none())
      // 14..33: the last one is damaged.
      expect(yield* store.budgets.mean("all", "", "usd")).toEqual(Option.some(23.5))
    })
  )

  check(
    "forget what an attempt has set aside when its record of it is damaged, and go on",
    Effect.gen(function* () {
      const raw = yield* Raw
      yield* running("a")
      yield* reserve("a1", charge(0.4))
      yield* raw.run("UPDATE attempts SET reserved_json = '[{' WHERE attempt_id = 'a1'")
      expect((yield* settle("a1", complete))._tag).toBe("Settled")
    })
  )

  check(
    "sum usage by day and adapter, newest day first, from a day on",
    Effect.gen(function* () {
      const store = yield* Store
      const used = (name: string, adapter: string, seconds: number, cost: number) =>
        Effect.zipRight(
          running(name, adapter),
          settle(`${name}1`, complete, seconds, { ...ended(), usage: usd(cost) })
        )
      const DAYS = 86_400
      yield* used("a", "codex", 1, 0.5)
      yield* used("b", "codex", 2, 0.25)
      yield* used("c", "local", 2, 0)
      yield* used("d", "codex", DAYS, 1)
      const sums = (since: number) =>
        Effect.map(store.usage.since(at(since)), (rows) =>
          rows.map((row) => [row.day, row.adapterId, row.attempts, row.costUsd])
        )
      expect(yield* sums(0)).toEqual([
        ["2026-04-30", "codex", 1, 1],
        ["2026-04-29", "codex", 2, 0.75],
        ["2026-04-29", "local", 1, 0]
      ])
      expect((yield* sums(DAYS)).length).toBe(1)
      expect(yield* sums(2 * DAYS)).toEqual([])
    })
  )
}

const toldOf = (granted: number) => ({
  budget_id: "daily",
  subject: "codex",
  window_start: "2026-04-29T00:00:00.000Z",
  spent: 0,
  reserved: 0,
  granted
})
