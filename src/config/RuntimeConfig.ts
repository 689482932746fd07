import { Context, type Option } from "effect"
import type { BudgetUnit } from "../domain/Budget.ts"
import type { Profile } from "../domain/Profile.ts"
import type { Template } from "../domain/WorkflowTemplate.ts"
import type { AdapterSettings } from "./AdapterSettings.ts"

/** A path twice: as the file names it (bundles record this), and the absolute place on this host. */
export interface Placed {
  readonly given: string
  readonly path: string
}

export interface Token {
  readonly name: string
  readonly role: "read" | "operate"
  readonly secret: { readonly tokenFile: Placed } | { readonly sha256: string }
}

export interface Budget {
  readonly id: string
  readonly per: "adapter" | "profile" | "workflow" | "all"
  readonly match: Option.Option<string>
  readonly window: "day" | "task"
  readonly unit: BudgetUnit
  readonly limit: number
  readonly reserve: Option.Option<number>
}

/** The configuration as the programs read it: merged, checked, defaults filled in, paths absolute. */
export interface Settings {
  readonly configPath: string
  /** All files that this was read from: that one, what it extends, and those of profiles and workflows. Absolute. */
  readonly files: ReadonlyArray<string>
  readonly runtimeName: string
  readonly runtimePolicy: string
  readonly stateDir: string
  readonly logDir: string
  readonly artifactDir: string
  readonly dbPath: string
  readonly lockPath: string
  readonly defaultProfile: string
  readonly defaultAdapter: string
  readonly maxAttempts: number
  readonly retryBackoffSeconds: number
  readonly profiles: ReadonlyMap<string, Profile>
  readonly adapters: ReadonlyMap<string, AdapterSettings>
  /** The user's own workflow templates, by name; the built-in ones are beside them. */
  readonly workflows: ReadonlyMap<string, Template>
  readonly identity: Option.Option<Placed>
  readonly purpose: Option.Option<Placed>
  readonly skillDirs: ReadonlyArray<Placed>
  readonly dispatch: {
    readonly concurrency: number
    readonly drainSeconds: number
    readonly adapterConcurrency: ReadonlyMap<string, number>
    readonly untrustedAdapters: Option.Option<ReadonlyArray<string>>
  }
  readonly http: {
    readonly host: string
    readonly port: number
    readonly tokens: ReadonlyArray<Token>
    readonly allowedHosts: ReadonlyArray<string>
    readonly allowedOrigins: ReadonlyArray<string>
    readonly loopbackRole: "operate" | "read" | "none"
  }
  readonly budgets: ReadonlyArray<Budget>
  readonly retention: {
    readonly completedDays: Option.Option<number>
    readonly eventDays: Option.Option<number>
    readonly artifactDays: Option.Option<number>
  }
  readonly durability: "full" | "normal"
}

export class RuntimeConfig extends Context.Tag("agent-runtime/RuntimeConfig")<RuntimeConfig, Settings>() {}
