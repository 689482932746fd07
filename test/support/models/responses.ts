import { Schema } from "effect"
import { type Answer, type Pace, USAGE } from "./scenario.ts"
import { event, type Piece, partsOf, stream } from "./stream.ts"

/** What the stub reads of a request to `POST /responses`. */
export const Responses = Schema.Struct({
  model: Schema.String,
  stream: Schema.optional(Schema.Boolean),
  input: Schema.Array(
    Schema.Struct({ type: Schema.optional(Schema.String), output: Schema.optional(Schema.Unknown) })
  )
})

const errors: Readonly<Record<number, readonly [type: string, code: string | null]>> = {
  400: ["invalid_request_error", null],
  401: ["invalid_request_error", "invalid_api_key"],
  403: ["permission_error", null],
  404: ["invalid_request_error", "model_not_found"],
  429: ["rate_limit_exceeded", "rate_limit_exceeded"],
  500: ["server_error", null]
}

const ofFailure = (
  failure: Extract<Answer, { _tag: "Fails" }>,
  model: string
): readonly [type: string, code: string | null, message: string] => {
  if (failure.kind === "context")
    return [
      "invalid_request_error",
      "context_length_exceeded",
      "Your input exceeds the context window of this model."
    ]
  if (failure.kind === "quota")
    return ["insufficient_quota", "insufficient_quota", "You exceeded your current quota."]
  const [type, code] = errors[failure.status] ?? ["server_error", null]
  return [
    type,
    code,
    failure.status === 404
      ? `The model \`${model}\` does not exist or you do not have access to it.`
      : `the stub answers ${failure.status}`
  ]
}

/** A failure as OpenAI's servers tell it, whichever of their routes was asked. */
export const openAiFailure = (failure: Extract<Answer, { _tag: "Fails" }>, model: string): Response => {
  const [type, code, message] = ofFailure(failure, model)
  return Response.json(
    { error: { message, type, param: null, code } },
    {
      status: failure.status,
      headers: failure.retryAfter === undefined ? {} : { "retry-after": String(failure.retryAfter) }
    }
  )
}

/** What the last tool call of a request printed. */
export const printedToResponses = ({ input }: typeof Responses.Type): string | undefined => {
  const last = input.findLast(({ type }) => type?.endsWith("_call_output"))
  return last === undefined ? undefined : textOf(last.output)
}

/** The text of a tool's output, told as a string or as anything else. */
export const textOf = (output: unknown): string =>
  typeof output === "string" ? output : JSON.stringify(output ?? "")

const id = (prefix: string) => `${prefix}_${crypto.randomUUID().replaceAll("-", "")}`

const usage = {
  input_tokens: USAGE.input,
  input_tokens_details: { cached_tokens: USAGE.cached },
  output_tokens: USAGE.output,
  output_tokens_details: { reasoning_tokens: 30 },
  total_tokens: USAGE.input + USAGE.output
}

const itemOf = (answer: Exclude<Answer, { _tag: "Fails" | "Nothing" }>) => {
  if (answer._tag === "Says")
    return {
      type: "message",
      id: id("msg"),
      role: "assistant",
      status: "completed",
      content: answer.text === "" ? [] : [{ type: "output_text", text: answer.text, annotations: [] }]
    }
  const cmd =
    answer._tag === "Runs" ? answer.command : `cat > '${answer.path}' <<'END'\n${answer.content}END\n`
  return {
    type: "function_call",
    id: id("fc"),
    call_id: id("call"),
    name: "exec_command",
    // Without it a command that goes on is handed back to the model after a few seconds.
    arguments: JSON.stringify({ cmd, yield_time_ms: 30_000 }),
    status: "completed"
  }
}

/** Answers `POST /responses`, streamed or at once, with `exec_command` as the tool that every codex has. */
export const respond = (
  { model, stream: streams }: typeof Responses.Type,
  answer: Exclude<Answer, { _tag: "Nothing" }>,
  pace: Pace
): Response => {
  if (answer._tag === "Fails") return openAiFailure(answer, model)
  const item = itemOf(answer)
  const begun = { id: id("resp"), object: "response", status: "in_progress", model, output: [] }
  const cutShort = answer._tag === "Says" && answer.end === "length"
  const done = {
    ...begun,
    status: cutShort ? "incomplete" : "completed",
    ...(cutShort ? { incomplete_details: { reason: "max_output_tokens" } } : {}),
    output: [item],
    usage
  }
  if (streams !== true) return Response.json(done)
  let sequence = 0
  const sent = (type: string, more: object): string =>
    event({ type, sequence_number: sequence++, ...more }, type)
  const place = { output_index: 0 }
  const deltas =
    answer._tag !== "Says"
      ? []
      : partsOf(answer.text, 60).map(
          (delta): Piece => ({
            part: true,
            text: sent("response.output_text.delta", { ...place, item_id: item.id, content_index: 0, delta })
          })
        )
  const failure = { ...begun, status: "failed", error: { code: "server_error", message: "the stub fails" } }
  return stream(
    [
      { text: sent("response.created", { response: begun }) },
      { text: sent("response.output_item.added", { ...place, item: { ...item, status: "in_progress" } }) },
      ...deltas,
      { text: sent("response.output_item.done", { ...place, item }) },
      { text: sent(cutShort ? "response.incomplete" : "response.completed", { response: done }) }
    ],
    { pace, type: "text/event-stream", failure: sent("response.failed", { response: failure }) }
  )
}
