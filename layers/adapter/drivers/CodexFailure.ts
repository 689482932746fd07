import { Option, Schema } from "effect"
import type { Execution } from "../../../src/adapter/AdapterRegistry.ts"
import { isObject, JsonObject } from "../../../src/domain/Json.ts"
import { after } from "../ChildVerdict.ts"

/** Why codex failed, and whether the same would fail again. */
export type Failure = Pick<Execution, "retryClass"> & { readonly reason: string }

type Kind = readonly [retryClass: Execution["retryClass"], remedy?: string]

const KEY =
  "check the provider's key: providerEnvKey and the variable of that name in the adapter's envFile or env, or run `codex login` with its CODEX_HOME"
const QUOTA = "raise the account's limit or name another adapter, then retry the task"
const REFUSED = "check the adapter's model, provider keys and extraArgs, then retry the task"
const MODEL = "correct the adapter's model, or its providerBaseUrl"
const SMALLER =
  "lower context_policy.max_prompt_chars of the profile, split the task, or name a model with more room"

const byStatus = (status: number): Kind => {
  if (status === 401 || status === 403) return ["none", KEY]
  if (status === 402) return ["none", QUOTA]
  if (status === 404) return ["none", MODEL]
  if (status === 408 || status === 409 || status === 425 || status === 429 || status >= 500)
    return ["retryable"]
  return ["none", REFUSED]
}

/** The beginnings of codex's own error texts (codex-rs/protocol/src/error.rs), 0.169.0. */
const KINDS: ReadonlyArray<readonly [RegExp, Kind]> = [
  [/^Missing environment variable/, ["none", KEY]],
  [/^Not logged in/, ["none", KEY]],
  [/^Your access token could not be refreshed/, ["none", KEY]],
  [/^Quota exceeded\./, ["none", QUOTA]],
  [/^You.ve hit your usage limit/, ["none", QUOTA]],
  [/^Your workspace is out of credits/, ["none", QUOTA]],
  [/^You hit your spend cap/, ["none", QUOTA]],
  [/^To use Codex with your ChatGPT plan/, ["none", QUOTA]],
  [/^Codex ran out of room in the model.s context window/, ["none", SMALLER]],
  // The next attempt's prompt says that the answer was cut off, so that it is not the same again.
  [/^Incomplete response returned, reason: max_output_tokens/, ["retryable", SMALLER]],
  [/^Incomplete response returned/, ["none", REFUSED]],
  // Of a 404 codex tells the provider's sentence alone; this is OpenAI's.
  [/^The model .+ does not exist/, ["none", MODEL]],
  [/^Access blocked by Cloudflare/, ["none", REFUSED]],
  [/^(Image poisoning|unsupported operation|codex-linux-sandbox was required)/, ["none", REFUSED]]
]

const STATUS = /^(?:unexpected status|exceeded retry limit, last status:) (\d{3})\b/

/** A request that was refused comes as the provider's body alone, whatever form that has. */
const Body = Schema.parseJson(JsonObject)

const QUOTAS = /^(insufficient_quota|billing_hard_limit|billing_not_active)/

const refusal = (body: JsonObject): Failure => {
  const { detail, error, message } = body
  const from = isObject(error) ? error : body
  const [code, words] = [from.code ?? from.type, [from.message, error, detail, message, from.code, from.type]]
  const said = words.find((one) => typeof one === "string" && one.trim() !== "") ?? JSON.stringify(body)
  const remedy = code === "model_not_found" ? MODEL : QUOTAS.test(String(code)) ? QUOTA : REFUSED
  return told(`the request was refused: ${said}`, ["none", remedy])
}

const told = (message: string, [retryClass, remedy]: Kind): Failure => ({
  retryClass,
  reason: remedy === undefined ? message : `${message.replace(/[.;]$/, "")}; ${remedy}`
})

/**
 * Judges by the message of codex's own `turn.failed` or `error`, by how it begins: what follows may be a
 * provider's text. What is not known is worth another attempt.
 */
export const turnFailure = (message: string): Failure => {
  const [, status] = STATUS.exec(message) ?? []
  if (status !== undefined) return told(message, byStatus(Number(status)))
  const body = Schema.decodeUnknownOption(Body)(message)
  if (Option.isSome(body)) return refusal(body.value)
  return told(message, KINDS.find(([pattern]) => pattern.test(message))?.[1] ?? ["retryable"])
}

const NOISE = /^(WARNING: proceeding, even though|warning: |Reading |\s|$)/

/** What codex says on stderr when it fails before its protocol: the paragraph that begins with its error. */
const complaint = (stderr: string): string => {
  const lines = stderr.split("\n")
  const at = lines.findIndex((line) => /^error\b/i.test(line))
  if (at === -1) return lines.filter((line) => !NOISE.test(line)).at(-1) ?? ""
  const end = lines.findIndex((line, index) => index > at && line.trim() === "")
  return lines.slice(at, end === -1 ? undefined : end).join(" ")
}

const CANNOT = [
  /^Error loading config/,
  /^Error finding codex home/,
  /^Error: Model provider `/,
  /^Failed to read output schema/,
  /^No prompt provided/,
  /^Not inside a trusted directory/
]

/** Judges a run that failed without an error of its protocol: flags and configuration are never mended by time. */
export const earlyFailure = (code: number, stderr: string): Failure => {
  const said = complaint(stderr)
  const message = after(`exit code ${code}`, said)
  if (code === 2 || CANNOT.some((pattern) => pattern.test(said)))
    return { retryClass: "permanent", reason: message }
  const bare = said.replace(/^error: /i, "")
  if (/^(turn\/start: )?.*Input exceeds the maximum length of \d+ characters/.test(bare))
    return told(message, ["none", SMALLER])
  const kind = KINDS.find(([pattern]) => pattern.test(bare))?.[1]
  return told(message, kind ?? ["retryable"])
}
