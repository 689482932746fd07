import { Duration, Effect, Option, Schema } from "effect"
import { counted } from "../../src/domain/Figure.ts"
import { JsonObject } from "../../src/domain/Json.ts"
import { ask, forOperator, type Request, type ServerFailed } from "./ModelServerCall.ts"

/** How many tokens a prompt may take up, and what was chosen to hold it. */
export interface Context {
  /** `num_ctx` as it is sent; none where the model's own setting or the server's default stands. */
  readonly send: Option.Option<number>
  /** Tokens that prompt and answer have together; none where that is not known. */
  readonly holds: Option.Option<number>
  /** What mends a prompt that is too long for it. */
  readonly remedy: string
}

/** What a server tells of a model. */
export interface Shown {
  /** Tokens that the model was made for. */
  readonly length: Option.Option<number>
  /** `num_ctx` of its Modelfile. */
  readonly set: Option.Option<number>
}

/**
 * Room for the answer beside the prompt. An outcome is a page of JSON; models that cannot be kept from thinking
 * think in the same room.
 */
const ANSWER_TOKENS = 4_096

/** The least and the most that is chosen by itself: memory grows with it, and 4,096 is Ollama's own default. */
const LEAST_TOKENS = 8_192
const MOST_TOKENS = 131_072

/** Bytes of a token, as dense text (code, JSON, most other scripts than Latin) has them; prose has more. */
const BYTES_OF_DENSE_TOKEN = 3

/** No text that people or programs write has more bytes to a token, on the whole. */
const BYTES_OF_LONG_TOKEN = 8

/** So near to its limit a context was full: the rest holds no more than the marks around a message. */
const FULL_WITHIN = 8

const SHOWN_WITHIN = Duration.seconds(10)

/** Asks what is known of a model; nothing where the server tells nothing of it. */
export const shownBy = (request: Request): Effect.Effect<Shown, ServerFailed> =>
  Effect.map(ask(request, SHOWN_WITHIN), ({ status, text }) =>
    status === 200
      ? Option.match(decodeShown(text), { onNone: () => nothingShown, onSome: read })
      : nothingShown
  )

/** Of a model that nothing is known of. */
export const nothingShown: Shown = { length: Option.none(), set: Option.none() }

const decodeShown = Schema.decodeUnknownOption(
  Schema.parseJson(
    Schema.Struct({
      model_info: Schema.optional(Schema.NullOr(JsonObject)),
      parameters: Schema.optional(Schema.NullOr(Schema.String))
    })
  )
)

const read = (shown: Option.Option.Value<ReturnType<typeof decodeShown>>): Shown => ({
  // The key begins with the model's architecture: llama.context_length, qwen3.context_length.
  length: Option.fromNullable(
    Object.entries(shown.model_info ?? {}).find(([key]) => key.endsWith(".context_length"))?.[1]
  ).pipe(Option.flatMap(size)),
  set: size(Number(/^\s*num_ctx\s+"?(\d+)/m.exec(shown.parameters ?? "")?.[1]))
})

const size = (value: unknown): Option.Option<number> =>
  typeof value === "number" && Number.isFinite(value) && value > 0 ? Option.some(value) : Option.none()

/**
 * The context that a prompt is sent with. `options.num_ctx` stands where it is given, then the model's own
 * setting; else it is the smallest power of two that holds prompt and answer, for each other size makes the
 * server load the model again, but not more than the model was made for, nor than 131,072.
 */
export const contextFor = (prompt: string, given: unknown, shown: Shown): Context => {
  const atMost = (tokens: number) =>
    Option.match(shown.length, { onNone: () => tokens, onSome: (length) => Math.min(tokens, length) })
  if (Option.isSome(size(given)))
    return {
      send: Option.none(),
      holds: Option.map(size(given), atMost),
      remedy:
        "raise options.num_ctx, lower context_policy.max_prompt_chars, or use a model with a longer context"
    }
  const remedy =
    "lower context_policy.max_prompt_chars, set options.num_ctx, or use a model with a longer context"
  if (Option.isSome(shown.set)) return { send: Option.none(), holds: Option.map(shown.set, atMost), remedy }
  const wanted = Buffer.byteLength(prompt) / BYTES_OF_DENSE_TOKEN + ANSWER_TOKENS
  const power = 2 ** Math.ceil(Math.log2(Math.max(wanted, LEAST_TOKENS)))
  const chosen = atMost(Math.min(power, MOST_TOKENS))
  return { send: Option.some(chosen), holds: Option.some(chosen), remedy }
}

/** What is wrong with sending the prompt at all, told before it is sent. */
export const tooLongToSend = (
  prompt: string,
  model: string,
  { holds, remedy }: Context
): Option.Option<ServerFailed> => {
  const bytes = Buffer.byteLength(prompt)
  const least = Math.ceil(bytes / BYTES_OF_LONG_TOKEN)
  return Option.filter(holds, (tokens) => least > tokens).pipe(
    Option.map((tokens) =>
      forOperator(
        `the prompt has ${counted(bytes)} bytes, at least ${counted(least)} tokens; ${model} would read ${counted(tokens)} tokens of it: ${remedy}`
      )
    )
  )
}

/**
 * Whether a prompt that is sent may turn out to be too long, as a finding. A small context that an operator chose is
 * half the answer's: otherwise no prompt would be short enough for it.
 */
export const tightFit = (prompt: string, { holds }: Context): Option.Option<string> =>
  Option.filter(
    holds,
    (tokens) =>
      Buffer.byteLength(prompt) / BYTES_OF_DENSE_TOKEN + Math.min(ANSWER_TOKENS, tokens / 2) > tokens
  ).pipe(
    Option.map(
      (tokens) =>
        `prompt_may_be_too_long: the prompt of ${counted(Buffer.byteLength(prompt))} bytes and its answer may need more than the ${counted(tokens)} tokens of the context`
    )
  )

/**
 * Whether the server read less than it was sent, told by the number of tokens that it counted. A server that cuts
 * a prompt fills its context, or at least half of it, with the rest. A lower count is none of a cut: servers leave
 * out what they have cached of a prompt.
 */
export const wasTruncated = (
  prompt: string,
  promptTokens: number,
  { holds, remedy }: Context
): Option.Option<ServerFailed> =>
  Option.flatMap(holds, (tokens) => {
    const bytes = Buffer.byteLength(prompt)
    if (promptTokens >= tokens - FULL_WITHIN)
      return Option.some(
        forOperator(
          `the prompt filled the whole context: ${counted(promptTokens)} of ${counted(tokens)} tokens, and what did not fit was cut off; ${remedy}`
        )
      )
    // So much text that it can only have needed more than the half of the context that it takes up.
    return promptTokens >= tokens / 2 && bytes > promptTokens * BYTES_OF_LONG_TOKEN
      ? Option.some(
          forOperator(
            `the server read ${counted(promptTokens)} tokens of a prompt of ${counted(bytes)} bytes, in a context of ${counted(tokens)}: the rest was cut off; ${remedy}`
          )
        )
      : Option.none()
  })

/** Whether prompt and answer filled the context: then the answer was cut off for want of room. */
export const isFull = (tokens: number, { holds }: Context): boolean =>
  Option.exists(holds, (most) => tokens >= most - FULL_WITHIN)
