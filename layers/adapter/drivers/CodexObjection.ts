import { existsSync } from "node:fs"
import { Option } from "effect"
import { isInside } from "../../../src/artifact/FilePath.ts"
import type { AgentCliSettings } from "../../../src/config/AdapterSettings.ts"
import { BUILT_IN, configured, homeOf } from "./CodexConfig.ts"
import type { Driver } from "./Driver.ts"

type Environment = Readonly<Record<string, string>>
type Problem = Option.Option.Value<ReturnType<Driver["objection"]>>

/** What codex would refuse, or silently not do, with these settings and this environment; the first of all. */
export const objection: Driver["objection"] = (settings, env) =>
  Option.fromNullable(
    [inArguments, inProvider, inSettingsFile, inHome]
      .map((look) => look(settings, env))
      .find((problem) => problem !== undefined)
  )

/** Flags that codex takes once, and that the runtime sets itself; with the setting that says the same. */
const OURS: ReadonlyArray<readonly [flag: RegExp, instead: string]> = [
  [/^(--sandbox|-s)/, 'set the adapter\'s "sandbox"'],
  [/^(--cd|-C)/, 'set the adapter\'s "workingDir"'],
  [/^(--model|-m)/, 'set the adapter\'s "model"'],
  [/^(--profile|-p)/, 'set the adapter\'s "settingsFile" to NAME.config.toml in CODEX_HOME'],
  [/^--output-schema/, "remove it: the runtime gives the outcome's schema"],
  [/^--(json|ephemeral|skip-git-repo-check)$/, "remove it: the runtime passes it always"],
  [/^--full-auto$/, 'codex has it no more: set "sandbox": "workspace-write"'],
  [/^(--worktree)$/, 'set "workspace": "worktree"']
]
const BYPASS = /^--(dangerously-bypass-approvals-and-sandbox|yolo)$/

const inArguments = ({ autonomy, extraArgs }: AgentCliSettings): Problem | undefined => {
  for (const argument of extraArgs) {
    const flag = /^(--[^=]*|-.)/.exec(argument)?.[0] ?? ""
    if (BYPASS.test(flag))
      return {
        reason: `extraArgs hold ${flag}, ${autonomy === "trusted-vm" ? "which trusted-vm passes already" : "but autonomy is restricted"}`,
        remedy:
          autonomy === "trusted-vm"
            ? "remove it"
            : 'remove it, or set "autonomy": "trusted-vm" where the whole machine may be the agent\'s'
      }
    const ours = OURS.find(([pattern]) => new RegExp(`${pattern.source}$`).test(flag))
    if (ours !== undefined)
      return { reason: `extraArgs hold ${flag}, which codex takes once or not at all`, remedy: ours[1] }
  }
  return undefined
}

const inProvider = ({ provider }: AgentCliSettings, env: Environment): Problem | undefined => {
  const { providerBaseUrl, providerEnvKey, providerId, providerWireApi } = provider
  if (providerWireApi === "chat")
    return {
      reason: 'providerWireApi "chat" is no longer supported by codex',
      remedy: 'set it to "responses" where the provider speaks that, or use mode openai-chat'
    }
  if (providerId !== undefined && BUILT_IN.includes(providerId) && providerBaseUrl !== undefined)
    return {
      reason: `providerId ${providerId} is built into codex, which does not take another address for it`,
      remedy: `use another id, such as ${providerId}-custom`
    }
  if (providerEnvKey !== undefined && (env[providerEnvKey] ?? "") === "")
    return {
      reason: `providerEnvKey names ${providerEnvKey}, which is not in the adapter's environment`,
      remedy: `add ${providerEnvKey} to its envFile, or to its env as a secret reference`
    }
  return undefined
}

const inSettingsFile = (settings: AgentCliSettings, env: Environment): Problem | undefined => {
  if (Option.isNone(settings.settingsFile)) return undefined
  const { path } = settings.settingsFile.value
  const file = configured(settings)
  if (Option.isNone(file))
    return {
      reason: `settingsFile ${path} is nothing that codex reads`,
      remedy: "name a config.toml (its folder becomes CODEX_HOME), or NAME.config.toml in CODEX_HOME"
    }
  const home = homeOf(env)
  return Option.contains(home, file.value.home)
    ? undefined
    : {
        reason: `settingsFile ${path} does not lie in CODEX_HOME (${Option.getOrElse(home, () => "not set")})`,
        remedy: "move it there, or set CODEX_HOME in the adapter's env to its folder"
      }
}

const inHome = (settings: AgentCliSettings, env: Environment): Problem | undefined => {
  const home = homeOf(env)
  if (Option.isNone(home))
    return { reason: "neither CODEX_HOME nor HOME is set", remedy: "set CODEX_HOME in the adapter's env" }
  const folder = home.value
  if (env.CODEX_HOME !== undefined && !existsSync(folder))
    return { reason: `CODEX_HOME ${folder} is not there`, remedy: `mkdir -p ${folder}` }
  const temporary = env.TMPDIR || "/tmp"
  const sandboxed =
    settings.autonomy === "restricted" && !Option.contains(settings.sandbox, "danger-full-access")
  // codex puts no helper into a temporary folder, and the system's bwrap does not find it then: every command
  // fails unseen, with exit code 0 in the end.
  return sandboxed && isInside(temporary, folder) && Bun.which("bwrap", { PATH: env.PATH ?? "" }) !== null
    ? {
        reason: `CODEX_HOME ${folder} lies below ${temporary}, where codex's sandbox does not work with the system's bwrap`,
        remedy: "set CODEX_HOME in the adapter's env to a folder elsewhere"
      }
    : undefined
}
