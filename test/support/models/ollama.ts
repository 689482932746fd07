import { Schema } from "effect"
import { type Answer, type Pace, USAGE } from "./scenario.ts"
import { type Piece, partsOf, stream } from "./stream.ts"

/** The one model that the stubbed Ollama has. */
export const OLLAMA_MODEL = "stub"

/** What the stub reads of a request to `/api/chat`, `/api/generate` and `/api/show`. */
export const Ollama = Schema.Struct({
  model: Schema.String,
  stream: Schema.optional(Schema.Boolean),
  prompt: Schema.optional(Schema.String),
  messages: Schema.optional(Schema.Array(Schema.Struct({ content: Schema.String }))),
  options: Schema.optional(Schema.Struct({ num_ctx: Schema.optional(Schema.Number) }))
})

/** The context of a model whose request names none, where there is little memory. */
const USUAL_CONTEXT = 4096

// Four characters to a token, and no more than the context holds: the rest is cut off silently.
const promptTokens = ({ messages, options, prompt }: typeof Ollama.Type): number => {
  const length = (messages ?? []).reduce((sum, { content }) => sum + content.length, prompt?.length ?? 0)
  return Math.min(Math.ceil(length / 4), options?.num_ctx ?? USUAL_CONTEXT)
}

const details = { format: "gguf", family: "stub", families: ["stub"], parameter_size: "1B" }

const isHere = (model: string) => model === OLLAMA_MODEL || model === `${OLLAMA_MODEL}:latest`

const missing = (model: string) =>
  Response.json({ error: `model "${model}" not found, try pulling it first` }, { status: 404 })

/** Answers the routes that only look: version, the models that are here, the models that are loaded. */
export const look = (path: string): Response | undefined => {
  if (path === "/api/version") return Response.json({ version: "0.99.0" })
  if (path === "/api/ps") return Response.json({ models: [] })
  if (path !== "/api/tags") return undefined
  const name = `${OLLAMA_MODEL}:latest`
  return Response.json({ models: [{ name, model: name, size: 1, digest: "0".repeat(64), details }] })
}

export const show = ({ model }: typeof Ollama.Type): Response =>
  isHere(model)
    ? Response.json({
        details,
        model_info: { "stub.context_length": 131_072 },
        capabilities: ["completion", "tools"]
      })
    : missing(model)

const failureOf = (failure: Extract<Answer, { _tag: "Fails" }>, model: string): Response => {
  if (failure.status === 404) return missing(model)
  const error =
    failure.kind === "context"
      ? "the input length exceeds the context length"
      : failure.kind === "quota"
        ? "you have reached your usage limit, upgrade for higher limits"
        : `the stub answers ${failure.status}`
  return Response.json(
    { error },
    {
      status: failure.status,
      headers: failure.retryAfter === undefined ? {} : { "retry-after": String(failure.retryAfter) }
    }
  )
}

/** Answers `/api/chat` and `/api/generate`, streamed unless told not to; it calls no tools. */
export const generate = (
  path: string,
  request: typeof Ollama.Type,
  answer: Exclude<Answer, { _tag: "Nothing" }>,
  pace: Pace
): Response => {
  const { model, stream: streams } = request
  if (answer._tag === "Fails") return failureOf(answer, model)
  if (!isHere(model)) return missing(model)
  const said = answer._tag === "Says" ? answer : { text: "", end: "stop" as const }
  const frame = { model, created_at: "2026-01-01T00:00:00Z" }
  const part = (content: string) =>
    path === "/api/chat" ? { message: { role: "assistant", content } } : { response: content }
  const end = {
    done: true,
    done_reason: said.end === "length" ? "length" : "stop",
    total_duration: 2_000_000_000,
    load_duration: 500_000_000,
    prompt_eval_count: promptTokens(request),
    prompt_eval_duration: 500_000_000,
    eval_count: USAGE.output,
    eval_duration: 1_000_000_000
  }
  if (streams === false) return Response.json({ ...frame, ...part(said.text), ...end })
  const line = (value: object): string => `${JSON.stringify(value)}\n`
  const parts = partsOf(said.text, 40).map(
    (content): Piece => ({ part: true, text: line({ ...frame, ...part(content), done: false }) })
  )
  const first = line({ ...frame, ...part(""), done: false })
  return stream([{ text: first }, ...parts, { text: line({ ...frame, ...part(""), ...end }) }], {
    pace,
    type: "application/x-ndjson",
    failure: line({ error: "the stub fails" })
  })
}
