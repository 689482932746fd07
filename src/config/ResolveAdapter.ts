import { Option } from "effect"
import { type AdapterFile, DEFAULT_TIMEOUT_MS } from "./AdapterSchema.ts"
import type { AdapterSettings, ChildSettings, CommonSettings, SecretRef } from "./AdapterSettings.ts"
import { placed, program } from "./Paths.ts"
import type { Placed } from "./RuntimeConfig.ts"

type Place = (given: string) => Placed

/** An adapter's settings with their defaults; its relative paths lie in `folder`, that of its own file. */
export const adapterSettings = (
  id: string,
  file: AdapterFile,
  folder: string,
  home: string
): AdapterSettings => {
  const place: Place = (given) => placed(folder, home, given)
  const common = commonSettings(id, file)
  switch (file.mode) {
    case "script":
      return {
        ...common,
        ...childSettings(file, place, program(folder, home, file.command)),
        mode: file.mode,
        untrustedArgs: file.untrustedArgs ?? false
      }
    case "agent-cli":
      return {
        ...common,
        ...childSettings(file, place, program(folder, home, file.command)),
        mode: file.mode,
        driver: file.driver,
        model: Option.fromNullable(file.model),
        settingsFile: Option.map(Option.fromNullable(file.settingsFile), place),
        sandbox: Option.fromNullable(file.sandbox),
        autonomy: file.autonomy ?? "restricted",
        provider: provider(file)
      }
    case "ollama-generate":
      return {
        ...common,
        mode: file.mode,
        endpoint: withoutSlash(file.endpoint),
        model: file.model,
        options: file.options ?? {},
        keepAlive: Option.map(Option.fromNullable(file.keepAlive), keepAlive)
      }
    case "openai-chat":
      return {
        ...common,
        mode: file.mode,
        endpoint: withoutSlash(file.endpoint),
        model: file.model,
        apiKey: Option.map(Option.fromNullable(file.apiKey), (source) => secret(source, place))
      }
  }
}

const withoutSlash = (endpoint: string): string => endpoint.replace(/\/+$/, "")

const commonSettings = (id: string, file: AdapterFile): CommonSettings => ({
  id,
  timeoutMs: file.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  noOutputTimeoutMs: Option.fromNullable(file.noOutputTimeoutMs),
  workspace: file.workspace ?? (file.mode === "agent-cli" ? "exclusive" : "shared"),
  fallbackAdapter: Option.fromNullable(file.fallbackAdapter ?? file.fallback_adapter),
  retryHintService: Option.fromNullable(file.retryHintService ?? file.retry_hint_service),
  retry: {
    maxAttempts: Option.fromNullable(file.retry?.maxAttempts),
    backoffSeconds: Option.fromNullable(file.retry?.backoffSeconds),
    maxBackoffSeconds: Option.fromNullable(file.retry?.maxBackoffSeconds)
  }
})

type ChildFile = Extract<AdapterFile, { readonly mode: "script" | "agent-cli" }>

const childSettings = (
  file: ChildFile,
  place: Place,
  command: Placed
): Omit<ChildSettings, keyof CommonSettings> => ({
  command,
  extraArgs: file.extraArgs ?? [],
  env: Object.fromEntries(
    Object.entries(file.env ?? {}).map(([name, value]) => [
      name,
      typeof value === "string" ? value : secret(value, place)
    ])
  ),
  inheritEnv: file.inheritEnv ?? [],
  envFile: Option.map(Option.fromNullable(file.envFile), place),
  workingDir: Option.map(Option.fromNullable(file.workingDir), place)
})

type SecretFileForm = Exclude<NonNullable<ChildFile["env"]>[string], string>

const secret = (source: SecretFileForm, place: Place): SecretRef =>
  "secretFile" in source ? { secretFile: place(source.secretFile) } : source

/** The `provider*` keys that are set, as text, by their names in the file. */
const provider = (
  file: Extract<AdapterFile, { readonly mode: "agent-cli" }>
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(file)
      .filter(([key]) => key.startsWith("provider"))
      .map(([key, value]) => [key, String(value)])
  )

/** Ollama takes a text for a duration, which has a unit. */
const keepAlive = (given: string | number): string | number =>
  typeof given === "string" && /^\s*[+-]?\d+(\.\d+)?\s*$/.test(given) ? Number(given) : given
