import { Clock, Effect, Option, Schema } from "effect"
import { isObject, JsonObject } from "../../src/domain/Json.ts"
import type { Redactor } from "../../src/domain/Redactor.ts"
import { MOST_HINT_SECONDS } from "../../src/evidence/RetryHint.ts"
import { oneLine } from "./Lines.ts"
import type { Reply } from "./ModelServerCall.ts"
import { ServerFailed } from "./ModelServerCall.ts"

/** An error as a server told it, by an HTTP status or within a stream. Its texts are masked. */
export interface Refusal {
  /** 0 where none was told. */
  readonly status: number
  /** One line of at most 300 characters, without the markup of error pages. */
  readonly message: string
  /** The error's codes and types, and its message, in small letters. */
  readonly words: string
  /** Whole, at most 64 KiB. */
  readonly body: string
  /** What a Retry-After asks for, at most 24 h. */
  readonly retryAfterSeconds: Option.Option<number>
}

/** What mends an error, in the words of one kind of server. */
export interface Remedies {
  readonly key: string
  readonly quota: string
  readonly model: string
  readonly context: string
  readonly request: string
}

const MAX_BODY_BYTES = 64 * 1024
const MOST_MESSAGE = 300

/** An error page that does not come to its end is judged by what came. */
const BODY_WITHIN = "5 seconds"

/** Reads the error that a reply with another status than 200 carries; never fails. */
export const refusalOf = (reply: Reply, redactor: Redactor): Effect.Effect<Refusal> =>
  Effect.gen(function* () {
    const body = yield* bodyOf(reply, redactor)
    return {
      ...toldIn(body, reply.headers.get("content-type") ?? ""),
      status: reply.status,
      body,
      retryAfterSeconds: yield* waitAskedBy(reply)
    }
  })

/** The seconds that a reply's Retry-After asks to wait, at most 24 h; none without one. */
export const waitAskedBy = ({ headers }: Pick<Reply, "headers">): Effect.Effect<Option.Option<number>> =>
  Effect.map(Clock.currentTimeMillis, (now) => retryAfter(headers.get("retry-after") ?? "", now))

/** The error of a stream; a code of it, or one told `beside` it, that is an HTTP status counts as one. */
export const refusalWithin = (error: unknown, redactor: Redactor, beside?: unknown): Refusal => {
  const body = redactor.text(JSON.stringify({ error }))
  const code = Number((isObject(error) ? (error.code ?? error.status) : undefined) ?? beside ?? 0)
  return {
    ...toldIn(body, "application/json"),
    status: Number.isInteger(code) && code >= 400 && code < 600 ? code : 0,
    body,
    retryAfterSeconds: Option.none()
  }
}

/** What becomes of an attempt that was refused: who can mend it, and how. */
export const failureOf = (host: string, refusal: Refusal, remedies: Remedies): ServerFailed => {
  const told = kindOf(refusal)
  // Who refuses a request and says when to come back does not refuse it for good.
  const kind = UNLESS_LATER.includes(told) && Option.isSome(refusal.retryAfterSeconds) ? "later" : told
  const said = refusal.message === "" ? "" : `: ${refusal.message}`
  const status = refusal.status === 0 ? "told of an error" : `answered ${refusal.status}`
  const remedy = kind === "later" ? "" : `; ${remedyOf(kind, remedies)}`
  return new ServerFailed({
    retryClass: kind === "later" ? "retryable" : "none",
    reason: `${host} ${status}${said}${remedy}`,
    retryAfterSeconds: kind === "later" ? refusal.retryAfterSeconds : Option.none()
  })
}

const REDIRECT = "redirects are not followed: set the adapter's endpoint to the address that answers itself"

type Kind = "later" | "redirect" | "plan" | keyof Remedies

const remedyOf = (kind: Exclude<Kind, "later">, remedies: Remedies): string => {
  if (kind === "redirect") return REDIRECT
  return remedies[kind === "plan" ? "quota" : kind]
}

const UNLESS_LATER: ReadonlyArray<Kind> = ["request", "context", "plan"]

