import { basename, dirname, join } from "node:path"
import { Option, Schema } from "effect"
import type { AgentCliSettings } from "../../../src/config/AdapterSettings.ts"
import { readPlainText } from "../../config/PlainFile.ts"

/** A text as a basic string of TOML. JSON's form is one, but for DEL. */
export const text = (value: string): string => JSON.stringify(value).replaceAll("\u007f", "\\u007f")

/** An inline table of TOML; its values are TOML already. */
export const table = (pairs: ReadonlyArray<readonly [key: string, value: string]>): string =>
  `{${pairs.map(([key, value]) => `${text(key)}=${value}`).join(",")}}`

/** The words that set a key of codex's configuration for one run; the value is TOML. */
export const set = (key: string, value: string): ReadonlyArray<string> => ["-c", `${key}=${value}`]

/** The ids that codex refuses to have redefined (0.169.0). */
export const BUILT_IN = ["openai", "ollama", "lmstudio", "amazon-bedrock"]

/** The provider's id where the adapter gives an address without one. */
const UNNAMED = "agent-runtime"

/**
 * The words that tell codex its model provider. codex's own retries are off for it, so that the runtime's
 * back-off is the only one; one that is built in keeps its own.
 */
export const providerWords = (settings: AgentCliSettings): ReadonlyArray<string> => {
  const { provider } = settings
  const { providerBaseUrl, providerEnvKey, providerRequiresOpenAIAuth, providerWireApi } = provider
  if (Object.keys(provider).length === 0) return []
  const id = provider.providerId ?? UNNAMED
  const name = provider.providerName ?? (providerBaseUrl === undefined ? undefined : id)
  const given: ReadonlyArray<readonly [string, string | undefined]> = [
    ["name", name === undefined ? undefined : text(name)],
    ["base_url", providerBaseUrl === undefined ? undefined : text(providerBaseUrl)],
    ["wire_api", providerBaseUrl === undefined ? undefined : text(providerWireApi ?? "responses")],
    ["env_key", providerEnvKey === undefined ? undefined : text(providerEnvKey)],
    ["requires_openai_auth", providerRequiresOpenAIAuth],
    ["request_max_retries", "0"],
    ["stream_max_retries", "0"],
    ["stream_idle_timeout_ms", Option.getOrUndefined(Option.map(settings.noOutputTimeoutMs, String))]
  ]
  const keys = given.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]))
  return [
    ...set("model_provider", text(id)),
    ...(BUILT_IN.includes(id) ? [] : set("model_providers", table([[id, table(keys)]])))
  ]
}

/** Where codex keeps its configuration, login and sessions; none when neither it nor a home is named. */
export const homeOf = (env: Readonly<Record<string, string>>): Option.Option<string> =>
  env.CODEX_HOME !== undefined && env.CODEX_HOME !== ""
    ? Option.some(env.CODEX_HOME)
    : Option.map(Option.fromNullable(env.HOME), (home) => join(home, ".codex"))

/** What a settings file is to codex: its main one in a home of its own, or a profile in a home. */
export interface Configured {
  readonly home: string
  readonly profile: Option.Option<string>
}

/** None where the adapter names no settings file, or one that codex has no use for. */
export const configured = ({ settingsFile }: AgentCliSettings): Option.Option<Configured> =>
  Option.flatMap(settingsFile, ({ path }) => {
    const home = dirname(path)
    if (basename(path) === "config.toml") return Option.some({ home, profile: Option.none<string>() })
    const [, name] = /^([A-Za-z0-9_-]+)\.config\.toml$/.exec(basename(path)) ?? []
    return name === undefined ? Option.none() : Option.some({ home, profile: Option.some(name) })
  })

const Servers = Schema.Struct({
  mcp_servers: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.Unknown }))
})

// A file that cannot be read or is broken stops codex itself, with its own words.
const serversIn = (path: string): ReadonlyArray<string> => {
  try {
    const found = Schema.decodeUnknownOption(Servers)(Bun.TOML.parse(readPlainText(path)))
    return Option.match(found, { onNone: () => [], onSome: (file) => Object.keys(file.mcp_servers ?? {}) })
  } catch {
    return []
  }
}

/** The MCP servers of the configuration, each with the table that switches it off. */
export const mcpServersOff = (
  settings: AgentCliSettings,
  home: Option.Option<string>
): ReadonlyArray<readonly [string, string]> => {
  const files = [
    ...Option.toArray(Option.map(home, (folder) => join(folder, "config.toml"))),
    ...Option.toArray(Option.map(settings.settingsFile, ({ path }) => path))
  ]
  return [...new Set(files.flatMap(serversIn))].map((name) => [name, table([["enabled", "false"]])])
}
