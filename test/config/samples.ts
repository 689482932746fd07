/** An intent with every key. */
export const fullIntent = {
  kind: "github-story",
  source: "test",
  payload: { a: 1 },
  subject: "A story",
  description: "Tell it.",
  priority: 5,
  requested_profile: "lumen",
  requested_adapter: "local",
  requested_model: "m",
  max_attempts: 3,
  available_at: "2026-04-29T07:01:02.003Z",
  schedule: { delay_minutes: 1 },
  dedupe_key: "d"
}

/** A profile with every key. */
export const fullProfile = {
  profile_id: "lumen",
  style: "hermes-like",
  role: "Teller of stories",
  system_prompt_parts: ["Be brief."],
  skills: ["stories"],
  default_adapter: "local",
  tool_policy: { allow_repo_changes: false },
  context_policy: { include_recent_task_memory: true, include_last_failure: true, max_prompt_chars: 16_000 },
  result_schema: { primary_output: "story", allow_follow_up_tasks: true, allow_external_messages: false },
  integration_policies: { github: "bridge-only" }
}

const common = {
  timeoutMs: 60_000,
  noOutputTimeoutMs: 30_000,
  workspace: "shared",
  fallbackAdapter: "local",
  fallback_adapter: "local",
  retryHintService: "generic",
  retry_hint_service: "generic",
  retry: { maxAttempts: 2, backoffSeconds: 10, maxBackoffSeconds: 60 }
}

const child = {
  command: "./run.sh",
  extraArgs: ["-x"],
  env: { PLAIN: "text", KEY: { secretEnv: "KEY" } },
  inheritEnv: ["TZ"],
  envFile: "run.env",
  workingDir: ".."
}

/** A configuration with every key (both names of the keys that have two, so it decodes but does not resolve). */
export const fullConfig = {
  $schema: "schema.json",
  extends: "base.json",
  runtimeName: "test",
  runtimePolicy: "Be good.",
  stateDir: "state",
  logDir: "logs",
  artifactDir: "artifacts",
  dbPath: "runtime.db",
  lockPath: "lock",
  defaultProfile: "lumen",
  defaultAdapter: "local",
  maxAttempts: 3,
  retryBackoffSeconds: 60,
  profiles: { lumen: "lumen.json" },
  adapters: {
    local: { mode: "script", ...common, ...child, untrustedArgs: false },
    agent: {
      mode: "agent-cli",
      driver: "codex",
      ...common,
      ...child,
      model: "m",
      settingsFile: "settings.json",
      sandbox: "workspace-write",
      autonomy: "restricted",
      providerId: "p",
      providerName: "P",
      providerBaseUrl: "http://127.0.0.1:1/v1",
      providerWireApi: "responses",
      providerEnvKey: "P_KEY",
      providerRequiresOpenAIAuth: false
    },
    ollama: {
      mode: "ollama-generate",
      ...common,
      endpoint: "http://127.0.0.1:11434",
      model: "m",
      options: { num_ctx: 4096 },
      keepAlive: "10m"
    },
    chat: {
      mode: "openai-chat",
      ...common,
      endpoint: "http://127.0.0.1:1/v1",
      model: "m",
      apiKey: { secretFile: "key" }
    }
  },
  workflows: { mine: "mine.json" },
  identity: { identityPath: "IDENTITY.md", soulPath: "SOUL.md", purposePath: "PURPOSE.md" },
  skillDirs: ["skills"],
  dispatch: {
    concurrency: 2,
    drainSeconds: 10,
    adapterConcurrency: { local: 1 },
    untrustedAdapters: ["local"]
  },
  http: {
    host: "127.0.0.1",
    port: 4314,
    tokens: [{ name: "ops", role: "operate", tokenFile: "token" }],
    allowedHosts: ["runtime.lan"],
    allowedOrigins: ["http://ops.lan:8080"],
    loopbackRole: "operate"
  },
  budgets: [{ id: "daily", per: "adapter", match: "local", window: "day", usd: 5, reserve: 0.5 }],
  retention: { completedDays: 30, eventDays: 90, artifactDays: 30 },
  durability: "full"
}
