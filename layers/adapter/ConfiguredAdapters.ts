import { Effect, Layer, Option } from "effect"
import { type Adapter, AdapterRegistry } from "../../src/adapter/AdapterRegistry.ts"
import type { AdapterSettings, AgentCliSettings } from "../../src/config/AdapterSettings.ts"
import { folderOf } from "../../src/config/Paths.ts"
import { RuntimeConfig } from "../../src/config/RuntimeConfig.ts"
import { remembered } from "../Remembered.ts"
import { executeAgentCli } from "./AgentCli.ts"
import { configuredSecrets } from "./ConfiguredSecrets.ts"
import { claudeCode } from "./drivers/ClaudeCode.ts"
import { codex } from "./drivers/Codex.ts"
import type { Driver } from "./drivers/Driver.ts"
import { hermes } from "./drivers/Hermes.ts"
import { ollamaAdapter } from "./Ollama.ts"
import { openAiChatAdapter } from "./OpenAiChat.ts"
import { probeAgent, probeChild } from "./Probe.ts"
import { Processes } from "./Process.ts"
import { executeScript } from "./Script.ts"

/** How long the answer of a probe holds (SPEC.md section 6). */
const PROBE_HOLDS = "30 seconds"

const DRIVERS: Readonly<Record<AgentCliSettings["driver"], Driver>> = {
  codex,
  "claude-code": claudeCode,
  "hermes-agent": hermes
}

type Mode = Pick<Adapter, "probe" | "execute">

const make = Effect.gen(function* () {
  const runtime = yield* RuntimeConfig
  const processes = yield* Processes
  const host = { ...process.env }
  const masking = yield* configuredSecrets(runtime, host)
  const startedIn = folderOf(runtime.configPath)
  const modeOf = (settings: AdapterSettings): Effect.Effect<Mode> => {
    switch (settings.mode) {
      case "script":
        return Effect.succeed({
          probe: probeChild(settings, host, masking),
          execute: executeScript({ settings, runtime, host, startedIn, processes, masking })
        })
      case "agent-cli": {
        const driver = DRIVERS[settings.driver]
        return Effect.map(
          executeAgentCli({ settings, driver, runtime, host, startedIn, processes, masking }),
          (execute) => ({ probe: probeAgent({ settings, driver }, host, masking), execute })
        )
      }
      case "ollama-generate":
        return Effect.succeed(ollamaAdapter({ settings, runtime, host, masking }))
      case "openai-chat":
        return Effect.succeed(openAiChatAdapter({ settings, runtime, host, masking }))
    }
  }
  const adapters = new Map<string, Adapter>()
  for (const [id, settings] of runtime.adapters) {
    const { execute, probe } = yield* modeOf(settings)
    adapters.set(id, { settings, execute, probe: yield* remembered(probe, PROBE_HOLDS) })
  }
  return { ids: [...adapters.keys()], get: (id: string) => Option.fromNullable(adapters.get(id)) }
})

/** The adapters of the configuration, with this process's environment as the one that children draw on. */
export const layer: Layer.Layer<AdapterRegistry, never, RuntimeConfig | Processes> = Layer.effect(
  AdapterRegistry,
  make
)
