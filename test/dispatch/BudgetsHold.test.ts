import { expect, test } from "bun:test"
import { Deferred, Effect, Exit, FastCheck, Fiber, Option } from "effect"
import { runnerOf } from "../../layers/Memory.ts"
import type { StopReason } from "../../src/adapter/AdapterRegistry.ts"
import { runAttempt } from "../../src/dispatch/RunAttempt.ts"
import { Runner } from "../../src/dispatch/Runner.ts"
import { next } from "../../src/dispatch/Steps.ts"
import { sweep } from "../../src/dispatch/Sweep.ts"
import { RunnerId } from "../../src/domain/Ids.ts"
import { Store } from "../../src/store/Store.ts"
import { ollama } from "../context/world.ts"
import { accounts, budget, costs, grant } from "./budgets.ts"
import { answer, queue, world } from "./world.ts"

/** What one attempt comes to: what it costs, how long it takes, and whether its dispatcher dies meanwhile. */
interface Fate {
  readonly cost: number
  readonly pauses: number
  readonly dies: boolean
}

interface Story {
  readonly limit: number
  readonly reserve: number
  /** Rounds of eight dispatchers that start together; each takes what fate has next. */
  readonly rounds: ReadonlyArray<ReadonlyArray<Fate>>
  readonly granted: number
}

const DISPATCHERS = 8
const DEAR: Fate = { cost: 2, pauses: 9, dies: false }

const story = FastCheck.record({
  limit: FastCheck.integer({ min: 4, max: 30 }),
  reserve: FastCheck.integer({ min: 1, max: 4 }),
  granted: FastCheck.integer({ min: 0, max: 6 }),
  rounds: FastCheck.array(
    FastCheck.array(
      FastCheck.record({
        cost: FastCheck.integer({ min: 0, max: 8 }),
        pauses: FastCheck.integer({ min: 0, max: 40 }),
        dies: FastCheck.boolean()
      }),
      { minLength: DISPATCHERS, maxLength: DISPATCHERS }
    ),
    { minLength: 1, maxLength: 3 }
  )
})

const yields = (times: number) => Effect.repeatN(Effect.yieldNow(), times)

const dispatcher = (name: string) => runnerOf(RunnerId.make(`${name}:1:then`), 1)

/**
 * Lets a story happen on one store; answers the balance after every claim, every end and every sweep, and how
 * many attempts are open in the end.
 */
const told = ({ granted, limit, reserve, rounds }: Story) => {
  const fates = rounds.flat()
  let taken = 0
  return Effect.gen(function* () {
    const store = yield* Store
    const seen: Array<{ spent: number; reserved: number; granted: number }> = []
    const look = Effect.map(accounts, ([account]) => {
      if (account !== undefined) seen.push(account)
    })
    for (let number = 0; number < fates.length; number++) yield* queue()

    const one = (name: string, fate: Fate) =>
      Effect.gen(function* () {
        yield* yields(fate.pauses % 7)
        const found = yield* next()
        yield* look
        if (found._tag !== "Claimed") return
        const stop = yield* Deferred.make<StopReason>()
        const running = yield* Effect.fork(runAttempt(found.claimed, stop))
        // A dispatcher that dies leaves its attempt open, wherever it was.
        if (fate.dies) yield* Effect.zipRight(yields(fate.pauses), Fiber.interrupt(running))
        else expect(Exit.isSuccess(yield* Fiber.await(running))).toBe(true)
        yield* look
      }).pipe(Effect.provideService(Runner, dispatcher(name)))

    for (const [index, round] of rounds.entries()) {
      yield* Effect.forEach(round, (fate, place) => one(`d${place}`, fate), {
        concurrency: "unbounded",
        discard: true
      })
      yield* sweep().pipe(Effect.provideService(Runner, dispatcher(`sweeper${index}`)))
      yield* look
      if (index === 0 && granted > 0) yield* grant("daily", { usd: Option.some(granted) })
    }
    const open = yield* store.attempts.openOfOthers(dispatcher("nobody").runnerId)
    return { seen, open: open.length }
  }).pipe(
    Effect.provide(
      world({
        adapters: {
          local: () =>
            Effect.gen(function* () {
              const fate = fates[taken++ % fates.length]!
              yield* yields(fate.pauses)
              return { ...answer(), usage: costs(Math.min(fate.cost, 2 * reserve)) }
            })
        },
        configured: [ollama({ id: "local" })],
        settings: { budgets: [budget({ unit: "usd", limit, reserve: Option.some(reserve) })] }
      })
    )
  )
}

// An attempt of these stories may use twice what was set aside for it, never more.
test("eight dispatchers at once, dying at random, never overshoot by more than what was reserved", async () => {
  await FastCheck.assert(
    FastCheck.asyncProperty(story, async (given) => {
      const { open, seen } = await Effect.runPromise(told(given))
      let mostReserved = 0
      for (const { granted, reserved, spent } of seen) {
        mostReserved = Math.max(mostReserved, reserved)
        expect(spent).toBeLessThanOrEqual(given.limit + granted + mostReserved)
        expect(reserved).toBeLessThanOrEqual(given.limit + granted)
      }
      expect(seen.at(-1)?.reserved).toBe(0)
      expect(open).toBe(0)
    }),
    { numRuns: 8 }
  )
}, 60_000)

test("eight dispatchers at once never overshoot at all when nothing costs more than was reserved", async () => {
  const fates = FastCheck.array(
    FastCheck.oneof(FastCheck.constant(DEAR), FastCheck.constant<Fate>({ ...DEAR, pauses: 3, dies: true })),
    {
      minLength: DISPATCHERS,
      maxLength: DISPATCHERS
    }
  )
  await FastCheck.assert(
    FastCheck.asyncProperty(fates, fates, async (first, second) => {
      const alive = Array.from({ length: DISPATCHERS }, () => DEAR)
      const rounds = [first, second, alive, alive]
      const { seen } = await Effect.runPromise(told({ limit: 20, reserve: 2, granted: 0, rounds }))
      for (const { reserved, spent } of seen) expect(spent + reserved).toBeLessThanOrEqual(20)
      // It is used up all the same: those that died before their adapter started gave back what they had.
      expect(seen.at(-1)?.spent).toBe(20)
    }),
    { numRuns: 3 }
  )
}, 60_000)
