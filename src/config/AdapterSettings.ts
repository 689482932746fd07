import type { Option } from "effect"
import type { Driver } from "../domain/Attempt.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { Placed } from "./RuntimeConfig.ts"

/** Where a secret value is found; the value itself is resolved when an attempt starts. */
export type SecretRef =
  | { readonly secretFile: Placed }
  | { readonly secretEnv: string }
  | { readonly credential: string }

export interface CommonSettings {
  readonly id: string
  readonly timeoutMs: number
  readonly noOutputTimeoutMs: Option.Option<number>
  readonly workspace: "exclusive" | "shared" | "worktree"
  readonly fallbackAdapter: Option.Option<string>
  readonly retryHintService: Option.Option<"generic" | "aibtc" | "hiro">
  /**
   * Overrides for tasks of this adapter: the back-off by the adapter that ran, the number of attempts by the
   * one that a task is meant for when it is queued, where the task names none.
   */
  readonly retry: {
    readonly maxAttempts: Option.Option<number>
    readonly backoffSeconds: Option.Option<number>
    readonly maxBackoffSeconds: Option.Option<number>
  }
}

/** What adapters that start a child process share. */
export interface ChildSettings extends CommonSettings {
  /** A bare name is looked up on PATH; one with a `/` is a path, absolute here. */
  readonly command: Placed
  readonly extraArgs: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string | SecretRef>>
  readonly inheritEnv: ReadonlyArray<string>
  readonly envFile: Option.Option<Placed>
  readonly workingDir: Option.Option<Placed>
}

export interface ScriptSettings extends ChildSettings {
  readonly mode: "script"
  /** Whether `payload.args` of untrusted tasks may become arguments. */
  readonly untrustedArgs: boolean
}

export interface AgentCliSettings extends ChildSettings {
  readonly mode: "agent-cli"
  readonly driver: Driver
  readonly model: Option.Option<string>
  readonly settingsFile: Option.Option<Placed>
  readonly sandbox: Option.Option<string>
  readonly autonomy: "restricted" | "trusted-vm"
  /** The `provider*` keys of the file, by their full names. */
  readonly provider: Readonly<Record<string, string>>
}

export interface OllamaSettings extends CommonSettings {
  readonly mode: "ollama-generate"
  readonly endpoint: string
  readonly model: string
  readonly options: JsonObject
  readonly keepAlive: Option.Option<string | number>
}

export interface OpenAiChatSettings extends CommonSettings {
  readonly mode: "openai-chat"
  readonly endpoint: string
  readonly model: string
  readonly apiKey: Option.Option<SecretRef>
}

export type AdapterSettings = ScriptSettings | AgentCliSettings | OllamaSettings | OpenAiChatSettings
