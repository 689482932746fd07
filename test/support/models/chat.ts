import { Schema } from "effect"
import { openAiFailure } from "./responses.ts"
import { type Answer, type Pace, USAGE } from "./scenario.ts"
import { event, type Piece, partsOf, stream } from "./stream.ts"

/** What the stub reads of a request to `POST /chat/completions`. */
export const Chat = Schema.Struct({
  model: Schema.String,
  stream: Schema.optional(Schema.Boolean),
  stream_options: Schema.optional(
    Schema.NullOr(Schema.Struct({ include_usage: Schema.optional(Schema.Boolean) }))
  )
})

const usage = {
  prompt_tokens: USAGE.input,
  completion_tokens: USAGE.output,
  total_tokens: USAGE.input + USAGE.output,
  prompt_tokens_details: { cached_tokens: USAGE.cached },
  completion_tokens_details: { reasoning_tokens: 0 }
}

const FINISHES = { stop: "stop", length: "length", refusal: "content_filter" } as const

/** Answers `POST /chat/completions`, streamed or at once; it calls no tools. */
export const complete = (
  { model, stream: streams, stream_options }: typeof Chat.Type,
  answer: Exclude<Answer, { _tag: "Nothing" }>,
  pace: Pace
): Response => {
  if (answer._tag === "Fails") return openAiFailure(answer, model)
  const said = answer._tag === "Says" ? answer : { text: "", end: "stop" as const }
  const finish_reason = FINISHES[said.end]
  const frame = { id: "chatcmpl-stub", created: 0, model }
  if (streams !== true)
    return Response.json({
      ...frame,
      object: "chat.completion",
      choices: [{ index: 0, message: { role: "assistant", content: said.text }, finish_reason }],
      usage
    })
  const chunk = (choices: ReadonlyArray<unknown>, more: object = {}): string =>
    event({ ...frame, object: "chat.completion.chunk", choices, ...more })
  const parts = partsOf(said.text, 60).map(
    (content): Piece => ({
      part: true,
      text: chunk([{ index: 0, delta: { content }, finish_reason: null }])
    })
  )
  return stream(
    [
      { text: chunk([{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }]) },
      ...parts,
      { text: chunk([{ index: 0, delta: {}, finish_reason }]) },
      ...(stream_options?.include_usage === true ? [{ text: chunk([], { usage }) }] : []),
      { text: "data: [DONE]\n\n" }
    ],
    {
      pace,
      type: "text/event-stream",
      failure: event({ error: { message: "the stub fails", type: "server_error", code: null } })
    }
  )
}
