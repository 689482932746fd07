import { Schema } from "effect"
import { textOf } from "./responses.ts"
import { type Answer, type Pace, USAGE } from "./scenario.ts"
import { event, type Piece, partsOf, stream } from "./stream.ts"

/** What the stub reads of a request to `POST /v1/messages`. */
export const Messages = Schema.Struct({
  model: Schema.String,
  stream: Schema.optional(Schema.Boolean),
  tools: Schema.optional(Schema.Array(Schema.Struct({ name: Schema.String }))),
  messages: Schema.Array(
    Schema.Struct({
      content: Schema.Union(
        Schema.String,
        Schema.Array(
          Schema.Struct({
            type: Schema.String,
            name: Schema.optional(Schema.String),
            content: Schema.optional(Schema.Unknown)
          })
        )
      )
    })
  )
})

const types: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
  500: "api_error",
  529: "overloaded_error"
}

const failureOf = (failure: Extract<Answer, { _tag: "Fails" }>, model: string): Response => {
  const [status, message] =
    failure.kind === "context"
      ? [400, "prompt is too long: 300000 tokens > 200000 maximum"]
      : failure.kind === "quota"
        ? [
            400,
            "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."
          ]
        : [failure.status, failure.status === 404 ? `model: ${model}` : `the stub answers ${failure.status}`]
  return Response.json(
    {
      type: "error",
      error: { type: types[status] ?? "api_error", message },
      request_id: "req_stub"
    },
    {
      status,
      headers: failure.retryAfter === undefined ? {} : { "retry-after": String(failure.retryAfter) }
    }
  )
}

/** What the last tool call of a request printed. */
export const printedToMessages = ({ messages }: typeof Messages.Type): string | undefined => {
  const results = messages.flatMap(({ content }) =>
    typeof content === "string" ? [] : content.filter(({ type }) => type === "tool_result")
  )
  const last = results.at(-1)
  return last === undefined ? undefined : textOf(last.content)
}

/** The tool by which claude-code takes an answer that is bound to a schema. */
const STRUCTURED = "StructuredOutput"

// As a model does that was handed a schema: an outcome goes by the tool, and after it there is nothing to say.
const bound = (
  request: typeof Messages.Type,
  answer: Exclude<Answer, { _tag: "Fails" | "Nothing" }>
): Given => {
  const given = request.messages.some(
    ({ content }) =>
      typeof content !== "string" &&
      content.some(({ name, type }) => type === "tool_use" && name === STRUCTURED)
  )
  if (given) return { _tag: "Says", text: "", end: "stop" }
  const offered = request.tools?.some(({ name }) => name === STRUCTURED) === true
  return offered && answer._tag === "Says" && answer.end === "stop" && answer.text.startsWith("{")
    ? { input: JSON.parse(answer.text) }
    : answer
}

const id = (prefix: string) => `${prefix}_${crypto.randomUUID().replaceAll("-", "")}`

const usage = {
  input_tokens: USAGE.input - USAGE.cached,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: USAGE.cached,
  output_tokens: USAGE.output
}

type Given = Exclude<Answer, { _tag: "Fails" | "Nothing" }> | { readonly input: unknown }

const blockOf = (answer: Given) => {
  if ("input" in answer) return { type: "tool_use", id: id("toolu"), name: STRUCTURED, input: answer.input }
  if (answer._tag === "Says") return { type: "text", text: answer.text }
  const call = { type: "tool_use", id: id("toolu") }
  return answer._tag === "Runs"
    ? { ...call, name: "Bash", input: { command: answer.command, description: "a stubbed command" } }
    : { ...call, name: "Write", input: { file_path: answer.path, content: answer.content } }
}

const STOPS = { stop: "end_turn", length: "max_tokens", refusal: "refusal" } as const

/** Answers `POST /v1/messages`, streamed or at once, with the tools Bash and Write of claude-code. */
export const message = (
  request: typeof Messages.Type,
  plain: Exclude<Answer, { _tag: "Nothing" }>,
  pace: Pace
): Response => {
  if (plain._tag === "Fails") return failureOf(plain, request.model)
  const answer = bound(request, plain)
  const block = blockOf(answer)
  const says = "_tag" in answer && answer._tag === "Says" ? answer : undefined
  const said = says !== undefined
  const stop_reason = says === undefined ? "tool_use" : STOPS[says.end]
  const content = says?.text === "" ? [] : [block]
  const whole = {
    id: id("msg"),
    type: "message",
    role: "assistant",
    model: request.model,
    content,
    stop_reason,
    stop_sequence: null,
    usage
  }
  if (request.stream !== true) return Response.json(whole)
  const sent = (type: string, more: object = {}): string => event({ type, ...more }, type)
  const begun = { ...whole, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } }
  const text = says?.text ?? JSON.stringify("input" in block ? block.input : {})
  const deltas = partsOf(text, 60).map(
    (part): Piece => ({
      part: true,
      text: sent("content_block_delta", {
        index: 0,
        delta: said ? { type: "text_delta", text: part } : { type: "input_json_delta", partial_json: part }
      })
    })
  )
  const empty = said ? { type: "text", text: "" } : { ...block, input: {} }
  return stream(
    [
      { text: sent("message_start", { message: begun }) },
      ...(content.length === 0
        ? []
        : [
            { text: sent("content_block_start", { index: 0, content_block: empty }) },
            ...deltas,
            { text: sent("content_block_stop", { index: 0 }) }
          ]),
      {
        text: sent("message_delta", {
          delta: { stop_reason, stop_sequence: null },
          usage: { output_tokens: USAGE.output }
        })
      },
      { text: sent("message_stop") }
    ],
    {
      pace,
      type: "text/event-stream",
      failure: sent("error", { error: { type: "overloaded_error", message: "the stub fails" } })
    }
  )
}
