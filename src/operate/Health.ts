import { DateTime, Effect, Either, Option, Schema } from "effect"
import { Disk, type Room } from "../artifact/Disk.ts"
import { parent } from "../artifact/FilePath.ts"
import type { AdapterSettings } from "../config/AdapterSettings.ts"
import type { ConfigInvalid, ConfigMissing } from "../config/ConfigError.ts"
import { intended } from "../config/Intended.ts"
import { RuntimeConfig, type Settings } from "../config/RuntimeConfig.ts"
import { resolveSkill } from "../context/Skills.ts"
import { Workspace } from "../context/Workspace.ts"
import { admitsUntrusted } from "../dispatch/Eligibility.ts"
import { AdapterMode } from "../domain/Attempt.ts"
import type { Profile } from "../domain/Profile.ts"
import { now, Time } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { nullable, wireStruct } from "../domain/Wire.ts"
import type { Cooldown } from "../store/Gates.ts"
import { StoreProbe } from "../store/StoreProbe.ts"
import { lastAttempt, probed, problemsOf } from "./Adapters.ts"
import { LastAttempt } from "./answers/Adapters.ts"
import { checks } from "./health/Doctor.ts"
import { Check, findings, row } from "./health/Finding.ts"
import { logProblems, storeProblems } from "./health/Writing.ts"
import { keptWorktrees } from "./KeptWorktrees.ts"
import { operation } from "./Operation.ts"
import { sharedEvidence } from "./SharedEvidence.ts"
import { readable } from "./State.ts"
import { workspaceWarnings } from "./WorkspaceWarnings.ts"

const texts = Schema.Array(Schema.String)

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
      lastAttempt: Schema.optional(LastAttempt),
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
      backedUpAt: nullable(Time),
      ...findings
    })
  ),
  disk: Schema.NullOr(
    wireStruct({ path: Schema.String, freeBytes: Schema.NullOr(Schema.Number), ...findings })
  ),
  /** Of the host and of the records, each by its `id`. */
  checks: Schema.Array(Check)
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

/** What the settings of an adapter let happen that its operator may not have meant. */
const settingWarnings = (adapter: AdapterSettings, settings: Settings): ReadonlyArray<string> => {
  if (adapter.mode !== "agent-cli") return []
  const { id } = adapter
  if (adapter.autonomy === "restricted")
    return settings.http.loopbackRole === "operate"
      ? [
          `adapter ${id} is restricted, but http.loopbackRole is operate: what it runs can steer this runtime by its API on this host; set http.loopbackRole to "read" or "none"`
        ]
      : []
  if (!admitsUntrusted(id, settings)) return []
  const why = Option.match(settings.dispatch.untrustedAdapters, {
    onNone: () => "is not set",
    onSome: () => "names it"
  })
  return [
    `adapter ${id} is trusted-vm and may run untrusted input, for dispatch.untrustedAdapters ${why}; list there the adapters that may, without ${id}`
  ]
}

const coolingWarnings = (id: string, cooldowns: ReadonlyArray<Cooldown>): ReadonlyArray<string> =>
  cooldowns
    .filter(({ adapterId }) => adapterId === id)
    .map(({ reason, until }) => {
      const why = Option.match(reason, { onNone: () => "", onSome: (text) => ` (${text})` })
      return `it cools down until ${DateTime.formatIso(until)}${why}; agent-runtime adapter-clear ${id} ends that`
    })

/** Each adapter by its probe, its settings, and what the store knows of it. */
const adapterRows = Effect.gen(function* () {
  const settings = yield* RuntimeConfig
  const store = yield* StoreProbe
  // That the store cannot be opened is told in its own row.
  const cooldowns = yield* Effect.orElseSucceed(store.cooldowns(yield* now), () => [])
  const last = yield* Effect.orElseSucceed(store.lastOf([...settings.adapters.keys()]), () => new Map())
  return yield* Effect.forEach(yield* probed, ({ found, settings: adapter }) =>
    Effect.gen(function* () {
      return {
        id: adapter.id,
        mode: adapter.mode,
        reason: found.reason,
        remedy: found.remedy,
        ...lastAttempt(last, adapter.id),
        ...row(problemsOf(found), [
          ...found.warnings,
          ...coolingWarnings(adapter.id, cooldowns),
          ...settingWarnings(adapter, settings),
          ...(yield* workspaceWarnings(adapter))
        ])
      }
    })
  )
})

/** A backup that is older says little about what would be lost now. */
const MOST_DAYS_WITHOUT_BACKUP = 7
const DAY_MS = 86_400_000

