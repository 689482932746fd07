import { DateTime, Effect, Layer, Option, Schema } from "effect"
import { MemoryFiles, layer as memoryArtifacts } from "../../layers/artifact/MemoryArtifacts.ts"
import { type Fixed, layer as fixedWorkspace } from "../../layers/context/FixedWorkspace.ts"
import type { ArtifactStore } from "../../src/artifact/ArtifactStore.ts"
import { KnownSecrets } from "../../src/artifact/KnownSecrets.ts"
import type {
  AgentCliSettings,
  OllamaSettings,
  OpenAiChatSettings,
  ScriptSettings
} from "../../src/config/AdapterSettings.ts"
import { RuntimeConfig, type Settings } from "../../src/config/RuntimeConfig.ts"
import { type AssembleInput, assemble, freeze } from "../../src/context/Assemble.ts"
import type { Workspace } from "../../src/context/Workspace.ts"
import { BundleId } from "../../src/domain/Ids.ts"
import { Profile } from "../../src/domain/Profile.ts"
import { redactorOf } from "../../src/domain/Redactor.ts"
import { type Round, Task } from "../../src/domain/Task.ts"
import { settings as anySettings } from "../support/settings.ts"

/** A time, so that it is plain which ones enter a test. */
export const at = (iso: string): DateTime.Utc => DateTime.unsafeMake(iso)

const decodeTask = Schema.decodeUnknownSync(Task)
const decodeProfile = Schema.decodeUnknownSync(Profile)

/** A task's record from its wire form; what is not given is that of a fresh task. */
export const task = (given: Record<string, unknown> = {}): Task =>
  decodeTask({
    task_id: "019a0000-0000-7000-8000-000000000001",
    kind: "note",
    source: "operator",
    subject: "Look at the pump",
    description: null,
    priority: 5,
    payload: { message: "The pump is loud." },
    requested_profile: null,
    requested_adapter: null,
    requested_model: null,
    max_attempts: 3,
    dedupe_key: null,
    status: "running",
    attempt_count: 1,
    created_at: "2026-04-29T07:01:02.003Z",
    updated_at: "2026-04-29T07:01:02.003Z",
    available_at: "2026-04-29T07:01:02.003Z",
    started_at: null,
    finished_at: null,
    outcome: null,
    last_error: null,
    parent_task_id: null,
    workflow_id: null,
    untrusted: false,
    ...given
  })

/** An earlier task with its outcome. */
export const finished = (id: string, summary: string, given: Record<string, unknown> = {}): Task =>
  task({
    task_id: id,
    status: "completed",
    outcome: { status: "completed", operator_summary: summary, machine_status: "ok" },
    ...given
  })

export const profile = (given: Record<string, unknown> = {}): Profile =>
  decodeProfile({ profile_id: "lumen", style: "claude-like", role: "keeper of the house", ...given })

export const round = (given: Partial<Round> = {}): Round => ({
  round: 1,
  roundStartedAt: Option.none(),
  notCounted: 0,
  known: Option.none(),
  note: Option.none(),
  replayOf: Option.none(),
  workflowState: Option.none(),
  generation: 0,
  rootTaskId: Option.none(),
  traceParent: Option.none(),
  ...given
})

const common = {
  id: "local",
  timeoutMs: 900_000,
  noOutputTimeoutMs: Option.none(),
  workspace: "shared",
  fallbackAdapter: Option.none(),
  retryHintService: Option.none(),
  retry: { maxAttempts: Option.none(), backoffSeconds: Option.none(), maxBackoffSeconds: Option.none() }
} as const

const child = {
  ...common,
  command: { given: "./run.sh", path: "/config/run.sh" },
  extraArgs: [],
  env: {},
  inheritEnv: [],
  envFile: Option.none(),
  workingDir: Option.none()
} as const

export const script = (given: Partial<ScriptSettings> = {}): ScriptSettings => ({
  ...child,
  mode: "script",
  untrustedArgs: false,
  ...given
})

