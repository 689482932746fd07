import { Either, Option, Schema } from "effect"
import { counted } from "../../src/domain/Figure.ts"
import type { Redactor } from "../../src/domain/Redactor.ts"
import { tokensTold } from "../../src/domain/Usage.ts"
import { type Figures, makeFigures } from "./Figures.ts"
import { type Plain, plainly } from "./Lines.ts"
import type { Account } from "./ModelServer.ts"
import { forOperator, later, type ServerFailed } from "./ModelServerCall.ts"
import type { Taken } from "./ModelServerLines.ts"
import { failureOf, type Remedies, refusalWithin } from "./ModelServerRefusal.ts"
import { type Context, isFull, wasTruncated } from "./OllamaContext.ts"

const text = Schema.optional(Schema.NullOr(Schema.String))
const figure = Schema.optional(Schema.Unknown)

const Line = Schema.Struct({
  error: Schema.optional(Schema.Unknown),
  status_code: Schema.optional(Schema.Unknown),
  model: text,
  message: Schema.optional(Schema.NullOr(Schema.Struct({ content: text, thinking: text }))),
  done: Schema.optional(Schema.Unknown),
  done_reason: text,
  total_duration: figure,
  load_duration: figure,
  prompt_eval_count: figure,
  prompt_eval_duration: figure,
  eval_count: figure,
  eval_duration: figure
})
type Line = typeof Line.Type

const decode = Schema.decodeUnknownEither(Schema.parseJson(Line))

/** What an answer is judged by. */
export interface Asked {
  readonly host: string
  readonly prompt: string
  readonly context: Context
  readonly redactor: Redactor
  readonly remedies: Remedies
}

/** Reads the lines of an answer of `/api/chat`; `ended` judges a stream that came to its end without `done`. */
export const ollamaAnswer = (asked: Asked, account: Account) => {
  const { host, redactor, remedies } = asked
  let thought = false
  const plain = plainly(redactor)
  const figures = makeFigures(account.remark, redactor)
  const line = (raw: string): Taken => {
    if (raw.trim() === "") return "more"
    const read = decode(raw)
    if (Either.isLeft(read))
      return later(`${host} sent a line that is no answer of Ollama's: ${plain(raw, 120)}`)
    const told = read.right
    if (told.error !== undefined && told.error !== null)
      return failureOf(host, refusalWithin(told.error, redactor, told.status_code), remedies)
    if ((told.message?.thinking ?? "") !== "") {
      account.heard()
      if (!thought) account.note("the model thinks first; its thoughts are not part of the answer")
      thought = true
    }
    const tooMuch = account.say(told.message?.content ?? "")
    if (Option.isSome(tooMuch)) return tooMuch.value
    if (told.done !== true) return "more"
    tell(told, account, figures, plain)
    return Option.getOrElse(judge(told, asked, plain), () => "done" as const)
  }
  const ended = (): ServerFailed =>
    later(
      `${host} ended the stream after ${account.said()} characters of the answer, before it was done (no done: true)`
    )
  return { line, ended }
}

const isDuration = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value) && value >= 0

const tell = (told: Line, account: Account, { tokens }: Figures, plain: Plain): void => {
  const input = tokens("prompt_eval_count", told.prompt_eval_count)
  const output = tokens("eval_count", told.eval_count)
  account.spent({ inputTokens: input, outputTokens: output })
  const durations = Object.entries({
    total_ms: told.total_duration,
    load_ms: told.load_duration,
    prompt_eval_ms: told.prompt_eval_duration,
    eval_ms: told.eval_duration
  }).flatMap(([name, nanoseconds]) =>
    isDuration(nanoseconds) ? [[name, Math.round(nanoseconds / 1e6)]] : []
  )
  account.fact({
    ...(told.model === undefined || told.model === null ? {} : { model: plain(told.model, 200) }),
    finish_reason: typeof told.done_reason === "string" ? plain(told.done_reason, 80) : null,
    ...Object.fromEntries(durations)
  })
  const said = (count: Option.Option<number>) => Option.getOrElse(count, () => "an unknown number of")
  account.note(
    `done (${plain(told.done_reason ?? "no reason told", 80)}): ${said(input)} tokens read, ${said(output)} written`
  )
}

const judge = (told: Line, { context, prompt }: Asked, plain: Plain): Option.Option<ServerFailed> => {
  const input = Option.getOrElse(tokensTold(told.prompt_eval_count), () => 0)
  const output = Option.getOrElse(tokensTold(told.eval_count), () => 0)
  switch (told.done_reason) {
    case "stop":
      // Without a count nothing can be said: older servers leave it out for a prompt that they have cached.
      return input > 0 ? wasTruncated(prompt, input, context) : Option.none()
    case "length":
      return Option.some(
        isFull(input + output, context)
          ? forOperator(
              `the answer was cut off (done_reason length): prompt and answer filled the context of ${counted(Option.getOrElse(context.holds, () => 0))} tokens; ${context.remedy}`
            )
          : // The next attempt's prompt tells the model that it was cut off, so that it is not the same again.
            later(
              "the answer was cut off (done_reason length) at options.num_predict or the server's own limit"
            )
      )
    case "load":
    case "unload":
      return Option.some(later(`the server answered ${told.done_reason} instead of a text`))
    default:
      return Option.some(
        later(
          `the answer is done without done_reason stop (${plain(told.done_reason ?? "none was told", 80)}): the server ended it early`
        )
      )
  }
}
