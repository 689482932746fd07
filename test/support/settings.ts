import { Option, Schema } from "effect"
import { scriptSettings } from "../../layers/adapter/ScriptedAdapters.ts"
import type { Settings } from "../../src/config/RuntimeConfig.ts"
import { Profile } from "../../src/domain/Profile.ts"

/** A profile from the keys of its file; what is not given is the plainest that decodes. */
export const profile = (given: Record<string, unknown> = {}): Profile =>
  Schema.decodeUnknownSync(Profile)({
    profile_id: "lumen",
    style: "claude-like",
    role: "summarise",
    ...given
  })

/** A runtime's settings with one profile `lumen` and one adapter `local`, and what a test changes in them. */
export const settings = (changes: Partial<Settings> = {}): Settings => ({
  configPath: "/memory/config/runtime.json",
  files: ["/memory/config/runtime.json", "/memory/config/profiles/lumen.json"],
  runtimeName: "test",
  runtimePolicy: "Do what the task asks.",
  stateDir: "/memory",
  logDir: "/memory/logs",
  artifactDir: "/memory/artifacts",
  dbPath: "/memory/runtime.db",
  lockPath: "/memory/dispatch.lock",
  defaultProfile: "lumen",
  defaultAdapter: "local",
  maxAttempts: 3,
  retryBackoffSeconds: 60,
  profiles: new Map([["lumen", profile()]]),
  adapters: new Map([["local", scriptSettings("local")]]),
  workflows: new Map(),
  identity: Option.none(),
  purpose: Option.none(),
  skillDirs: [],
  dispatch: {
    concurrency: 1,
    drainSeconds: 30,
    adapterConcurrency: new Map(),
    untrustedAdapters: Option.none()
  },
  http: {
    host: "127.0.0.1",
    port: 4314,
    tokens: [],
    allowedHosts: [],
    allowedOrigins: [],
    loopbackRole: "operate"
  },
  budgets: [],
  retention: { completedDays: Option.none(), eventDays: Option.none(), artifactDays: Option.none() },
  durability: "full",
  ...changes
})
