import { describe, expect } from "bun:test"
import { Effect, Option, Schema } from "effect"
import { scriptSettings } from "../../layers/adapter/ScriptedAdapters.ts"
import { AdapterRegistry } from "../../src/adapter/AdapterRegistry.ts"
import { ArtifactStore } from "../../src/artifact/ArtifactStore.ts"
import { handOver } from "../../src/context/HandOver.ts"
import { rehearse } from "../../src/operate/DryRun.ts"
import { pause } from "../../src/operate/Pause.ts"
import { Store } from "../../src/store/Store.ts"
import { DOOR, queue, ran, says, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import { profile } from "../support/settings.ts"

const dry = (intent: Record<string, unknown> = {}) =>
  Effect.flatMap(
    rehearse.run({ kind: "note", source: "test", payload: { look: "here" }, ...intent }, DOOR.actor),
    Schema.encode(rehearse.output)
  )

describe("a dry run of an intake", () => {
  it.effect("says who would run it and why, and shows the prompt that it would get; nothing is written", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const artifacts = yield* ArtifactStore
      const told = yield* dry()
      expect(told).toMatchObject({
        valid: true,
        profile: "lumen",
        adapter: "local",
        because: "it is the defaultAdapter of the configuration",
        fallbacks: [],
        waiting: { reason: "no_dispatcher" },
        budget: [],
        held_by: null,
        problems: []
      })
      expect(yield* store.events.newest(10)).toEqual([])
      expect((yield* store.tasks.counts).pending).toBe(0)
      expect(yield* artifacts.observe("bundles")).toEqual(Option.none())
      const id = yield* queue({ payload: { look: "here" } })
      yield* ran
      const [attempt] = yield* store.attempts.ofTask(id)
      const bundle = yield* store.attempts.bundle(Option.getOrThrow(attempt!.bundleId))
      const path = Option.getOrThrow(bundle).promptRelativePath
      const compiled = Option.getOrThrow(yield* artifacts.read(path, 100_000))
      expect(told.prompt).toBe(handOver(compiled, artifacts.root))
    }).pipe(Effect.provide(world({ adapters: { local: says("x") } })))
  )

  it.effect("walks the fallbacks as an attempt would, and says why", () =>
    Effect.gen(function* () {
      const registry = yield* AdapterRegistry
      const sick = Effect.succeed({ ok: false, reason: "it is sick", remedy: "", warnings: [] })
      const ill = AdapterRegistry.of({
        ids: registry.ids,
        get: (id) => Option.map(registry.get(id), (one) => (id === "local" ? { ...one, probe: sick } : one))
      })
      const told = yield* dry().pipe(Effect.provideService(AdapterRegistry, ill))
      expect(told).toMatchObject({
        adapter: "spare",
        because: "local is passed over (it is sick); spare is the next of its fallbacks",
        fallbacks: [{ adapter: "spare", ok: true, reason: "" }]
      })
    }).pipe(
      Effect.provide(
        world({
          adapters: { local: says("x"), spare: says("x") },
          configured: [scriptSettings("local", { fallbackAdapter: Option.some("spare") })]
        })
      )
    )
  )

  it.effect("tells what it would wait for, whose dedupe key it has, and what would end its attempt", () =>
    Effect.gen(function* () {
      const holder = yield* queue({ dedupeKey: "k" })
      yield* pause.run({ reason: Option.some("lunch") }, DOOR.actor)
      const told = yield* dry({ dedupe_key: "k", requested_profile: "nobody", requested_adapter: "nothing" })
      expect(told).toMatchObject({
        valid: true,
        profile: "nobody",
        adapter: null,
        prompt: null,
        held_by: holder,
        waiting: { reason: "paused", detail: "dispatch was paused by olga: lunch" }
      })
      expect(told.problems).toEqual([
        "profile nobody is not configured; configured are lumen",
        "adapter nothing is not configured; configured are local"
      ])
      const later = yield* dry({ schedule: { delay_minutes: 5 } })
      expect(later.waiting).toMatchObject({ reason: "not_due", until: "1970-01-01T00:05:00.000Z" })
    }).pipe(Effect.provide(world({ adapters: { local: says("x") } })))
  )

  it.effect("names the default adapter of its profile, and the budgets that it counts against", () =>
    Effect.gen(function* () {
      const told = yield* dry({ requested_profile: "spark" })
      expect(told).toMatchObject({ adapter: "other", because: "it is the default_adapter of profile spark" })
      const row = {
        id: "others",
        subject: "other",
        window: "day",
        unit: "attempts",
        limit: 5,
        granted: 0
      } as const
      expect(told.budget).toEqual([{ ...row, spent: 0, reserved: 0, reserve: 1 }])
      yield* queue({ requestedProfile: "spark" })
      yield* ran
      expect((yield* dry({ requested_profile: "spark" })).budget).toMatchObject([{ ...row, spent: 1 }])
    }).pipe(
      Effect.provide(
        world({
          adapters: { local: says("x"), other: says("x") },
          settings: {
            profiles: new Map([
              ["lumen", profile()],
              ["spark", profile({ profile_id: "spark", default_adapter: "other" })]
            ]),
            budgets: (["local", "other"] as const).map((id) => ({
              id: `${id}s`,
              per: "adapter" as const,
              match: Option.some(id),
              window: "day" as const,
              unit: "attempts" as const,
              limit: 5,
              reserve: Option.none()
            }))
          }
        })
      )
    )
  )

  it.effect("refuses what intake refuses", () =>
    Effect.gen(function* () {
      expect((yield* Effect.flip(dry({ priority: 101 })))._tag).toBe("Invalid")
    }).pipe(Effect.provide(world({ adapters: { local: says("x") } })))
  )
})
