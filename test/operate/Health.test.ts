import { describe, expect } from "bun:test"
import { Effect, Layer, Option, Schema } from "effect"
import { scriptSettings } from "../../layers/adapter/ScriptedAdapters.ts"
import { type Adapter, AdapterRegistry, type ProbeResult } from "../../src/adapter/AdapterRegistry.ts"
import { Disk } from "../../src/artifact/Disk.ts"
import { ConfigMissing } from "../../src/config/ConfigError.ts"
import type { Placed } from "../../src/config/RuntimeConfig.ts"
import { Health, healthcheck, withoutConfiguration } from "../../src/operate/Health.ts"
import { StoreUnavailable } from "../../src/store/StoreError.ts"
import { StoreProbe } from "../../src/store/StoreProbe.ts"
import { DOOR, says, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import { profile } from "../support/settings.ts"

const GIB = 1024 * 1024 * 1024

const well = {
  path: "/memory/runtime.db",
  schemaVersion: 1,
  journalMode: "wal",
  sizeBytes: 4096,
  walBytes: 0,
  problems: []
}

const fine: ProbeResult = { ok: true, reason: "", remedy: "", warnings: [] }

interface Host {
  readonly probe?: ProbeResult
  readonly store?: Effect.Effect<
    typeof well | (Omit<typeof well, "problems"> & { problems: Array<string> }),
    StoreUnavailable
  >
  readonly free?: Effect.Effect<number, string>
  readonly profile?: Record<string, unknown>
  readonly identity?: Placed
}

const checked = (host: Host = {}) => {
  const adapter: Adapter = {
    settings: scriptSettings("local"),
    probe: Effect.succeed(host.probe ?? fine),
    execute: () => Effect.dieMessage("a check starts nothing")
  }
  const layers = Layer.mergeAll(
    Layer.succeed(AdapterRegistry, { ids: ["local"], get: () => Option.some(adapter) }),
    Layer.succeed(StoreProbe, { health: () => host.store ?? Effect.succeed(well) }),
    Layer.succeed(Disk, { freeBytes: () => host.free ?? Effect.succeed(10 * GIB) })
  ).pipe(
    Layer.provideMerge(
      world({
        adapters: { local: says("x") },
        settings: {
          profiles: new Map([["lumen", profile(host.profile)]]),
          identity: Option.fromNullable(host.identity)
        }
      })
    )
  )
  return Effect.flatMap(healthcheck.run({ deep: false }, DOOR.actor), Schema.encode(Health)).pipe(
    Effect.provide(layers)
  )
}

describe("a healthcheck", () => {
  it.effect("is ok when every part is, and has the keys of the contract", () =>
    Effect.gen(function* () {
      const found = yield* checked()
      expect(Object.keys(found)).toEqual(["ok", "config_issues", "profiles", "adapters", "store", "disk"])
      expect(found).toMatchObject({
        ok: true,
        config_issues: [],
        profiles: [{ id: "lumen", ok: true }],
        adapters: [{ id: "local", mode: "script", ok: true }],
        store: { ok: true, schema_version: 1, journal_mode: "wal" },
        disk: { ok: true, free_bytes: 10 * GIB }
      })
    })
  )

  it.effect("is not ok for an adapter that fails its probe, with the reason and what mends it", () =>
    Effect.gen(function* () {
      const found = yield* checked({
        probe: { ok: false, reason: "codex is not on PATH", remedy: "install it", warnings: [] }
      })
      expect(found.ok).toBe(false)
      expect(found.adapters[0]).toMatchObject({
        ok: false,
        reason: "codex is not on PATH",
        remedy: "install it",
        problems: ["codex is not on PATH; install it"]
      })
    })
  )

  it.effect("names a file of the constitution that is not there, and is not ok then", () =>
    Effect.gen(function* () {
      const found = yield* checked({ identity: { given: "IDENTITY.md", path: "/nowhere/IDENTITY.md" } })
      expect(found.ok).toBe(false)
      expect(found.config_issues).toEqual([
        "identity.identityPath: there is no file /nowhere/IDENTITY.md (IDENTITY.md); write it, or correct the path"
      ])
    })
  )

  it.effect("stays ok with warnings, which it tells", () =>
    Effect.gen(function* () {
      const found = yield* checked({
        probe: { ...fine, warnings: ["the env file can be read by others"] },
        profile: { skills: ["juggling"], default_adapter: "gone" }
      })
      expect(found.ok).toBe(true)
      expect(found.adapters[0]?.warnings).toEqual(["the env file can be read by others"])
      expect(found.profiles[0]?.warnings).toEqual([
        "skill juggling has no SKILL.md in skillDirs",
        "default_adapter gone is not configured; the default runs"
      ])
    })
  )

  it.effect("goes on when the store cannot be opened, and says why and what mends it", () =>
    Effect.gen(function* () {
      const found = yield* checked({
        store: new StoreUnavailable({ path: "/x.db", reason: "it is empty", remedy: "restore a backup" })
      })
      expect(found.ok).toBe(false)
      expect(found.store).toMatchObject({
        ok: false,
        problems: ["it is empty; restore a backup"],
        schema_version: null
      })
      expect(found.adapters[0]?.ok).toBe(true)
    })
  )

  it.effect("tells the problems of a store that opens", () =>
    Effect.gen(function* () {
      const found = yield* checked({ store: Effect.succeed({ ...well, problems: ["the WAL is large"] }) })
      expect([found.ok, found.store?.problems]).toEqual([false, ["the WAL is large"]])
    })
  )

  it.effect("warns of little room on the disk and is not ok with hardly any", () =>
    Effect.gen(function* () {
      const little = yield* checked({ free: Effect.succeed(GIB / 2) })
      expect([little.ok, little.disk?.warnings]).toEqual([true, ["512 MiB are free"]])
      const none = yield* checked({ free: Effect.succeed(1_000_000) })
      expect([none.ok, none.disk?.problems]).toEqual([false, ["0 MiB are free; free some space"]])
      const unknown = yield* checked({ free: Effect.fail("EACCES") })
      expect([unknown.ok, unknown.disk?.problems]).toEqual([false, ["cannot be asked: EACCES"]])
    })
  )
})

it.effect("without a usable configuration the report says that alone", () =>
  Effect.gen(function* () {
    const report = withoutConfiguration(new ConfigMissing({ path: "/x/runtime.json" }))
    expect(report).toMatchObject({ ok: false, profiles: [], adapters: [], store: null, disk: null })
    expect(report.config_issues[0]).toStartWith("there is no configuration file at /x/runtime.json")
    // It is the same shape as any report.
    expect((yield* Schema.decode(Health)(report)).ok).toBe(false)
  })
)
