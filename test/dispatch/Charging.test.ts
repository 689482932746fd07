import { describe, expect } from "bun:test"
import { Deferred, Duration, Effect, Option, TestClock } from "effect"
import { scriptSettings } from "../../layers/adapter/ScriptedAdapters.ts"
import { AdapterRegistry, type StopReason } from "../../src/adapter/AdapterRegistry.ts"
import { charge } from "../../src/dispatch/Charging.ts"
import { finish } from "../../src/dispatch/Finish.ts"
import { type WaitsForBudget, waitOf } from "../../src/dispatch/NotStarted.ts"
import { runAttempt } from "../../src/dispatch/RunAttempt.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { next } from "../../src/dispatch/Steps.ts"
import { now } from "../../src/domain/Time.ts"
import * as Tasks from "../../src/operate/Tasks.ts"
import { waiting } from "../../src/operate/Waiting.ts"
import { Store } from "../../src/store/Store.ts"
import { openWorkflow, tasksOf } from "../intake/workflowWorld.ts"
import { it } from "../support/effect.ts"
import { profile } from "../support/settings.ts"
import { ended } from "../support/store.ts"
import { accounts, budget, costs, figures, grant } from "./budgets.ts"
import { makeWorkers, runtime, told, whileDispatching } from "./resident.ts"
import {
  answer,
  attemptsOf,
  DOOR,
  detailsOf,
  failing,
  history,
  queue,
  ran,
  says,
  taskOf,
  typesOf,
  world,
  yields
} from "./world.ts"

const MIDNIGHT = "1970-01-02T00:00:00.000Z"

const why = (id: Parameters<typeof taskOf>[0]) =>
  Effect.map(Effect.flatMap(taskOf(id), waiting), Option.getOrThrow)

const given = (...budgets: ReadonlyArray<ReturnType<typeof budget>>) => ({
  adapters: { local: says("hello"), other: says("hi") },
  settings: { budgets }
})

describe("over a budget of the day", () => {
  it.effect("tasks wait, with the reason and the time when the day is over; then they run", () =>
    Effect.gen(function* () {
      const [first, second] = [yield* queue(), yield* queue()]
      yield* ran
      expect((yield* taskOf(first)).status).toBe("completed")
      expect((yield* runOnce)._tag).toBe("Idle")
      const waits = yield* why(second)
      expect(waits.reason).toBe("budget")
      expect(waits.detail).toBe(
        "budget daily: 1 of 1 attempts spent today, and an attempt sets 1 aside; agent-runtime budget-grant daily --attempts N adds to it"
      )
      expect(String(Option.getOrThrow(waits.until))).toContain(MIDNIGHT)
      yield* TestClock.adjust("1 days")
      yield* ran
      expect((yield* taskOf(second)).status).toBe("completed")
      expect((yield* accounts)[0]).toMatchObject({ spent: 1, reserved: 0 })
    }).pipe(Effect.provide(world(given(budget({ limit: 1 })))))
  )

  it.effect("that is told once, and once more after a grant was used up", () =>
    Effect.gen(function* () {
      for (let number = 0; number < 4; number++) yield* queue()
      yield* ran
      for (let number = 0; number < 3; number++) yield* runOnce
      yield* grant("daily", { attempts: Option.some(1) })
      yield* ran
      for (let number = 0; number < 3; number++) expect((yield* runOnce)._tag).toBe("Idle")
      const types = yield* history
      const seen = types.filter((type) => type.startsWith("budget_"))
      expect(seen).toEqual(["budget_exhausted", "budget_granted", "budget_exhausted"])
    }).pipe(Effect.provide(world(given(budget({ limit: 1 })))))
  )

  it.effect("only what it counts waits, and starves no other task", () =>
    Effect.gen(function* () {
      const held: Array<Parameters<typeof taskOf>[0]> = []
      for (let number = 0; number < 5; number++) held.push(yield* queue({ priority: 9 }))
      yield* ran
      const other = yield* queue({ requestedAdapter: "other" })
      expect((yield* ran).taskId).toBe(other)
      expect((yield* why(held[1]!)).reason).toBe("budget")
      expect(yield* figures).toEqual([["local", 1, 0]])
    }).pipe(Effect.provide(world(given(budget({ per: "adapter", match: Option.some("local"), limit: 1 })))))
  )

  it.effect("each profile has an account of its own where none is named", () =>
    Effect.gen(function* () {
      yield* queue()
      yield* queue({ requestedProfile: "own" })
      const third = yield* queue()
      yield* ran
      yield* ran
      expect((yield* runOnce)._tag).toBe("Idle")
      expect(yield* figures).toEqual([
        ["lumen", 1, 0],
        ["own", 1, 0]
      ])
      yield* grant("daily", { attempts: Option.some(1), subject: Option.some("lumen") })
      expect((yield* ran).taskId).toBe(third)
    }).pipe(
      Effect.provide(
        world({
          adapters: { local: says("hello") },
          settings: {
            budgets: [budget({ per: "profile", limit: 1 })],
            profiles: new Map([
              ["lumen", profile()],
              ["own", profile({ profile_id: "own" })]
            ])
          }
        })
      )
    )
  )

  it.effect("tasks of a workflow wait behind it while others start, though all else is the same", () =>
    Effect.gen(function* () {
      const first = yield* openWorkflow("wallet-onboarding", {}, { key: "one" })
      const second = yield* openWorkflow("wallet-onboarding", {}, { key: "two" })
      yield* ran
      const plain = yield* queue({ priority: 0 })
      expect((yield* ran).taskId).toBe(plain)
      expect((yield* runOnce)._tag).toBe("Idle")
      const waits = [...(yield* tasksOf(first)), ...(yield* tasksOf(second))].filter(
        ({ status }) => status === "pending"
      )
      expect(waits.length).toBeGreaterThan(0)
      for (const task of waits) expect((yield* why(task.taskId)).reason).toBe("budget")
      expect(yield* figures).toEqual([["wallet-onboarding", 1, 0]])
      yield* grant("daily", { attempts: Option.some(1) })
      expect((yield* ran).taskId).not.toBe(plain)
    }).pipe(
      Effect.provide(
        world({
          adapters: { local: yields(answer()) },
          settings: { budgets: [budget({ per: "workflow", limit: 1 })] }
        })
      )
    )
  )

  it.effect("a resident dispatcher goes on by itself when the day is over, and at once after a grant", () =>
    Effect.gen(function* () {
      const workers = yield* makeWorkers
      yield* Effect.gen(function* () {
        // No loop sleeps for longer than eight seconds.
        yield* TestClock.adjust(Duration.seconds(86_400 - 5))
        for (let number = 0; number < 3; number++) yield* queue()
        yield* whileDispatching(() =>
          Effect.gen(function* () {
            yield* workers.end((yield* workers.begun).taskId)
            yield* told("budget_exhausted")
            expect(yield* workers.waiting).toBe(0)
            yield* grant("daily", { attempts: Option.some(1) })
            yield* workers.end((yield* workers.begun).taskId)
            yield* told("budget_exhausted", 2)
            yield* TestClock.adjust("5 seconds")
            yield* workers.end((yield* workers.begun).taskId)
            yield* told("task_finished", 3)
          })
        )
      }).pipe(
        Effect.provide(
          runtime({ adapters: { local: workers.act }, settings: { budgets: [budget({ limit: 1 })] } })
        )
      )
    })
  )
})