/** The usage that a plan allows is spent; it may be had again by itself. */
const PLAN_SPENT =
  /\b(reached|hit|exceeded|exhausted|used up)\b[^.]{0,60}\busage limit|\busage limit\b[^.]{0,30}\b(reached|hit|exceeded|exhausted)\b/

/** Words that say when a limit opens again. */
const TELLS_WHEN = /\b(resets?|try again|retry|reopens?|available|wait)\b[^.]{0,40}\d/

const CONTEXT =
  /context_length|context (length|window|size)|maximum context|prompt (is )?too long|prompt is longer|input length|too many (input )?tokens/

// The order is that of what each server's codes leave in doubt: a spent quota comes as 429, an unknown model
// as 400 or 404, a long prompt as 400, 413 or 500.
const kindOf = ({ status, words }: Refusal): Kind => {
  if (status === 402 || /insufficient_quota|billing_hard_limit|billing_not_active|credit balance/.test(words))
    return "quota"
  if (status >= 300 && status < 400) return "redirect"
  if (PLAN_SPENT.test(words)) return TELLS_WHEN.test(words) ? "later" : "plan"
  if (status === 401 || status === 403 || /invalid_api_key|authentication_error/.test(words)) return "key"
  if (status < 500 && /^\s*unauthorized\b/.test(words)) return "key"
  if (status === 413 || (status !== 429 && CONTEXT.test(words))) return "context"
  if (status === 404 || /model_not_found|model ['"][^'"]*['"] not found/.test(words)) return "model"
  if (status < 400 || status >= 499 || [408, 409, 425, 429].includes(status)) return "later"
  return "request"
}

// What the redactor still holds back at a cut may be the beginning of a secret: it is left out.
const bodyOf = (reply: Reply, redactor: Redactor): Effect.Effect<string> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    const stream = redactor.stream()
    let size = 0
    const reading = Effect.gen(function* () {
      while (size < MAX_BODY_BYTES) {
        const next = yield* reply.next
        if (Option.isNone(next)) {
          chunks.push(stream.flush().slice())
          return
        }
        const part = next.value.subarray(0, MAX_BODY_BYTES - size)
        size += part.length
        chunks.push(stream.write(part).slice())
      }
    })
    return reading.pipe(
      Effect.timeoutOption(BODY_WITHIN),
      Effect.option,
      Effect.map(() => new TextDecoder().decode(Buffer.concat(chunks)))
    )
  })

const decodeObject = Schema.decodeUnknownOption(Schema.parseJson(JsonObject))

const toldIn = (body: string, type: string): Pick<Refusal, "message" | "words"> => {
  const told = Option.map(decodeObject(body), (object) => {
    const error = object.error ?? object.detail ?? object
    const from = isObject(error) ? error : {}
    return {
      text: textOf(isObject(error) ? (error.message ?? object.message) : error),
      codes: [from.code, from.type, from.param].map(textOf).join(" ")
    }
  })
  const { codes, text } = Option.getOrElse(told, () => ({ text: fromPage(body, type), codes: "" }))
  const message = oneLine(text, MOST_MESSAGE)
  return { message, words: `${codes} ${message}`.toLowerCase() }
}

const textOf = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value)

/** An HTML page says what it has to say in its title. */
const fromPage = (body: string, type: string): string => {
  if (!/html/i.test(type) && !/^\s*<(!doctype|html|head)/i.test(body)) return body
  const title = /<title[^>]*>([^<]*)<\/title>/i.exec(body)?.[1] ?? ""
  return title.trim() === "" ? "a web page" : `a web page: ${title}`
}

/** Seconds, or a date, of which one that is past asks for no waiting any more; what is neither is no wish. */
const retryAfter = (value: string, nowMillis: number): Option.Option<number> => {
  const text = value.trim()
  const seconds = /^\d+(\.\d+)?$/.test(text)
    ? Number(text)
    : /\d:\d\d:\d\d/.test(text)
      ? (Date.parse(text) - nowMillis) / 1000
      : Number.NaN
  return Number.isNaN(seconds)
    ? Option.none()
    : Option.some(Math.min(Math.max(Math.ceil(seconds), 0), MOST_HINT_SECONDS))
}
