import { Schema } from "effect"
import { Driver } from "../domain/Attempt.ts"
import { JsonObject } from "../domain/Json.ts"
import { ConfiguredId, integer } from "../domain/Task.ts"
import {
  EnvValue,
  FilePath,
  HttpAddress,
  key,
  MAX_MILLIS,
  Model,
  needed,
  SecretSource,
  VariableName,
  Wait
} from "./Fields.ts"
import { FALLBACK, oneNameEach, RETRY_HINT } from "./TwoNames.ts"

/** Timeout of an adapter that names none. */
export const DEFAULT_TIMEOUT_MS = 900_000

const RetryHintService = Schema.Literal("generic", "aibtc", "hiro")

const retryHint = key(
  RetryHintService,
  "Whose words of a rate limit are understood in this adapter's text; without it text is not read for hints"
)
const fallback = key(ConfiguredId, "The adapter to use while this one fails its probe")

const common = {
  timeoutMs: key(
    integer(1_000, MAX_MILLIS),
    `Milliseconds after which an attempt is stopped; ${DEFAULT_TIMEOUT_MS} by default`
  ),
  noOutputTimeoutMs: key(
    integer(1, MAX_MILLIS),
    "Milliseconds without any output after which an attempt is stopped; none by default"
  ),
  workspace: key(
    Schema.Literal("exclusive", "shared", "worktree"),
    "How attempts share a working directory: exclusive (default of agent-cli), shared (default of the others), or a git worktree for each"
  ),
  fallbackAdapter: fallback,
  fallback_adapter: fallback,
  retryHintService: retryHint,
  retry_hint_service: retryHint,
  retry: key(
    Schema.Struct({
      maxAttempts: key(integer(1), "Attempts of a task that this adapter runs, where the task names none"),
      backoffSeconds: key(Wait, "Seconds before the second attempt; doubled for each further one"),
      maxBackoffSeconds: key(Wait, "The longest wait between two attempts")
    }),
    "How failed attempts of this adapter are repeated, where it differs from the rest"
  )
}

const oneNames = oneNameEach(FALLBACK, RETRY_HINT)

const child = {
  command: needed(FilePath, "The program: a name is looked up on PATH, one with a `/` is a path"),
  extraArgs: key(Schema.Array(Schema.String), "Arguments that every attempt gets"),
  env: key(
    Schema.Record({ key: VariableName, value: EnvValue }),
    "Environment variables of the program, beside PATH, HOME and LANG"
  ),
  inheritEnv: key(
    Schema.Array(VariableName),
    "Variables that are handed on from the runtime's own environment"
  ),
  envFile: key(
    FilePath,
    "A file of KEY=value lines with further variables; their values are held to be secrets"
  ),
  workingDir: key(FilePath, "The folder in which the program runs")
}

export const ScriptFile = Schema.Struct({
  mode: needed(Schema.Literal("script"), "A program of yours: its output is the outcome"),
  ...common,
  ...child,
  untrustedArgs: key(
    Schema.Boolean,
    "Whether payload.args of untrusted tasks become arguments; false by default"
  )
}).annotations(oneNames)

export const AgentCliFile = Schema.Struct({
  mode: needed(Schema.Literal("agent-cli"), "An agent's command line program"),
  driver: needed(Driver, "Which program it is: how it is started and how its output is read"),
  ...common,
  ...child,
  model: key(Model, "The model that the program is told to use; its own choice by default"),
  settingsFile: key(FilePath, "The program's own settings file"),
  sandbox: key(
    Schema.Literal("read-only", "workspace-write", "danger-full-access"),
    "The sandbox of codex for what the model runs"
  ),
  autonomy: key(
    Schema.Literal("restricted", "trusted-vm"),
    "trusted-vm lets the agent act without asking, by the program's own bypass flags; restricted by default"
  ),
  providerId: key(Model, "The id under which codex knows the model provider"),
  providerName: key(Model, "The provider's name, for people"),
  providerBaseUrl: key(HttpAddress, "The provider's address, with its /v1 where it has one"),
  providerWireApi: key(Schema.Literal("responses", "chat"), "The provider's protocol; responses by default"),
  providerEnvKey: key(VariableName, "The variable that holds the provider's API key"),
  providerRequiresOpenAIAuth: key(Schema.Boolean, "Whether codex logs in at OpenAI for this provider")
}).annotations(oneNames)

export const OllamaFile = Schema.Struct({
  mode: needed(Schema.Literal("ollama-generate"), "A model on an Ollama server"),
  ...common,
  endpoint: needed(HttpAddress, "The server, without a path: http://127.0.0.1:11434"),
  model: needed(Model, "The model's name as the server lists it"),
  options: key(JsonObject, "Ollama's own options, such as num_ctx"),
  keepAlive: key(
    Schema.Union(Schema.NonEmptyString, Schema.Number.pipe(Schema.finite())).annotations({
      description: "a duration such as 10m, or a number of seconds (-1 keeps it for ever)"
    }),
    "How long the server keeps the model loaded"
  )
}).annotations(oneNames)

export const OpenAiChatFile = Schema.Struct({
  mode: needed(Schema.Literal("openai-chat"), "Any server that speaks OpenAI's chat completions"),
  ...common,
  endpoint: needed(HttpAddress, "The base with its /v1: https://api.example.com/v1"),
  model: needed(Model, "The model's name as the server lists it"),
  apiKey: key(SecretSource, "Where the API key is found; absent for servers that need none")
}).annotations(oneNames)

/** An adapter as a configuration file has it, one form for each mode. */
export const AdapterFile = Schema.Union(ScriptFile, AgentCliFile, OllamaFile, OpenAiChatFile)
export type AdapterFile = typeof AdapterFile.Type
