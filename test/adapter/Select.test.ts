import { describe, expect } from "bun:test"
import { DateTime, Effect, Option } from "effect"
import { scriptSettings } from "../../layers/adapter/ScriptedAdapters.ts"
import { type Adapter, AdapterRegistry } from "../../src/adapter/AdapterRegistry.ts"
import { type Cooling, select } from "../../src/adapter/Select.ts"
import { detailsOf, queue, ran, says, taskOf, UNTRUSTED, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

/** Adapters in a chain of fallbacks; `sick` ones fail their probe. */
const registry = (chain: ReadonlyArray<string>, sick: ReadonlyArray<string>, loop = false) => {
  const adapter = (id: string, at: number): Adapter => ({
    settings: scriptSettings(id, {
      fallbackAdapter: Option.fromNullable(chain[at + 1] ?? (loop ? chain[0] : undefined))
    }),
    probe: Effect.succeed({ ok: !sick.includes(id), reason: `${id} is sick`, remedy: "", warnings: [] }),
    execute: () => Effect.dieMessage("only selected here")
  })
  const all = new Map(chain.map((id, at) => [id, adapter(id, at)]))
  return AdapterRegistry.of({ ids: chain, get: (id) => Option.fromNullable(all.get(id)) })
}

const selected = (
  chain: ReadonlyArray<string>,
  sick: ReadonlyArray<string>,
  allowed: (id: string) => boolean = () => true,
  loop = false,
  cooling?: Cooling
) =>
  select("a", allowed, cooling).pipe(
    Effect.provideService(AdapterRegistry, registry(chain, sick, loop)),
    Effect.map(Option.map(({ adapter, passedOver }) => [adapter.settings.id, passedOver.map(({ id }) => id)]))
  )

describe("the adapter that runs is", () => {
  it.effect("the one that was meant, while it passes its probe", () =>
    Effect.gen(function* () {
      expect(yield* selected(["a", "b"], [])).toEqual(Option.some(["a", []]))
    })
  )

  it.effect("the first of its fallbacks that passes", () =>
    Effect.gen(function* () {
      expect(yield* selected(["a", "b", "c"], ["a", "b"])).toEqual(Option.some(["c", ["a", "b"]]))
    })
  )

  it.effect("the one that was meant, when three fallbacks fail too: a fourth is not asked", () =>
    Effect.gen(function* () {
      expect(yield* selected(["a", "b", "c", "d", "e"], ["a", "b", "c"])).toEqual(
        Option.some(["d", ["a", "b", "c"]])
      )
      expect(yield* selected(["a", "b", "c", "d", "e"], ["a", "b", "c", "d"])).toEqual(Option.some(["a", []]))
    })
  )

  it.effect("the one that was meant, when a chain bites its tail", () =>
    Effect.gen(function* () {
      expect(yield* selected(["a", "b"], ["a", "b"], undefined, true)).toEqual(Option.some(["a", []]))
    })
  )

  it.effect("one that untrusted input may run on", () =>
    Effect.gen(function* () {
      expect(yield* selected(["a", "b"], [], (id) => id === "b")).toEqual(Option.some(["b", ["a"]]))
    })
  )

  it.effect("the first that untrusted input may run on, when nobody passes", () =>
    Effect.gen(function* () {
      const allowed = (id: string) => id !== "a"
      expect(yield* selected(["a", "b", "c"], ["a", "b", "c"], allowed)).toEqual(Option.some(["b", ["a"]]))
      expect(yield* selected(["a", "b"], [], () => false)).toEqual(Option.some(["a", []]))
    })
  )

  it.effect("no fallback that cools down: the next one, else the one that was meant", () =>
    Effect.gen(function* () {
      const until = DateTime.unsafeMake(60_000)
      const cooling = (...ids: ReadonlyArray<string>): Cooling => {
        return (id) => (ids.includes(id) ? Option.some(until) : Option.none())
      }
      const from = (chain: ReadonlyArray<string>, ...ids: ReadonlyArray<string>) =>
        selected(chain, ["a"], undefined, false, cooling(...ids))
      expect(yield* from(["a", "b", "c"], "b")).toEqual(Option.some(["c", ["a", "b"]]))
      expect(yield* from(["a", "b"], "b")).toEqual(Option.some(["a", []]))
      const told = yield* select("a", () => true, cooling("b")).pipe(
        Effect.provideService(AdapterRegistry, registry(["a", "b", "c"], ["a"])),
        Effect.map(Option.getOrThrow)
      )
      expect(told.better).toEqual(Option.none())
      const sick = yield* select("a", () => true, cooling("b")).pipe(
        Effect.provideService(AdapterRegistry, registry(["a", "b", "c"], ["a", "c"])),
        Effect.map(Option.getOrThrow)
      )
      expect(sick.better).toEqual(Option.some({ id: "b", from: until }))
      expect(told.passedOver).toEqual([
        { id: "a", reason: "a is sick" },
        { id: "b", reason: "it cools down until 1970-01-01T00:01:00.000Z" }
      ])
    })
  )

  it.effect("the one that was meant although it cools down since: the claim has let its task through", () =>
    Effect.gen(function* () {
      const all: Cooling = () => Option.some(DateTime.unsafeMake(60_000))
      expect(yield* selected(["a", "b"], [], undefined, false, all)).toEqual(Option.some(["a", []]))
    })
  )

  it.effect("none when the id is not configured", () =>
    Effect.gen(function* () {
      expect(yield* selected(["b"], [])).toEqual(Option.none())
    })
  )
})

it.effect("a fallback that runs is told, with who was passed over and why", () =>
  Effect.gen(function* () {
    const id = yield* queue({}, UNTRUSTED)
    yield* ran
    expect((yield* taskOf(id)).status).toBe("completed")
    expect(yield* detailsOf(id, "adapter_fallback_used")).toEqual([
      {
        intended: "local",
        used: "safe",
        passed_over: [{ id: "local", reason: "it may not run untrusted input" }]
      }
    ])
  }).pipe(
    Effect.provide(
      world({
        adapters: { local: () => Effect.dieMessage("the wrong adapter"), safe: says("fine") },
        configured: [scriptSettings("local", { fallbackAdapter: Option.some("safe") })],
        settings: {
          dispatch: {
            concurrency: 1,
            drainSeconds: 30,
            adapterConcurrency: new Map(),
            untrustedAdapters: Option.some(["safe"])
          }
        }
      })
    )
  )
)
