import { Option } from "effect"
import { fileOf, type Origin } from "./Extends.ts"
import type { ConfigurationFile } from "./FileSchema.ts"
import { absolute, folderOf, placed } from "./Paths.ts"
import { adapterSettings } from "./ResolveAdapter.ts"
import type { Budget, Placed, Settings, Token } from "./RuntimeConfig.ts"

/** Where the values of a configuration stand, and what `~` means: all that a path needs. */
export interface Where {
  /** The absolute path of the file that was loaded. */
  readonly configPath: string
  /** The absolute paths of that file and of those that it extends. */
  readonly chain: ReadonlyArray<string>
  readonly origin: Origin
  readonly home: string
}

/** The absolute place of a path that stands under a key of the merged configuration. */
export const placeAt = (where: Where, path: ReadonlyArray<PropertyKey>, given: string): Placed =>
  placed(folderOf(fileOf(where.origin, path)), where.home, given)

/**
 * A decoded and cross-checked configuration with its defaults (SPEC.md section 2). What is left out of the
 * state folder's places is `logs`, `artifacts`, `runtime.db` and `dispatch.lock` in it; the state folder
 * itself is `state` beside the file that was loaded, not beside a parent.
 */
export const settings = (
  file: ConfigurationFile,
  { profiles, workflows }: Pick<Settings, "profiles" | "workflows">,
  where: Where
): Settings => {
  const at = (path: ReadonlyArray<PropertyKey>, given: string): Placed => placeAt(where, path, given)
  const stateDir =
    file.stateDir === undefined
      ? absolute(folderOf(where.configPath), where.home, "state")
      : at(["stateDir"], file.stateDir).path
  const below = (key: "logDir" | "artifactDir" | "dbPath" | "lockPath", name: string): string => {
    const given = file[key]
    return given === undefined ? absolute(stateDir, where.home, name) : at([key], given).path
  }
  return {
    configPath: where.configPath,
    files: [...new Set([...where.chain, ...named(file, at)])],
    runtimeName: file.runtimeName,
    runtimePolicy: file.runtimePolicy,
    stateDir,
    logDir: below("logDir", "logs"),
    artifactDir: below("artifactDir", "artifacts"),
    dbPath: below("dbPath", "runtime.db"),
    lockPath: below("lockPath", "dispatch.lock"),
    defaultProfile: file.defaultProfile,
    defaultAdapter: file.defaultAdapter,
    maxAttempts: file.maxAttempts ?? 3,
    retryBackoffSeconds: file.retryBackoffSeconds ?? 60,
    profiles,
    adapters: new Map(
      Object.entries(file.adapters).map(([id, adapter]) => {
        const folder = folderOf(fileOf(where.origin, ["adapters", id]))
        return [id, adapterSettings(id, adapter, folder, where.home)] as const
      })
    ),
    workflows,
    ...identity(file, at),
    skillDirs: (file.skillDirs ?? []).map((given, index) => at(["skillDirs", index], given)),
    dispatch: dispatch(file),
    http: http(file, at),
    budgets: (file.budgets ?? []).map(budget),
    retention: {
      completedDays: Option.fromNullable(file.retention?.completedDays),
      eventDays: Option.fromNullable(file.retention?.eventDays),
      artifactDays: Option.fromNullable(file.retention?.artifactDays)
    },
    durability: file.durability ?? "full"
  }
}

type At = (path: ReadonlyArray<PropertyKey>, given: string) => Placed

const named = (file: ConfigurationFile, at: At): ReadonlyArray<string> =>
  (["profiles", "workflows"] as const).flatMap((key) =>
    Object.entries(file[key] ?? {}).map(([id, given]) => at([key, id], given).path)
  )

const identity = (file: ConfigurationFile, at: At): Pick<Settings, "identity" | "purpose"> => {
  const key = file.identity?.identityPath === undefined ? "soulPath" : "identityPath"
  return {
    identity: Option.map(Option.fromNullable(file.identity?.[key]), (given) => at(["identity", key], given)),
    purpose: Option.map(Option.fromNullable(file.identity?.purposePath), (given) =>
      at(["identity", "purposePath"], given)
    )
  }
}

const dispatch = (file: ConfigurationFile): Settings["dispatch"] => ({
  concurrency: file.dispatch?.concurrency ?? 1,
  drainSeconds: file.dispatch?.drainSeconds ?? 30,
  adapterConcurrency: new Map(Object.entries(file.dispatch?.adapterConcurrency ?? {})),
  untrustedAdapters: Option.fromNullable(file.dispatch?.untrustedAdapters)
})

const http = (file: ConfigurationFile, at: At): Settings["http"] => ({
  host: file.http?.host ?? "127.0.0.1",
  port: file.http?.port ?? 4314,
  tokens: (file.http?.tokens ?? []).flatMap((token, index): ReadonlyArray<Token> => {
    const { name, role } = token
    if (token.sha256 !== undefined) return [{ name, role, secret: { sha256: token.sha256.toLowerCase() } }]
    if (token.tokenFile === undefined) return []
    return [
      { name, role, secret: { tokenFile: at(["http", "tokens", index, "tokenFile"], token.tokenFile) } }
    ]
  }),
  allowedHosts: file.http?.allowedHosts ?? [],
  allowedOrigins: file.http?.allowedOrigins ?? [],
  loopbackRole: file.http?.loopbackRole ?? "operate"
})

const budget = (given: NonNullable<ConfigurationFile["budgets"]>[number]): Budget => {
  const unit = given.usd !== undefined ? "usd" : given.tokens !== undefined ? "tokens" : "attempts"
  return {
    id: given.id,
    per: given.per,
    match: Option.fromNullable(given.match),
    window: given.window,
    unit,
    limit: given[unit] ?? 0,
    reserve: Option.fromNullable(given.reserve)
  }
}