describe("what an attempt sets aside", () => {
  it.effect("is the mean of those before, else a tenth, and never more than the whole", () =>
    Effect.gen(function* () {
      const asideFor = (cost: number) =>
        Effect.gen(function* () {
          yield* TestClock.adjust("1 days")
          yield* queue({ payload: { cost } })
          const { claimed } = yield* taken
          const [account] = yield* accounts
          yield* runAttempt(claimed, yield* Deferred.make<StopReason>())
          return account?.reserved
        })
      const asides = []
      for (const cost of [4, 8, 0, 1_000, 0]) asides.push(yield* asideFor(cost))
      expect(asides).toEqual([1, 4, 6, 4, 10])
    }).pipe(
      Effect.provide(
        world({
          adapters: {
            local: (job) => Effect.succeed({ lastMessage: "done", usage: costs(Number(job.payload.cost)) })
          },
          settings: { budgets: [budget({ unit: "usd", limit: 10 })] }
        })
      )
    )
  )

  it.effect("goes to the fallback that runs instead, and what it costs with it", () =>
    Effect.gen(function* () {
      const id = yield* queue({ requestedAdapter: "first" })
      yield* ran
      expect((yield* attemptsOf(id))[0]).toMatchObject({ adapterId: Option.some("second") })
      expect(yield* figures).toEqual([
        ["first", 0, 0],
        ["second", 0.5, 0]
      ])
    }).pipe(withFallback(10))
  )

  it.effect("keeps a task waiting for the day whose fallback is spent, its attempt not counted", () =>
    Effect.gen(function* () {
      yield* queue({ requestedAdapter: "second" })
      yield* ran
      const id = yield* queue({ requestedAdapter: "first" })
      yield* ran
      const task = yield* taskOf(id)
      expect([task.status, task.attemptCount]).toEqual(["retryable_failure", 0])
      expect(String(task.availableAt)).toContain(MIDNIGHT)
      expect(yield* figures).toEqual([
        ["first", 0, 0],
        ["second", 0.5, 0]
      ])
      expect((yield* why(id)).reason).toBe("budget")
      yield* grant("daily", { usd: Option.some(1) })
      yield* ran
      expect((yield* taskOf(id)).status).toBe("completed")
    }).pipe(withFallback(0.5))
  )

  it.effect("keeps a task waiting for minutes where what runs may give its fallback something back", () =>
    Effect.gen(function* () {
      yield* queue({ requestedAdapter: "second" })
      const running = yield* taken
      const id = yield* queue({ requestedAdapter: "first" })
      yield* ran
      expect(Option.getOrThrow((yield* why(id)).until).epochMillis).toBeLessThanOrEqual(301_000)
      yield* runAttempt(running.claimed, yield* Deferred.make<StopReason>())
      yield* TestClock.adjust("301 seconds")
      expect((yield* ran).taskId).toBe(id)
    }).pipe(withFallback(0.5))
  )

  it.effect("is judged again where the fallback was spent by another meanwhile", () =>
    Effect.gen(function* () {
      const id = yield* queue({ requestedAdapter: "first" })
      const { claimed } = yield* taken
      yield* queue({ requestedAdapter: "second" })
      yield* ran
      const runs = { adapterId: "second", profileId: "lumen" }
      const waits = yield* Effect.flip(charge(claimed, runs))
      expect(waits).toMatchObject({ _tag: "WaitsForBudget" })
      yield* finish({
        claimed,
        verdict: waitOf(claimed, waits as WaitsForBudget, yield* now),
        end: { ...ended(), exitStatus: Option.none() },
        profile: Option.none(),
        adapter: Option.none()
      })
      expect(yield* why(id)).toMatchObject({ reason: "budget" })
      expect(String(Option.getOrThrow((yield* why(id)).until))).toContain(MIDNIGHT)
    }).pipe(withFallback(0.5))
  )
})

