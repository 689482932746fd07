import { Either, Option, Schema } from "effect"
import type { Redactor } from "../../src/domain/Redactor.ts"
import { type Figures, makeFigures } from "./Figures.ts"
import { type Plain, plainly } from "./Lines.ts"
import type { Account } from "./ModelServer.ts"
import { forOperator, later, type ServerFailed } from "./ModelServerCall.ts"
import { makeEvents, type Taken } from "./ModelServerLines.ts"
import { failureOf, type Remedies, refusalWithin } from "./ModelServerRefusal.ts"

const text = Schema.optional(Schema.NullOr(Schema.String))

const Message = Schema.Struct({
  // Some servers send parts instead of a text: only what is text is taken.
  content: Schema.optional(Schema.Unknown),
  refusal: text,
  reasoning: Schema.optional(Schema.Unknown),
  reasoning_content: Schema.optional(Schema.Unknown)
})

const Chunk = Schema.Struct({
  error: Schema.optional(Schema.Unknown),
  model: text,
  choices: Schema.optional(
    Schema.NullOr(
      Schema.Array(
        Schema.Struct({
          index: Schema.optional(Schema.NullOr(Schema.Number)),
          delta: Schema.optional(Schema.NullOr(Message)),
          // Servers that do not stream answer with a message.
          message: Schema.optional(Schema.NullOr(Message)),
          finish_reason: text
        })
      )
    )
  ),
  usage: Schema.optional(Schema.Unknown)
})
type Chunk = typeof Chunk.Type

const decode = Schema.decodeUnknownEither(Schema.parseJson(Chunk))

/** What an answer is judged by. */
export interface Asked {
  readonly host: string
  readonly redactor: Redactor
  readonly remedies: Remedies
}

/** So much of a refusal is kept: far more than is told, so that nothing is told that was cut before it was masked. */
const MOST_REFUSED = 64 * 1024

/** Ways to say that the model came to its end: OpenAI's, and those of text-generation-inference. */
const FINISHED = ["stop", "eos_token", "stop_sequence"]

/**
 * Reads the events of an answer of `/chat/completions`. `judge` tells what is wrong with it once nothing more
 * comes; `isFinished` whether the model itself has come to its end, good or bad.
 */
export const openAiAnswer = ({ host, redactor, remedies }: Asked, account: Account) => {
  let finish: string | undefined
  let refused = ""
  let frames = 0
  let thought = false
  let streamed = false
  const plain = plainly(redactor)
  const figures = makeFigures(account.remark, redactor)

  const choose = (choice: NonNullable<Chunk["choices"]>[number]): Option.Option<ServerFailed> => {
    const message = choice.delta ?? choice.message ?? {}
    streamed ||= (choice.delta ?? undefined) !== undefined
    refused = `${refused}${message.refusal ?? ""}`.slice(0, MOST_REFUSED)
    const isThought = [message.reasoning, message.reasoning_content].some(isSaid)
    if (isThought && !thought) account.note("the model thinks first; its thoughts are not part of the answer")
    thought ||= isThought
    if (isThought || isSaid(message.refusal)) account.heard()
    const tooMuch = account.say(textOf(message.content))
    if (isSaid(choice.finish_reason)) {
      finish = choice.finish_reason
      account.finished(() => judge("end"))
    }
    return tooMuch
  }

  const take = (data: string): Taken => {
    if (data.trim() === "[DONE]") return "done"
    const read = decode(data)
    if (Either.isLeft(read))
      return later(`${host} sent an event that is no chat completion: ${plain(data, 120)}`)
    const chunk = read.right
    if (chunk.error !== undefined && chunk.error !== null)
      return failureOf(host, refusalWithin(chunk.error, redactor), remedies)
    frames++
    tell(chunk, account, figures, plain)
    const [choice] = (chunk.choices ?? []).filter((one) => (one.index ?? 0) === 0)
    return choice === undefined ? "more" : Option.getOrElse(choose(choice), () => "more" as const)
  }

  const events = makeEvents(take)
  const judge = (end: "done" | "end"): Option.Option<ServerFailed> => {
    account.fact({ finish_reason: finish === undefined ? null : plain(finish, 80) })
    if (refused.trim() !== "") return Option.some(refusedBy(`the model refused: ${plain(refused, 300)}`))
    if (finish === undefined)
      return Option.some(
        frames === 0
          ? later(`${host} sent no chat completion; check the adapter's endpoint (its /v1)`)
          : end === "done"
            ? later(`${host} ended the answer without a finish_reason`)
            : later(
                `${host} ended the stream after ${account.said()} characters of the answer, before it was done (no finish_reason, no [DONE])`
              )
      )
    const wrong = wrongWith(finish, plain)
    // One whole message is no stream, and has no end of its own.
    if (Option.isNone(wrong) && end === "end" && streamed)
      account.remark("stream_without_done: the stream ended without [DONE] after finish_reason stop")
    return wrong
  }
  return {
    line: events.line,
    /** Takes an event that the stream broke off behind. */
    end: events.end,
    isFinished: () => finish !== undefined,
    judge
  }
}

// The same request would be refused again, as claude-code's refusals are judged.
const refusedBy = (what: string): ServerFailed =>
  forOperator(`${what}; reword the task, or use another model`)

const wrongWith = (finish: string, plain: Plain): Option.Option<ServerFailed> => {
  if (FINISHED.includes(finish)) return Option.none()
  switch (finish) {
    case "length":
      // The next attempt's prompt tells the model that it was cut off, so that it is not the same again.
      return Option.some(later("the answer was cut off (finish_reason length) at the server's limit"))
    case "content_filter":
      return Option.some(
        refusedBy("the server's content filter ended the answer (finish_reason content_filter)")
      )
    case "tool_calls":
    case "function_call":
      return Option.some(later(`the model called a tool (finish_reason ${finish}), though none was offered`))
    default:
      return Option.some(later(`the answer ended with finish_reason ${plain(finish, 80)} and not with stop`))
  }
}

const textOf = (content: unknown): string => {
  if (typeof content === "string") return content
  return Array.isArray(content)
    ? content.map((part: unknown) => (isText(part) ? part.text : "")).join("")
    : ""
}

const isSaid = (text: unknown): text is string => typeof text === "string" && text !== ""

const isText = Schema.is(Schema.Struct({ type: Schema.Literal("text"), text: Schema.String }))

const tell = ({ model, usage }: Chunk, account: Account, { object, tokens }: Figures, plain: Plain): void => {
  if (typeof model === "string" && model !== "") account.fact({ model: plain(model, 200) })
  if (usage === undefined || usage === null) return
  const { completion_tokens, prompt_tokens, prompt_tokens_details } = object("usage", usage)
  const { cached_tokens } = object("prompt_tokens_details", prompt_tokens_details)
  account.spent({
    inputTokens: tokens("prompt_tokens", prompt_tokens),
    outputTokens: tokens("completion_tokens", completion_tokens),
    cachedTokens: tokens("cached_tokens", cached_tokens)
  })
}
