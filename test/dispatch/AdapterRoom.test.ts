import { expect } from "bun:test"
import { DateTime, Effect, Layer, Option, TestClock } from "effect"
import { scriptSettings } from "../../layers/adapter/ScriptedAdapters.ts"
import { type Adapter, AdapterRegistry } from "../../src/adapter/AdapterRegistry.ts"
import { now } from "../../src/domain/Time.ts"
import { Store } from "../../src/store/Store.ts"
import { it } from "../support/effect.ts"
import { settings } from "../support/settings.ts"
import { makeWorkers, notify, quiet, told, whileDispatching } from "./resident.ts"
import { attemptsOf, DOOR, detailsOf, queue, ran, says, taskOf, world } from "./world.ts"

const away = Effect.succeed({ ok: false, reason: "away", remedy: "", warnings: [] })

/** The adapters of which `sick` fails its probe, so that its fallback runs. */
const sickProbe = Layer.effect(
  AdapterRegistry,
  Effect.map(AdapterRegistry, ({ get, ids }) => ({
    ids,
    get: (id) =>
      Option.map(get(id), (adapter): Adapter => (id === "sick" ? { ...adapter, probe: away } : adapter))
  }))
)

const configured = [scriptSettings("sick", { fallbackAdapter: Option.some("well") }), scriptSettings("well")]

it.effect("an adapter runs no more at once than it may, also as the fallback of another", () =>
  Effect.gen(function* () {
    const workers = yield* makeWorkers
    const scene = {
      adapters: { sick: says("x"), well: workers.act },
      configured,
      settings: {
        dispatch: { ...settings().dispatch, concurrency: 4, adapterConcurrency: new Map([["well", 1]]) }
      }
    }
    const program = whileDispatching(() =>
      Effect.gen(function* () {
        const ids = yield* Effect.forEach([1, 2, 3], () => queue({ requestedAdapter: "sick" }))
        const first = yield* workers.begun
        yield* told("task_retry_scheduled", 2)
        yield* quiet
        expect(yield* workers.waiting).toBe(0)
        for (const id of ids.filter((one) => one !== first.taskId)) {
          const task = yield* taskOf(id)
          expect([task.status, task.attemptCount]).toEqual(["retryable_failure", 0])
          expect(Option.getOrThrow(task.lastError)).toBe(
            "adapter_busy: adapter well, which runs in place of the one that was meant, runs 1 attempts, its most at once (dispatch.adapterConcurrency)"
          )
          expect((yield* detailsOf(id, "task_retry_scheduled"))[0]).toMatchObject({ counted: false })
        }
        // One that is meant for it waits for it as well.
        const direct = yield* queue({ requestedAdapter: "well" })
        yield* quiet
        expect(yield* attemptsOf(direct)).toEqual([])
        yield* workers.end(first.taskId)
        const second = yield* workers.begun
        expect(second.taskId).toBe(direct)
        yield* TestClock.adjust("5 seconds")
        yield* told("task_retry_scheduled", 4)
        expect(yield* workers.waiting).toBe(0)
        yield* workers.end(direct)
        yield* TestClock.adjust("10 seconds")
        const third = yield* workers.begun
        expect(ids).toContain(third.taskId)
        expect(yield* workers.waiting).toBe(0)
        yield* workers.end(third.taskId)
      })
    )
    yield* Effect.provide(program, Layer.merge(Layer.provideMerge(sickProbe, world(scene)), notify()))
  })
)

it.effect("a task whose fallback never has room is blocked in the end, and told what it waited for", () =>
  Effect.gen(function* () {
    const store = yield* Store
    const id = yield* queue({ requestedAdapter: "sick", maxAttempts: 2 })
    const until = Effect.gen(function* () {
      const at = yield* now
      const cooldown = { adapterId: "well", reason: Option.none(), until: DateTime.add(at, { minutes: 5 }) }
      yield* store.gates.coolDown(cooldown, Option.none(), { at, actor: DOOR.actor })
      const { verdict } = yield* ran
      yield* TestClock.adjust("301 seconds")
      return `${verdict._tag} ${verdict.reason}`
    })
    expect(new Set(yield* Effect.replicateEffect(until, 20))).toEqual(new Set(["Snooze rate_limited"]))
    // What is waited for in vain so often counts, and no attempt is left after the second.
    expect(yield* Effect.replicateEffect(until, 2)).toEqual([
      "Retry rate_limited",
      "Blocked attempts_used_up"
    ])
    const { lastError, status } = yield* taskOf(id)
    expect(status).toBe("blocked")
    expect(Option.getOrThrow(lastError)).toMatch(
      /^attempts_used_up: 2 of 2 attempts used up; the last one: rate_limited: .*well.* cools down/
    )
  }).pipe(
    Effect.provide(
      Layer.provideMerge(sickProbe, world({ adapters: { sick: says("x"), well: says("y") }, configured }))
    )
  )
)
