import { expect } from "bun:test"
import { Effect, Exit, TestClock } from "effect"
import { runnerOf } from "../../layers/Memory.ts"
import { Runner } from "../../src/dispatch/Runner.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { RunnerId, type WorkflowId } from "../../src/domain/Ids.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import { Store } from "../../src/store/Store.ts"
import { answer, world } from "../dispatch/world.ts"
import { isLong } from "../support/breadth.ts"
import { it } from "../support/effect.ts"
import { openWorkflow, runDry, storyOf, workflowOf } from "./workflowWorld.ts"

interface Life {
  /** So many steps of the store it lives; every one after that dies. */
  left: number
}

const step = (life: Life) =>
  Effect.suspend(() => (life.left-- > 0 ? Effect.void : Effect.dieMessage("the process is dead")))

/** A part of the store each of whose calls is a step of a process that may die before it. */
const mortalPart = <A extends object>(part: A, life: Life): A =>
  new Proxy(part, {
    get: (of, key) => {
      const found: unknown = Reflect.get(of, key)
      if (Effect.isEffect(found)) return Effect.zipRight(step(life), found)
      if (typeof found !== "function") return found
      return (...args: ReadonlyArray<unknown>) =>
        Effect.zipRight(
          step(life),
          Effect.suspend(() => found.apply(of, args))
        )
    }
  })

/** The store of a process that dies after so many steps: a call is one, and so is each commit. */
const mortal = (store: Store["Type"], life: Life): Store["Type"] => ({
  ...store,
  tasks: mortalPart(store.tasks, life),
  attempts: mortalPart(store.attempts, life),
  events: mortalPart(store.events, life),
  workflows: mortalPart(store.workflows, life),
  runners: mortalPart(store.runners, life),
  gates: mortalPart(store.gates, life),
  outbox: mortalPart(store.outbox, life),
  questions: mortalPart(store.questions, life),
  budgets: mortalPart(store.budgets, life),
  transact: (name, program) =>
    store
      .transact(
        name,
        Effect.tap(program, () => step(life))
      )
      .pipe(Effect.tap(() => step(life)))
})

/** Runs a workflow to its end, its process dying once: so many steps after `before` cycles. */
const survived = (id: WorkflowId, before: number, steps: number) =>
  Effect.gen(function* () {
    const store = yield* Store
    for (let cycles = 0; cycles < before; cycles++) yield* runOnce
    yield* TestClock.adjust("1 seconds")
    const life = { left: steps }
    const first = yield* Effect.exit(Effect.provideService(runOnce, Store, mortal(store, life)))
    // What ends a task takes its workflow's step: there is nothing for a repair.
    expect([steps, yield* store.workflows.idle(0)]).toEqual([steps, []])
    yield* TestClock.adjust("1 seconds")
    const heir = runnerOf(RunnerId.make("memory:2:later"), 2)
    yield* Effect.provideService(runDry(), Runner, heir)
    const { context, currentState, status } = yield* workflowOf(id)
    return { died: Exit.isFailure(first), context, place: [status, currentState], story: yield* storyOf(id) }
  })

const signals: ReadonlyArray<JsonObject> = [{ workflow_signal: "continue" }, { workflow_signal: "complete" }]

// Its verification goes by the iteration, so that a repeated attempt says the same.
const verifying = () =>
  world({
    adapters: {
      local: ({ payload }) =>
        Effect.succeed(answer(payload.phase === "verify" ? signals[Number(payload.iteration) - 1] : {}))
    }
  })

const goal = { summary: "Quiet the pump", base_name: "pump" }

// Every cycle once: into the next state, round again, and to the end.
for (const [what, template, before, states, context] of [
  [
    "on its way into the next state",
    "wallet-onboarding",
    0,
    ["research-registration-flow", "draft-wallet-checklist"],
    {}
  ],
  ["going round again", "goal-loop", 2, ["plan", "execute", "verify", "execute", "verify"], goal],
  ["at the end", "goal-loop", 4, ["plan", "execute", "verify", "execute", "verify"], goal]
] as const)
  it.effect(
    `a workflow whose process dies at any call or commit ${what} comes to the same end, no task lost or twice`,
    () =>
      Effect.gen(function* () {
        let steps = 0
        while (true) {
          const end = yield* Effect.flatMap(openWorkflow(template, context), (id) =>
            survived(id, before, steps)
          ).pipe(Effect.provide(verifying()))
          expect([steps, end.story]).toEqual([steps, states.map((state) => `${state} completed`)])
          expect(end.place[0]).toBe("completed")
          if (template === "goal-loop") expect(end.context.execution_iteration).toBe(2)
          if (!end.died) break
          steps += isLong ? 1 : 3
        }
        // So many at least, or the store that dies is not the one that is used.
        expect(steps).toBeGreaterThan(15)
      }),
    60_000
  )
