import { describe, expect } from "bun:test"
import { Effect, Option, Schema, TestClock } from "effect"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { now } from "../../src/domain/Time.ts"
import { grant as grantOperation, list } from "../../src/operate/Budgets.ts"
import type { Refusal } from "../../src/operate/Refusal.ts"
import { usage } from "../../src/operate/Usage.ts"
import { Store } from "../../src/store/Store.ts"
import { accounts, budget, costs, grant } from "../dispatch/budgets.ts"
import { DOOR, failing, queue, ran, says, taskOf, world, yields } from "../dispatch/world.ts"
import { lastTaskOf, openWorkflow } from "../intake/workflowWorld.ts"
import { it } from "../support/effect.ts"
import { at, taskId } from "../support/store.ts"

const local = { adapters: { local: says("hello"), other: says("hi") } }
const one = Option.some(1)

const shown = Effect.flatMap(list.run({}, DOOR.actor), Schema.encode(list.output))

const no = (id: string, given: Parameters<typeof grant>[1]) =>
  Effect.map(Effect.flip(Effect.mapError(grant(id, given), (error) => error as Refusal)), (refusal) => [
    refusal.code,
    refusal.exitCode,
    refusal.message
  ])

describe("the budgets", () => {
  it.effect("are all shown, those that were never used too", () =>
    Effect.gen(function* () {
      const task = yield* queue()
      yield* ran
      const common = { granted: 0, reserved: 0, exhausted_at: null }
      const day = {
        window: "day" as const,
        task_id: null,
        window_start: "1970-01-01T00:00:00.000Z",
        opens_at: "1970-01-02T00:00:00.000Z",
        ...common
      }
      expect(yield* shown).toEqual({
        budgets: [
          { id: "daily", subject: null, ...day, unit: "attempts", limit: 10, spent: 1 },
          { id: "each", subject: "local", ...day, unit: "attempts", limit: 10, spent: 1 },
          { id: "named", subject: "other", ...day, unit: "usd", limit: 2, spent: 0 },
          {
            id: "task",
            subject: null,
            window: "task",
            task_id: task,
            window_start: "1970-01-01T00:00:00.000Z",
            opens_at: null,
            ...common,
            unit: "attempts",
            limit: 10,
            spent: 1
          },
          {
            id: "flow",
            subject: null,
            window: "task",
            task_id: null,
            window_start: null,
            opens_at: null,
            ...common,
            unit: "attempts",
            limit: 10,
            spent: 0
          }
        ]
      })
    }).pipe(
      Effect.provide(
        world({
          ...local,
          settings: {
            budgets: [
              budget(),
              budget({ id: "each", per: "adapter" }),
              budget({ id: "named", per: "adapter", match: Option.some("other"), unit: "usd", limit: 2 }),
              budget({ id: "task", window: "task" }),
              budget({ id: "flow", per: "workflow", window: "task" })
            ]
          }
        })
      )
    )
  )

  it.effect("are none where none are configured", () =>
    Effect.gen(function* () {
      expect(yield* shown).toEqual({ budgets: [] })
      expect((yield* no("daily", { usd: one }))[0]).toBe("budget_not_found")
    }).pipe(Effect.provide(world(local)))
  )
})

