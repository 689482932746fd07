import { Option } from "effect"
import type { AdapterSettings } from "../config/AdapterSettings.ts"
import type { Bundle } from "../domain/Bundle.ts"
import { canonicalText } from "./Canonical.ts"

/**
 * The adapter as a bundle records it. `args` are what changes its behaviour beside the keys of their own: the
 * `extraArgs` as they are, then other settings as `name=value`. Environment, secrets and addresses are never
 * in it; a payload's own arguments stand in the payload.
 */
export const adapterPart = (adapter: AdapterSettings, model: Option.Option<string>): Bundle["adapter"] => ({
  id: adapter.id,
  mode: adapter.mode,
  driver: adapter.mode === "agent-cli" ? Option.some(adapter.driver) : Option.none(),
  model,
  timeoutMs: adapter.timeoutMs,
  autonomy: adapter.mode === "agent-cli" ? Option.some(adapter.autonomy) : Option.none(),
  args: args(adapter)
})

const args = (adapter: AdapterSettings): ReadonlyArray<string> => {
  switch (adapter.mode) {
    case "script":
      return adapter.extraArgs
    case "agent-cli":
      return [
        ...adapter.extraArgs,
        ...Option.match(adapter.sandbox, { onNone: () => [], onSome: (sandbox) => [`sandbox=${sandbox}`] }),
        ...Option.match(adapter.settingsFile, {
          onNone: () => [],
          onSome: ({ given }) => [`settingsFile=${given}`]
        }),
        ...PROVIDER.flatMap((key) => {
          const value = adapter.provider[key]
          return value === undefined ? [] : [`${key}=${value}`]
        })
      ]
    case "ollama-generate":
      return Object.keys(adapter.options).length === 0 ? [] : [`options=${canonicalText(adapter.options)}`]
    case "openai-chat":
      return []
  }
}

/** The `provider*` keys that name no place and no variable of the host. */
const PROVIDER = ["providerId", "providerName", "providerWireApi"] as const
