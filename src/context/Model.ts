import { Option } from "effect"
import type { AdapterSettings } from "../config/AdapterSettings.ts"
import type { Bundle } from "../domain/Bundle.ts"

/** The model that an attempt runs with: the one that its task requests, else its adapter's. A script has none. */
export const modelOf = (
  adapter: AdapterSettings,
  requested: Option.Option<string> = Option.none()
): Option.Option<string> => {
  if (adapter.mode === "script") return Option.none()
  return Option.orElse(requested, () =>
    adapter.mode === "agent-cli" ? adapter.model : Option.some(adapter.model)
  )
}

/** The model that a recorded bundle is run again with: the recorded one; on another adapter, that one's own. */
export const modelOfReplay = (
  adapter: AdapterSettings,
  recorded: Pick<Bundle, "adapter">
): Option.Option<string> =>
  adapter.id === recorded.adapter.id && adapter.mode === recorded.adapter.mode
    ? recorded.adapter.model
    : modelOf(adapter)
