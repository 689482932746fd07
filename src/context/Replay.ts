import { Option } from "effect"
import type { AdapterSettings } from "../config/AdapterSettings.ts"
import type { ReplayGrade } from "../domain/Attempt.ts"
import type { Bundle } from "../domain/Bundle.ts"

/**
 * How far a bundle can be run again. A hosted model may change or vanish, which no frozen input mends; a dirty
 * or unborn workspace and an uncached input are not in the bundle; everything else is.
 */
export const replayGrade = (
  adapter: AdapterSettings,
  bundle: Pick<Bundle, "workspace" | "externalInputs">
): ReplayGrade => {
  if (isHosted(adapter)) return "non_replayable_model"
  const { repository, gitSha, dirty } = bundle.workspace
  const frozenTree = !repository || (Option.isSome(gitSha) && !Option.contains(dirty, true))
  return frozenTree && bundle.externalInputs.every((input) => input.cached) ? "inputs_frozen" : "best_effort"
}

/**
 * Whether the model belongs to somebody else: an agent CLI unless its `providerBaseUrl` says otherwise, a
 * model server unless its address is this host's or a private one. Ollama's cloud models run elsewhere.
 */
export const isHosted = (adapter: AdapterSettings): boolean => {
  switch (adapter.mode) {
    case "script":
      return false
    case "agent-cli":
      return !isOwnAddress(adapter.provider.providerBaseUrl)
    case "ollama-generate":
      return /[:-]cloud$/.test(adapter.model) || !isOwnAddress(adapter.endpoint)
    case "openai-chat":
      return !isOwnAddress(adapter.endpoint)
  }
}

const isOwnAddress = (address: string | undefined): boolean => {
  if (address === undefined || !URL.canParse(address)) return false
  const host = new URL(address).hostname.toLowerCase().replace(/^\[|\]$/g, "")
  return OWN.some((pattern) => pattern.test(host))
}

/** Loopback; private IPv4 (RFC 1918) and IPv6 (RFC 4193); names that the public DNS does not have. */
const OWN: ReadonlyArray<RegExp> = [
  /^localhost$|\.(localhost|local|lan|internal)$/,
  /^127\.\d+\.\d+\.\d+$|^::1$/,
  /^10\.\d+\.\d+\.\d+$|^192\.168\.\d+\.\d+$|^172\.(1[6-9]|2\d|3[01])\.\d+\.\d+$/,
  /^f[cd][0-9a-f]{2}:/
]
