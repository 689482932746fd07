import { agent, type House } from "../support/agents.ts"
import { WORK } from "./stage.ts"

type Settings = Readonly<Record<string, unknown>>

/** An adapter of the real codex that speaks to the stub, with what differs from the usual one. */
export const codex = (house: House, more: Settings = {}): Settings => ({
  mode: "agent-cli",
  driver: "codex",
  command: agent("codex"),
  model: "stub",
  providerId: "stub",
  providerName: "stub",
  providerBaseUrl: house.url("/v1"),
  workingDir: WORK,
  autonomy: "trusted-vm",
  timeoutMs: 20_000,
  ...more,
  env: { CODEX_HOME: `${house.home}/codex`, ...Object(more.env) }
})

/** An adapter of the real claude-code that speaks to the stub, with what differs from the usual one. */
export const claude = (house: House, more: Settings = {}): Settings => ({
  mode: "agent-cli",
  driver: "claude-code",
  command: agent("claude"),
  model: "claude-opus-5-5",
  workingDir: WORK,
  autonomy: "trusted-vm",
  timeoutMs: 20_000,
  ...more,
  env: {
    CLAUDE_CONFIG_DIR: `${house.home}/claude`,
    ANTHROPIC_BASE_URL: house.url(),
    ANTHROPIC_API_KEY: "sk-ant-stub-key",
    // As root it takes its bypass flags only where it is told that the machine is a sandbox.
    IS_SANDBOX: "1",
    ...Object(more.env)
  }
})