describe("a grant", () => {
  it.effect("goes to the window of today and not to tomorrow's", () =>
    Effect.gen(function* () {
      const given = yield* Effect.flatMap(
        grant("daily", { attempts: Option.some(5) }),
        Schema.encode(grantOperation.output)
      )
      expect(given).toMatchObject({ ok: true, budgets: [{ id: "daily", limit: 10, granted: 5, spent: 0 }] })
      yield* TestClock.adjust("1 days")
      expect(yield* accounts).toMatchObject([{ granted: 0 }])
    }).pipe(Effect.provide(world({ ...local, settings: { budgets: [budget()] } })))
  )

  it.effect("is refused where it does not fit the budget, with what would", () =>
    Effect.gen(function* () {
      expect(yield* no("dayly", { attempts: one })).toEqual([
        "budget_not_found",
        1,
        "there is no budget dayly"
      ])
      const unfit = "budget daily counts attempts; found"
      expect(yield* no("daily", { usd: one })).toEqual(["grant_unfit", 2, `${unfit} usd`])
      expect(yield* no("daily", {})).toEqual(["grant_unfit", 2, `${unfit} no amount`])
      expect((yield* no("daily", { attempts: one, usd: one }))[2]).toBe(`${unfit} usd and attempts`)
      for (const amount of [0, -1, 1.5, Number.POSITIVE_INFINITY, Number.NaN])
        expect((yield* no("daily", { attempts: Option.some(amount) }))[0]).toBe("grant_unfit")
      const subject = Option.some("local")
      expect((yield* no("daily", { attempts: one, subject }))[0]).toBe("subject_unfit")
      expect((yield* no("daily", { attempts: one, task: subject }))[0]).toBe("subject_unfit")
      expect((yield* no("each", { attempts: one }))[0]).toBe("subject_needed")
      expect((yield* no("tries", { attempts: one }))[0]).toBe("subject_needed")
      expect((yield* no("tries", { attempts: one, task: subject }))[0]).toBe("task_not_found")
      const store = yield* Store
      expect((yield* store.events.newest(9)).length).toBe(0)
    }).pipe(
      Effect.provide(
        world({
          ...local,
          settings: {
            budgets: [
              budget(),
              budget({ id: "each", per: "adapter" }),
              budget({ id: "tries", per: "profile", window: "task" })
            ]
          }
        })
      )
    )
  )

  it.effect("is refused for a subject that the budget cannot count, and no account is opened for it", () =>
    Effect.gen(function* () {
      const hintOf = (id: string, subject: string) =>
        Effect.map(
          Effect.flip(grant(id, { attempts: one, subject: Option.some(subject) })),
          (error) => (error as Refusal).hint
        )
      const typo = Option.some("lokal")
      expect(yield* no("each", { attempts: one, subject: typo })).toEqual([
        "subject_unfit",
        2,
        'subject: found "lokal", which is no adapter; budget each counts each adapter on its own'
      ])
      expect(yield* hintOf("each", "lokal")).toBe("did you mean `local`?")
      expect(yield* hintOf("each", "elsewhere")).toBe("known adapters: local, other")
      expect((yield* no("who", { attempts: one, subject: typo }))[2]).toContain("is no profile")
      expect(yield* hintOf("who", "lumne")).toBe("did you mean `lumen`?")
      expect((yield* no("flow", { attempts: one, subject: typo }))[2]).toContain("is no workflow template")
      expect(yield* hintOf("flow", "goal-lop")).toBe("did you mean `goal-loop`?")
      expect(yield* hintOf("flow", "zzz")).toContain("known workflow templates: community-research")
      expect((yield* accounts).every(({ granted, subject }) => granted === 0 && Option.isNone(subject))).toBe(
        true
      )
      for (const [id, subject] of [
        ["each", "local"],
        ["who", "lumen"],
        ["flow", "goal-loop"]
      ] as const) {
        const given = yield* grant(id, { attempts: one, subject: Option.some(subject) })
        expect(given.budgets).toMatchObject([{ granted: 1, subject: Option.some(subject) }])
      }
    }).pipe(
      Effect.provide(
        world({
          ...local,
          settings: {
            budgets: [
              budget({ id: "each", per: "adapter" }),
              budget({ id: "who", per: "profile" }),
              budget({ id: "flow", per: "workflow" })
            ]
          }
        })
      )
    )
  )

  it.effect("goes to what is no longer configured while it has an account in this window", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const midnight = yield* now
      const gone = { budgetId: "each", subject: "retired", taskId: Option.none(), windowStart: midnight }
      yield* store.budgets.exhausted(gone, {}, Option.none(), { at: midnight, actor: DOOR.actor })
      const given = { attempts: one, subject: Option.some("retired") }
      expect((yield* grant("each", given)).budgets).toMatchObject([{ granted: 1 }])
      yield* TestClock.adjust("1 days")
      expect((yield* no("each", given))[0]).toBe("subject_unfit")
    }).pipe(
      Effect.provide(world({ ...local, settings: { budgets: [budget({ id: "each", per: "adapter" })] } }))
    )
  )

  it.effect("of a budget by workflow and task goes to tasks of such a workflow only", () =>
    Effect.gen(function* () {
      const id = yield* openWorkflow("wallet-onboarding")
      const { taskId: its } = yield* lastTaskOf(id)
      const plain = yield* queue()
      const under = (template: string, task: string) => ({
        attempts: one,
        subject: Option.some(template),
        task: Option.some(task)
      })
      expect(yield* no("flow", under("goal-loop", its))).toEqual([
        "subject_unfit",
        2,
        `task: budget flow counts goal-loop here, and task ${its} is of a workflow of wallet-onboarding`
      ])
      expect((yield* no("flow", under("goal-loop", plain)))[2]).toEndWith(`task ${plain} is of no workflow`)
      expect((yield* grant("flow", under("wallet-onboarding", its))).budgets).toMatchObject([{ granted: 1 }])
    }).pipe(
      Effect.provide(
        world({ ...local, settings: { budgets: [budget({ id: "flow", per: "workflow", window: "task" })] } })
      )
    )
  )

  it.effect("goes to every account that is spent where none is named", () =>
    Effect.gen(function* () {
      for (const requestedAdapter of ["local", "other"]) {
        yield* queue({ requestedAdapter })
        yield* queue({ requestedAdapter })
      }
      yield* ran
      yield* ran
      expect((yield* runOnce)._tag).toBe("Idle")
      const { budgets } = yield* grant("each", { attempts: one })
      expect(budgets.map(({ subject }) => Option.getOrNull(subject))).toEqual(["local", "other"])
      yield* ran
      yield* ran
    }).pipe(
      Effect.provide(
        world({ ...local, settings: { budgets: [budget({ id: "each", per: "adapter", limit: 1 })] } })
      )
    )
  )

  it.effect("of a budget by task goes to the tasks that it holds up, or to the one that is named", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const [first, second] = [yield* queue(), yield* queue()]
      for (let number = 0; number < 2; number++) yield* ran
      yield* TestClock.adjust("1 hours")
      for (let number = 0; number < 2; number++) yield* ran
      expect((yield* taskOf(second)).status).toBe("blocked")
      expect((yield* accounts).map(({ spent, taskId }) => [Option.getOrNull(taskId), spent]).sort()).toEqual(
        [first, second].sort().map((id) => [id, 1])
      )
      yield* grant("tries", { attempts: Option.some(3), task: Option.some(second.slice(0, -1)) })
      const { budgets } = yield* grant("tries", { attempts: one })
      expect(budgets.map(({ taskId }) => taskId)).toEqual([Option.some(first)])
      const granted = (id: typeof first) =>
        Effect.map(store.budgets.ofTask(id), (all) => all.map((account) => account.granted))
      expect([yield* granted(first), yield* granted(second)]).toEqual([[1], [3]])
      expect(
        Object.fromEntries(
          (yield* accounts).map(({ granted, spent, taskId }) => [Option.getOrNull(taskId), [spent, granted]])
        )
      ).toEqual({ [first]: [1, 1], [second]: [1, 3] })
    }).pipe(
      Effect.provide(
        world({
          adapters: { local: yields(failing) },
          settings: { budgets: [budget({ id: "tries", per: "profile", window: "task", limit: 1 })] }
        })
      )
    )
  )
})