describe("over the budget of a task", () => {
  it.effect("it is blocked with what was spent and the remedy; a grant and a retry go on", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      yield* TestClock.adjust("1 hours")
      yield* ran
      const task = yield* taskOf(id)
      expect(task.status).toBe("blocked")
      expect(Option.getOrThrow(task.lastError)).toBe(
        "budget_exhausted: budget tries: 1 of 1 attempts spent on this task, and an attempt sets 1 aside; agent-runtime budget-grant tries --attempts N adds to it, then retry the task"
      )
      expect((yield* attemptsOf(id))[1]).toMatchObject({ adapterId: Option.none(), status: "finished" })
      expect((yield* why(id)).reason).toBe("operator")
      expect(yield* detailsOf(id, "budget_exhausted")).toMatchObject([{ budget_id: "tries", spent: 1 }])
      // Without a grant the retry finds the same.
      yield* Tasks.retry.run({ id, note: Option.none() }, DOOR.actor)
      yield* ran
      expect((yield* taskOf(id)).status).toBe("blocked")
      yield* grant("tries", { attempts: Option.some(1) })
      yield* Tasks.retry.run({ id, note: Option.none() }, DOOR.actor)
      yield* ran
      expect((yield* taskOf(id)).status).toBe("retryable_failure")
      expect(yield* accounts).toMatchObject([{ id: "tries", spent: 2, granted: 1, taskId: Option.some(id) }])
      expect(yield* typesOf(id)).toContain("budget_granted")
      const store = yield* Store
      expect(yield* store.budgets.ofTask(id)).toMatchObject([{ spent: 2, reserved: 0, granted: 1 }])
    }).pipe(
      Effect.provide(
        world({
          adapters: { local: yields(failing) },
          settings: { budgets: [budget({ id: "tries", window: "task", limit: 1 })] }
        })
      )
    )
  )

  it.effect("a workflow learns of it and stalls", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const id = yield* openWorkflow("wallet-onboarding")
      for (let number = 0; number < 12; number++) {
        yield* runOnce
        yield* TestClock.adjust("2 hours")
      }
      const row = Option.getOrThrow(yield* store.workflows.find(id))
      expect(row.workflow.status).toBe("stalled")
      expect(Option.getOrThrow(row.workflow.stalledReason)).toContain("budget")
    }).pipe(
      Effect.provide(
        world({
          adapters: { local: yields(failing) },
          settings: { budgets: [budget({ id: "tries", window: "task", limit: 1 })] }
        })
      )
    )
  )
})

/** The next task, claimed. */
const taken = Effect.flatMap(next(), (found) =>
  found._tag === "Claimed" ? Effect.succeed(found) : Effect.dieMessage(`nothing was claimed: ${found._tag}`)
)

/** `first` fails its probe, `second` stands in for it at half a dollar; each has a budget of its own. */
const withFallback =
  (limit: number) =>
  <A, E, R>(body: Effect.Effect<A, E, R>) =>
    body.pipe(
      Effect.provideServiceEffect(AdapterRegistry, unfit("first")),
      Effect.provide(
        world({
          adapters: { first: says("no"), second: yields({ lastMessage: "yes", usage: costs(0.5) }) },
          configured: [scriptSettings("first", { fallbackAdapter: Option.some("second") })],
          settings: { budgets: [budget({ per: "adapter", unit: "usd", limit, reserve: Option.some(0.5) })] }
        })
      )
    )

/** The registry in which one adapter fails its probe. */
const unfit = (id: string) =>
  Effect.map(AdapterRegistry, (registry) => ({
    ...registry,
    get: (one: string) =>
      Option.map(registry.get(one), (adapter) =>
        one === id
          ? { ...adapter, probe: Effect.succeed({ ok: false, reason: "away", remedy: "", warnings: [] }) }
          : adapter
      )
  }))
