import { describe, expect } from "bun:test"
import { dirname } from "node:path"
import { DateTime, Effect, Layer, Option, Schema, TestClock } from "effect"
import { scriptSettings } from "../../layers/adapter/ScriptedAdapters.ts"
import { type Adapter, AdapterRegistry, type ProbeResult } from "../../src/adapter/AdapterRegistry.ts"
import { Disk } from "../../src/artifact/Disk.ts"
import { EvidenceFiles } from "../../src/artifact/EvidenceFiles.ts"
import { Rights } from "../../src/artifact/Rights.ts"
import type { AdapterSettings, AgentCliSettings } from "../../src/config/AdapterSettings.ts"
import { ConfigMissing } from "../../src/config/ConfigError.ts"
import type { Placed, Settings } from "../../src/config/RuntimeConfig.ts"
import type { Snapshot } from "../../src/context/Workspace.ts"
import type { ListedWorktree } from "../../src/context/Worktrees.ts"
import { AttemptId, TaskId } from "../../src/domain/Ids.ts"
import { Health, healthcheck, withoutConfiguration } from "../../src/operate/Health.ts"
import type { StoreHealth } from "../../src/store/Maintenance.ts"
import { Store } from "../../src/store/Store.ts"
import { StoreUnavailable } from "../../src/store/StoreError.ts"
import { StoreProbe } from "../../src/store/StoreProbe.ts"
import { DOOR, says, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import { evidenceOf } from "../support/evidence.ts"
import { hostFacts } from "../support/hostFacts.ts"
import { profile, settings } from "../support/settings.ts"

const GIB = 1024 * 1024 * 1024

const well = {
  path: "/memory/runtime.db",
  schemaVersion: 1,
  journalMode: "wal",
  sizeBytes: 4096,
  walBytes: 0,
  backedUpAt: Option.none<DateTime.Utc>(),
  problems: []
}

const agent: AgentCliSettings = {
  ...scriptSettings("local"),
  mode: "agent-cli",
  driver: "codex",
  model: Option.some("a-model"),
  settingsFile: Option.none(),
  sandbox: Option.none(),
  autonomy: "restricted",
  provider: {}
}

const fine: ProbeResult = { ok: true, reason: "", remedy: "", warnings: [] }

interface Host {
  readonly probe?: ProbeResult
  readonly store?: Effect.Effect<StoreHealth, StoreUnavailable>
  /** What reading the tables of the store answers. */
  readonly damage?: StoreUnavailable
  readonly free?: Effect.Effect<number, string>
  readonly profile?: Record<string, unknown>
  readonly identity?: Placed
  readonly cooldowns?: StoreProbe["Type"]["cooldowns"]
  readonly lastOf?: StoreProbe["Type"]["lastOf"]
  readonly adapter?: AdapterSettings
  /** What git says of /repo. */
  readonly snapshot?: Snapshot
  readonly worktrees?: ReadonlyArray<ListedWorktree>
  readonly settings?: Partial<Settings>
  readonly otherDatabases?: ReadonlyArray<string>
  /** What cannot be written, by path. */
  readonly unwritable?: Readonly<Record<string, string>>
}

const checked = (host: Host = {}) => {
  const adapter: Adapter = {
    settings: host.adapter ?? scriptSettings("local"),
    probe: Effect.succeed(host.probe ?? fine),
    execute: () => Effect.dieMessage("a check starts nothing")
  }
  const layers = Layer.mergeAll(
    Layer.succeed(AdapterRegistry, { ids: ["local"], get: () => Option.some(adapter) }),
    Layer.effect(
      StoreProbe,
      Effect.map(Store, (store) => ({
        health: () => host.store ?? Effect.succeed(well),
        cooldowns: host.cooldowns ?? (() => Effect.succeed([])),
        lastOf: host.lastOf ?? (() => Effect.succeed(new Map())),
        look: (program) => host.damage ?? program(store)
      }))
    ),
    hostFacts(),
    Layer.succeed(EvidenceFiles, evidenceOf({ otherDatabases: Effect.succeed(host.otherDatabases ?? []) })),
    Layer.succeed(Rights, {
      problem: (path) => Effect.succeed(Option.fromNullable(host.unwritable?.[path]))
    }),
    Layer.succeed(Disk, {
      room: (folder) =>
        folder.startsWith("/apart")
          ? Effect.succeed({ freeBytes: 0, device: 2 })
          : Effect.map(host.free ?? Effect.succeed(10 * GIB), (freeBytes) => ({ freeBytes, device: 1 }))
    })
  ).pipe(
    Layer.provideMerge(
      world({
        adapters: { local: says("x") },
        ...(host.snapshot === undefined ? {} : { workspace: { snapshots: { "/repo": host.snapshot } } }),
        worktrees: { there: host.worktrees ?? [] },
        settings: {
          profiles: new Map([["lumen", profile(host.profile)]]),
          identity: Option.fromNullable(host.identity),
          ...host.settings
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
      expect(Object.keys(found)).toEqual([
        "ok",
        "config_issues",
        "profiles",
        "adapters",
        "store",
        "disk",
        "checks"
      ])
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
        probe: {
          ok: false,
          reason: "codex is not on PATH",
          remedy: "install it",
          others: [{ reason: "no key", remedy: "" }],
          warnings: []
        }
      })
      expect(found.ok).toBe(false)
      expect(found.adapters[0]).toMatchObject({
        ok: false,
        reason: "codex is not on PATH",
        remedy: "install it",
        problems: ["codex is not on PATH; install it", "no key"]
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

  const tree = scriptSettings("local", {
    workspace: "worktree",
    workingDir: Option.some({ given: "repo", path: "/repo" })
  })
  const snapshot = (gitSha: Option.Option<string>): Snapshot => ({
    repository: true,
    root: Option.some("/repo"),
    gitSha,
    dirty: Option.some(false)
  })

  it.effect(
    "warns of worktrees that cannot be made, where the folder is no repository or has no commit",
    () =>
      Effect.gen(function* () {
        const warnings = (host: Host) =>
          Effect.map(checked(host), ({ adapters, ok }) => [ok, adapters[0]?.warnings.join(" ")])
        expect(yield* warnings({ adapter: tree })).toEqual([
          true,
          expect.stringContaining("is no git repository")
        ])
        expect(yield* warnings({ adapter: tree, snapshot: snapshot(Option.none()) })).toEqual([
          true,
          expect.stringContaining("has no commit yet")
        ])
        expect(yield* warnings({ adapter: tree, snapshot: snapshot(Option.some("1")) })).toEqual([true, ""])
        expect(yield* warnings({ adapter: scriptSettings("local") })).toEqual([true, ""])
      })
  )

  it.effect("names the worktrees that are kept, five at most, and what ends that", () =>
    Effect.gen(function* () {
      const worktrees = Array.from(
        { length: 8 },
        (_, index): ListedWorktree => ({
          attemptId: AttemptId.make(`a${index}`),
          taskId: TaskId.make(`t${index}`),
          path: `/state/worktrees/a${index}`,
          madeAt: DateTime.unsafeMake(0),
          ...(index === 2 ? { goneFrom: "/repo/.git" } : {}),
          state: index === 0 ? "open" : "kept"
        })
      )
      const warnings = (yield* checked({ worktrees })).disk?.warnings ?? []
      expect(warnings).toHaveLength(6)
      expect(warnings[0]).toBe(
        "the worktree /state/worktrees/a1 is kept since 1970-01-01T00:00:00.000Z, for task t1 changed something in it; when you have what you want of it, git -C /state/worktrees/a1 worktree remove --force /state/worktrees/a1 (where the state folder was moved since, first git -C /state/worktrees/a1 worktree repair /state/worktrees/a1)"
      )
      expect(warnings[1]).toBe(
        "the worktree /state/worktrees/a2 is gone, and what git has of it is kept since 1970-01-01T00:00:00.000Z, for task t2; when you have what you want of it, git --git-dir /repo/.git worktree prune"
      )
      expect(warnings[5]).toBe("2 more worktrees are kept")
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

  it.effect("names a log folder that cannot be written, once, and is not ok then", () =>
    Effect.gen(function* () {
      const found = yield* checked({
        unwritable: {
          "/memory/logs": "/memory cannot be written (EACCES)",
          "/memory/logs/runtime.jsonl": "/memory cannot be written (EACCES)"
        }
      })
      expect(found.ok).toBe(false)
      expect(found.config_issues).toEqual([
        "logDir: no log is written: /memory cannot be written (EACCES); correct the path, or give this user the right to write there"
      ])
      const file = yield* checked({ unwritable: { "/memory/logs/runtime.jsonl": "it belongs to root" } })
      expect(file.config_issues[0]).toContain("it belongs to root")
    })
  )

  it.effect("warns of an adapter that cools down, with its reason and what ends it", () =>
    Effect.gen(function* () {
      const cooling = { adapterId: "local", reason: Option.some("429"), until: DateTime.unsafeMake(60_000) }
      const other = { ...cooling, adapterId: "other" }
      const found = yield* checked({ cooldowns: () => Effect.succeed([other, cooling]) })
      expect([found.ok, found.adapters[0]?.warnings]).toEqual([
        true,
        ["it cools down until 1970-01-01T00:01:00.000Z (429); agent-runtime adapter-clear local ends that"]
      ])
    })
  )

  it.effect("tells of a store that cannot be opened once, in its own row", () =>
    Effect.gen(function* () {
      const broken = new StoreUnavailable({ path: "/x.db", reason: "it is empty", remedy: "" })
      const found = yield* checked({ store: broken, cooldowns: () => broken })
      expect([found.adapters[0]?.ok, found.adapters[0]?.warnings, found.store?.ok]).toEqual([true, [], false])
    })
  )

  it.effect("warns of a trusted-vm adapter that may run untrusted input, whoever lets it", () =>
    Effect.gen(function* () {
      const warned = (
        autonomy: "restricted" | "trusted-vm",
        untrusted: Option.Option<ReadonlyArray<string>>
      ) =>
        Effect.map(
          checked({
            adapter: { ...agent, autonomy },
            settings: {
              dispatch: { ...settings().dispatch, untrustedAdapters: untrusted },
              http: { ...settings().http, loopbackRole: "read" }
            }
          }),
          ({ adapters, ok }) => [ok, adapters[0]?.warnings]
        )
      const why = (how: string) =>
        `adapter local is trusted-vm and may run untrusted input, for dispatch.untrustedAdapters ${how}; list there the adapters that may, without local`
      expect(yield* warned("trusted-vm", Option.none())).toEqual([true, [why("is not set")]])
      expect(yield* warned("trusted-vm", Option.some(["local"]))).toEqual([true, [why("names it")]])
      expect(yield* warned("trusted-vm", Option.some([]))).toEqual([true, []])
      expect(yield* warned("restricted", Option.none())).toEqual([true, []])
    })
  )

  it.effect("warns of a restricted adapter on a host whose API lets everybody steer", () =>
    Effect.gen(function* () {
      const warned = (loopbackRole: "operate" | "read" | "none", adapter: AdapterSettings = agent) =>
        Effect.map(
          checked({ adapter, settings: { http: { ...settings().http, loopbackRole } } }),
          ({ adapters }) => adapters[0]?.warnings
        )
      expect(yield* warned("operate")).toEqual([
        'adapter local is restricted, but http.loopbackRole is operate: what it runs can steer this runtime by its API on this host; set http.loopbackRole to "read" or "none"'
      ])
      expect(yield* warned("read")).toEqual([])
      expect(yield* warned("none")).toEqual([])
      expect(yield* warned("operate", scriptSettings("local"))).toEqual([])
    })
  )

  it.effect("warns without a verified backup, and of one that is more than a week old", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(100 * 24 * 3600 * 1000)
      const warned = (daysAgo: number) => {
        const backedUpAt = Option.some(DateTime.unsafeMake((100 - daysAgo) * 24 * 3600 * 1000))
        return Effect.map(checked({ store: Effect.succeed({ ...well, backedUpAt }) }), ({ ok, store }) => [
          ok,
          store?.warnings
        ])
      }
      const remedy = "agent-runtime backup --to FILE makes one"
      expect((yield* checked()).store?.warnings).toEqual([`no verified backup is on record; ${remedy}`])
      expect(yield* warned(7)).toEqual([true, []])
      expect(yield* warned(-1)).toEqual([
        true,
        [
          `the last verified backup is dated in the future (1970-04-12T00:00:00.000Z): the clock was wrong then, or is now; ${remedy}`
        ]
      ])
      expect(yield* warned(8)).toEqual([
        true,
        [`the last verified backup is 8 days old (1970-04-03T00:00:00.000Z); ${remedy}`]
      ])
    })
  )

  it.effect("is not ok where a store that opens cannot be written, and names all of its files", () =>
    Effect.gen(function* () {
      const db = settings().dbPath
      const found = yield* checked({ unwritable: { [`${db}-shm`]: `${db}-shm cannot be written (EACCES)` } })
      expect([found.ok, found.store?.problems]).toEqual([
        false,
        [
          `it cannot be written: ${db}-shm cannot be written (EACCES); this user must be able to write the folder and all of the store's files that are there: chmod u+rwX ${dirname(db)} ${db} ${db}-wal ${db}-shm (or chown them)`
        ]
      ])
    })
  )

  it.effect("tells the problems of a store that opens", () =>
    Effect.gen(function* () {
      const found = yield* checked({ store: Effect.succeed({ ...well, problems: ["the WAL is large"] }) })
      expect([found.ok, found.store?.problems]).toEqual([false, ["the WAL is large"]])
    })
  )

  it.effect("is not ok where what status reads is damaged", () =>
    Effect.gen(function* () {
      const damage = new StoreUnavailable({ path: "/memory", reason: "it is damaged", remedy: "restore it" })
      const { ok, store } = yield* checked({ damage })
      expect([ok, store?.problems]).toEqual([false, ["it is damaged; restore it"]])
    })
  )

  it.effect("warns of a database that keeps its evidence in the same place", () =>
    Effect.gen(function* () {
      const { disk, ok } = yield* checked({ otherDatabases: ["/other/runtime.db"] })
      expect([ok, disk?.warnings]).toEqual([
        true,
        [
          `the database /other/runtime.db keeps its evidence in artifactDir (${settings().artifactDir}) too: prune removes nothing there that no record names; give each database an artifactDir of its own`
        ]
      ])
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
      const settings = { artifactDir: "/apart/artifacts", logDir: "/apart/logs" }
      const apart = yield* checked({ settings })
      expect([apart.ok, apart.disk?.free_bytes, apart.disk?.problems]).toEqual([
        false,
        10 * GIB,
        ["artifactDir (/apart/artifacts): 0 MiB are free; free some space"]
      ])
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