describe("a budget by task", () => {
  const settings = { budgets: [budget({ id: "tries", window: "task", limit: 1 })] }

  it.effect(
    "shows the tasks that used it, ended ones too, the last used first, and in any case what it holds up",
    () =>
      Effect.gen(function* () {
        const tasks = Effect.map(accounts, (all) =>
          all.map((one) => [
            Option.getOrNull(one.taskId),
            one.spent,
            one.granted,
            Option.isSome(one.exhaustedAt)
          ])
        )
        expect(yield* tasks).toEqual([[null, 0, 0, false]])
        const held = yield* queue()
        yield* ran
        yield* TestClock.adjust("1 hours")
        yield* ran
        const done = yield* queue({ requestedAdapter: "other" })
        yield* ran
        expect([(yield* taskOf(held)).status, (yield* taskOf(done)).status]).toEqual(["blocked", "completed"])
        expect(yield* tasks).toEqual([
          [done, 1, 0, false],
          [held, 1, 0, true]
        ])
        const store = yield* Store
        for (let number = 0; number < 49; number++)
          yield* store.budgets.grant(
            { budgetId: "tries", subject: "", taskId: Option.some(taskId(`t${number}`)), windowStart: at(0) },
            { unit: "attempts", amount: 1, opensAt: Option.none() },
            { at: yield* now, actor: DOOR.actor }
          )
        const many = yield* tasks
        expect(many.slice(0, 2)).toEqual([
          [taskId("t48"), 0, 1, false],
          [taskId("t47"), 0, 1, false]
        ])
        expect(many.slice(-2)).toEqual([
          [done, 1, 0, false],
          [held, 1, 0, true]
        ])
        yield* TestClock.adjust("1 seconds")
        yield* grant("tries", { attempts: one })
        expect((yield* tasks).find(([id]) => id === held)).toEqual([held, 1, 1, false])
        expect(yield* tasks).toHaveLength(50)
        expect((yield* no("tries", { attempts: one }))[2]).toBe("no task waits for budget tries")
      }).pipe(Effect.provide(world({ adapters: { local: yields(failing), other: says("hello") }, settings })))
  )
})

it.effect("usage is told by day and adapter, of so many days", () =>
  Effect.gen(function* () {
    yield* queue()
    yield* ran
    yield* TestClock.adjust("1 days")
    yield* queue()
    yield* queue()
    yield* ran
    yield* ran
    const told = (days: number) =>
      Effect.flatMap(usage.run({ days }, DOOR.actor), Schema.encode(usage.output))
    const row = { adapter_id: "local", input_tokens: 0, output_tokens: 0, cached_tokens: 0 }
    const today = { ...row, day: "1970-01-02", attempts: 2, cost_usd: 1 }
    expect(yield* told(1)).toEqual({ usage: [today] })
    expect(yield* told(30)).toEqual({
      usage: [today, { ...row, day: "1970-01-01", attempts: 1, cost_usd: 0.5 }]
    })
  }).pipe(Effect.provide(world({ adapters: { local: yields({ lastMessage: "x", usage: costs(0.5) }) } })))
)