const backupWarnings = (last: Option.Option<DateTime.Utc>, at: DateTime.Utc): ReadonlyArray<string> => {
  const remedy = "agent-runtime backup --to FILE makes one"
  if (Option.isNone(last)) return [`no verified backup is on record; ${remedy}`]
  const days = Math.floor(DateTime.distance(last.value, at) / DAY_MS)
  if (days < 0)
    return [
      `the last verified backup is dated in the future (${DateTime.formatIso(last.value)}): the clock was wrong then, or is now; ${remedy}`
    ]
  return days <= MOST_DAYS_WITHOUT_BACKUP
    ? []
    : [`the last verified backup is ${days} days old (${DateTime.formatIso(last.value)}); ${remedy}`]
}

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
        backedUpAt: Option.none(),
        ...row([`${found.left.reason}; ${found.left.remedy}`])
      }
    const { problems, ...told } = found.right
    // Damage is told by what reads there; of a store that is not as it should be that is known.
    const read = problems.length > 0 ? Either.void : yield* Effect.either(probe.look(readable))
    const unread = Either.match(read, {
      onRight: () => [],
      onLeft: ({ reason, remedy }) => [`${reason}; ${remedy}`]
    })
    return {
      ...told,
      ...row([...problems, ...unread, ...(yield* storeProblems)], backupWarnings(told.backedUpAt, yield* now))
    }
  })

// Below the first the next attempt may not be recorded; below the second an operator should know.
const TOO_LITTLE_BYTES = 64 * 1024 * 1024
const LITTLE_BYTES = 1024 * 1024 * 1024

const mib = (bytes: number): string => `${Math.floor(bytes / 1024 / 1024)} MiB`

/** What is to be told of a disk; `at` begins each sentence. */
const roomOn = (found: Either.Either<Room, string>, at: string) => {
  if (Either.isLeft(found)) return { problems: [`${at}cannot be asked: ${found.left}`], warnings: [] }
  const { freeBytes } = found.right
  const told = `${at}${mib(freeBytes)} are free`
  return freeBytes < TOO_LITTLE_BYTES
    ? { problems: [`${told}; free some space`], warnings: [] }
    : { problems: [], warnings: freeBytes < LITTLE_BYTES ? [told] : [] }
}

const deviceOf = Either.match({ onLeft: () => undefined, onRight: ({ device }: Room) => device })

// Evidence, database and logs may each be configured to lie on a disk of their own.
const diskRow = Effect.gen(function* () {
  const { artifactDir, dbPath, logDir, stateDir } = yield* RuntimeConfig
  const room = (yield* Disk).room
  const first = yield* Effect.either(room(stateDir))
  const told = [roomOn(first, "")]
  const seen = new Set([deviceOf(first)])
  for (const [key, folder] of [
    ["artifactDir", artifactDir],
    ["dbPath", parent(dbPath)],
    ["logDir", logDir]
  ] as const) {
    const found = yield* Effect.either(room(folder))
    if (seen.has(deviceOf(found))) continue
    seen.add(deviceOf(found))
    told.push(roomOn(found, `${key} (${folder}): `))
  }
  const warnings = [
    ...told.flatMap((one) => one.warnings),
    ...(yield* keptWorktrees),
    ...(yield* sharedEvidence)
  ]
  return {
    path: stateDir,
    freeBytes: Either.match(first, { onLeft: () => null, onRight: ({ freeBytes }) => freeBytes }),
    ...row(
      told.flatMap((one) => one.problems),
      warnings
    )
  }
})

/** The report where the configuration itself cannot be used. */
export const withoutConfiguration = (error: ConfigInvalid | ConfigMissing): typeof Health.Encoded => ({
  ok: false,
  config_issues: error.message.split("\n"),
  profiles: [],
  adapters: [],
  store: null,
  disk: null,
  checks: []
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

/** Looks at configuration, profiles, adapters, store, disk and host. Warnings do not make it not ok. */
export const healthcheck = operation({
  name: "health.check",
  role: "read",
  output: Health,
  run: traced("Health.healthcheck")(function* (input: { readonly deep: boolean }) {
    const settings = yield* RuntimeConfig
    const profiles = yield* Effect.forEach([...settings.profiles], ([id, profile]) => profileRow(id, profile))
    const adapters = yield* adapterRows
    const store = yield* storeRow(input.deep)
    const disk = yield* diskRow
    const configIssues = [...(yield* constitutionIssues), ...(yield* logProblems)]
    const checked = yield* checks
    const parts = [...profiles, ...adapters, store, disk, ...checked]
    const ok = configIssues.length === 0 && parts.every((one) => one.ok)
    return { ok, configIssues, profiles, adapters, store, disk, checks: checked }
  })
})
