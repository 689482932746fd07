import { describe, expect } from "bun:test"
import { Effect, Option } from "effect"
import { scriptSettings } from "../../layers/adapter/ScriptedAdapters.ts"
import { type Adapter, AdapterRegistry } from "../../src/adapter/AdapterRegistry.ts"
import { select } from "../../src/adapter/Select.ts"
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
  loop = false
) =>
  select("a", allowed).pipe(
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