export const agentCli = (given: Partial<AgentCliSettings> = {}): AgentCliSettings => ({
  ...child,
  mode: "agent-cli",
  driver: "codex",
  model: Option.none(),
  settingsFile: Option.none(),
  sandbox: Option.none(),
  autonomy: "restricted",
  provider: {},
  ...given
})

export const ollama = (given: Partial<OllamaSettings> = {}): OllamaSettings => ({
  ...common,
  mode: "ollama-generate",
  endpoint: "http://127.0.0.1:11434",
  model: "small",
  options: {},
  keepAlive: Option.none(),
  ...given
})

export const openai = (given: Partial<OpenAiChatSettings> = {}): OpenAiChatSettings => ({
  ...common,
  mode: "openai-chat",
  endpoint: "https://models.example.com/v1",
  model: "large",
  apiKey: Option.none(),
  ...given
})

/** The settings that a bundle reads; the rest is never looked at. */
export const settings = (given: Partial<Settings> = {}): Settings =>
  anySettings({
    configPath: "/config/runtime.json",
    runtimeName: "house",
    runtimePolicy: "Be careful with other people's things.",
    profiles: new Map(),
    adapters: new Map(),
    ...given
  })

export const input = (given: Partial<AssembleInput> = {}): AssembleInput => ({
  task: task(),
  round: round(),
  profile: profile(),
  adapter: script(),
  model: Option.none(),
  memory: [],
  answers: [],
  lastFailure: Option.none(),
  bundleId: BundleId.make("019a0000-0000-7000-8000-0000000000b1"),
  at: at("2026-04-29T23:59:59.999Z"),
  ...given
})

/** What a bundle masks. */
export const secrets = (...values: ReadonlyArray<string>) =>
  Layer.succeed(KnownSecrets, { redactor: Effect.succeed(redactorOf(values)) })

/** Configuration and files, the artifact root in memory and empty. */
export const world = (
  config: Partial<Settings> = {},
  fixed: Fixed = {},
  masked: ReadonlyArray<string> = []
) =>
  Layer.mergeAll(
    Layer.succeed(RuntimeConfig, settings(config)),
    fixedWorkspace(fixed),
    memoryArtifacts,
    secrets(...masked)
  )

/** Files of the artifact root by path. */
type Artifacts = Readonly<Record<string, string>>

const run = <A, E>(
  program: Effect.Effect<A, E, RuntimeConfig | Workspace | ArtifactStore | KnownSecrets>,
  config: Partial<Settings>,
  fixed: Fixed,
  files: Artifacts,
  masked: ReadonlyArray<string> = []
) =>
  Effect.gen(function* () {
    const { put } = yield* MemoryFiles
    yield* Effect.forEach(Object.entries(files), ([path, text]) => put(path, text))
    return yield* program
  }).pipe(Effect.provide(world(config, fixed, masked)))

/** The bundle of these inputs in a world of its own, whose secrets are `masked`. */
export const frozen = (
  given: Partial<AssembleInput> = {},
  config: Partial<Settings> = {},
  fixed: Fixed = {},
  files: Artifacts = {},
  masked: ReadonlyArray<string> = []
) => run(freeze(input(given)), config, fixed, files, masked)

/** The hashed prompt of these inputs. */
export const promptOf = (
  given: Partial<AssembleInput> = {},
  config: Partial<Settings> = {},
  fixed: Fixed = {},
  files: Artifacts = {}
) => Effect.map(frozen(given, config, fixed, files), ({ bundle }) => bundle.prompt.renderedText)

/** The prompt as an adapter gets it. */
export const handedOver = (
  given: Partial<AssembleInput> = {},
  config: Partial<Settings> = {},
  fixed: Fixed = {}
) => Effect.map(run(assemble(input(given)), config, fixed, {}), ({ promptText }) => promptText)
