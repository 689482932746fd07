import { Effect, Either, Option, Schema } from "effect"
import { AdapterRegistry } from "../adapter/AdapterRegistry.ts"
import { Disk } from "../artifact/Disk.ts"
import type { ConfigInvalid, ConfigMissing } from "../config/ConfigError.ts"
import { intended } from "../config/Intended.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { resolveSkill } from "../context/Skills.ts"
import { Workspace } from "../context/Workspace.ts"
import { AdapterMode } from "../domain/Attempt.ts"
import type { Profile } from "../domain/Profile.ts"
import { wireStruct } from "../domain/Wire.ts"
import { StoreProbe } from "../store/StoreProbe.ts"
import { operation } from "./Operation.ts"

const texts = Schema.Array(Schema.String)

/** A row of the health report: what is wrong and what mends it, and what is only worth knowing. */
const findings = { ok: Schema.Boolean, problems: texts, warnings: texts }

export const Health = wireStruct({
  ok: Schema.Boolean,
  configIssues: texts,
  profiles: Schema.Array(wireStruct({ id: Schema.String, ...findings })),
  adapters: Schema.Array(
    wireStruct({
      id: Schema.String,
      mode: AdapterMode,
      reason: Schema.String,
      remedy: Schema.String,
      ...findings
    })
  ),
  store: Schema.NullOr(
    wireStruct({
      path: Schema.String,
      schemaVersion: Schema.NullOr(Schema.Int),
      journalMode: Schema.NullOr(Schema.String),
      sizeBytes: Schema.NullOr(Schema.Int),
      walBytes: Schema.NullOr(Schema.Int),
      ...findings
    })
  ),
  disk: Schema.NullOr(
    wireStruct({ path: Schema.String, freeBytes: Schema.NullOr(Schema.Number), ...findings })
  )
})

const row = (problems: ReadonlyArray<string>, warnings: ReadonlyArray<string> = []) => ({
  ok: problems.length === 0,
  problems,
  warnings
})

const profileRow = (id: string, profile: Profile) =>
  Effect.gen(function* () {
    const settings = yield* RuntimeConfig
    const adapter = settings.adapters.get(intended(Option.none(), Option.some(profile), settings))
    const missing = yield* Effect.filter(adapter === undefined ? [] : profile.skills, (skill) =>
      Effect.map(resolveSkill(skill, settings.skillDirs, adapter!), (found) => found.delivery === "missing")
    )
    const unknown = profile.defaultAdapter !== undefined && !settings.adapters.has(profile.defaultAdapter)
    return {
      id,
      ...row(
        [],
        [
          ...missing.map((skill) => `skill ${skill} has no SKILL.md in skillDirs`),
          ...(unknown
            ? [`default_adapter ${profile.defaultAdapter} is not configured; the default runs`]
            : [])
        ]
      )
    }
  })

/** Each adapter by its probe. */
export const adapterRows = Effect.gen(function* () {
  const registry = yield* AdapterRegistry
  return yield* Effect.forEach(registry.ids, (id) =>
    Effect.gen(function* () {
      const adapter = Option.getOrThrow(registry.get(id))
      const found = yield* adapter.probe
      const { mode } = adapter.settings
      const problem = found.remedy === "" ? found.reason : `${found.reason}; ${found.remedy}`
      return {
        id,
        mode,
        reason: found.reason,
        remedy: found.remedy,
        ...row(found.ok ? [] : [problem], found.warnings)
      }
    })
  )
})

const storeRow = (deep: boolean) =>
  Effect.gen(function* () {
    const settings = yield* RuntimeConfig
    const probe = yield* StoreProbe
    const found = yield* Effect.either(probe.health(deep))
    if (Either.isLeft(found))
      return {
        path: settings.dbPath,
        schemaVersion: null,
        journalMode: null,
        sizeBytes: null,
        walBytes: null,
        ...row([`${found.left.reason}; ${found.left.remedy}`])
      }
    const { journalMode, path, problems, schemaVersion, sizeBytes, walBytes } = found.right
    return { path, schemaVersion, journalMode, sizeBytes, walBytes, ...row(problems) }
  })

// Below the first the next attempt may not be recorded; below the second an operator should know.
const TOO_LITTLE_BYTES = 64 * 1024 * 1024
const LITTLE_BYTES = 1024 * 1024 * 1024

const mib = (bytes: number): string => `${Math.floor(bytes / 1024 / 1024)} MiB`

const diskRow = Effect.gen(function* () {
  const { stateDir } = yield* RuntimeConfig
  const disk = yield* Disk
  const free = yield* Effect.either(disk.freeBytes(stateDir))
  if (Either.isLeft(free))
    return { path: stateDir, freeBytes: null, ...row([`cannot be asked: ${free.left}`]) }
  const told = `${mib(free.right)} are free`
  const problems = free.right < TOO_LITTLE_BYTES ? [`${told}; free some space`] : []
  const warnings = problems.length === 0 && free.right < LITTLE_BYTES ? [told] : []
  return { path: stateDir, freeBytes: free.right, ...row(problems, warnings) }
})

/** The report where the configuration itself cannot be used. */
export const withoutConfiguration = (error: ConfigInvalid | ConfigMissing): typeof Health.Encoded => ({
  ok: false,
  config_issues: error.message.split("\n"),
  profiles: [],
  adapters: [],
  store: null,
  disk: null
})

/** Without the files of its constitution an agent runs as somebody else, and nothing else would tell. */
const constitutionIssues = Effect.gen(function* () {
  const workspace = yield* Workspace
  const settings = yield* RuntimeConfig
  const named = [
    ["identityPath", settings.identity],
    ["purposePath", settings.purpose]
  ] as const
  const issues = yield* Effect.forEach(named, ([key, placed]) =>
    Option.match(placed, {
      onNone: () => Effect.succeed([]),
      onSome: ({ given, path }) =>
        Effect.map(workspace.observe(path), (seen) =>
          Option.exists(seen, ({ kind }) => kind === "file")
            ? []
            : [`identity.${key}: there is no file ${path} (${given}); write it, or correct the path`]
        )
    })
  )
  return issues.flat()
})

/** Looks at configuration, profiles, adapters, store and disk. Warnings do not make it not ok. */
export const healthcheck = operation({
  name: "health.check",
  role: "read",
  output: Health,
  run: Effect.fn("Health.healthcheck")(function* (input: { readonly deep: boolean }) {
    const settings = yield* RuntimeConfig
    const profiles = yield* Effect.forEach([...settings.profiles], ([id, profile]) => profileRow(id, profile))
    const adapters = yield* adapterRows
    const store = yield* storeRow(input.deep)
    const disk = yield* diskRow
    const configIssues = yield* constitutionIssues
    const ok = configIssues.length === 0 && [...profiles, ...adapters, store, disk].every((one) => one.ok)
    return { ok, configIssues, profiles, adapters, store, disk }
  })
})
