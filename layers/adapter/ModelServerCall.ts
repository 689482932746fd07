import type { ClientRequest, IncomingMessage, request } from "node:http"
import type { Readable } from "node:stream"
import { type Duration, Effect, Exit, Mailbox, Option, Schema, type Scope } from "effect"
import type { JsonObject } from "../../src/domain/Json.ts"
import { codeOf } from "../SystemWord.ts"
import { lastLine } from "./Evidence.ts"

/** More than this is not read of one answer, whatever it holds: as much as a log keeps of a stream. */
export const MAX_RECEIVED_BYTES = 64 * 1024 * 1024

/** Listings of models and their descriptions are read up to here. */
const MAX_ASKED_BYTES = 8 * 1024 * 1024

/**
 * A model server did not give the whole answer: why, on one line, with what mends it where something does.
 * `none` waits for an operator, `retryable` may go better another time.
 */
export class ServerFailed extends Schema.TaggedError<ServerFailed>()("ServerFailed", {
  retryClass: Schema.Literal("none", "retryable"),
  reason: Schema.String,
  retryAfterSeconds: Schema.OptionFromSelf(Schema.Number)
}) {}

/** A failure that another attempt may not meet. */
export const later = (reason: string): ServerFailed =>
  new ServerFailed({ retryClass: "retryable", reason, retryAfterSeconds: Option.none() })

/** A failure that only an operator can mend. */
export const forOperator = (reason: string): ServerFailed =>
  new ServerFailed({ retryClass: "none", reason, retryAfterSeconds: Option.none() })

export interface Request {
  readonly method: "GET" | "POST"
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: JsonObject
}

/** An answer whose headers have come. */
export interface Reply {
  readonly status: number
  readonly headers: Headers
  /** The next bytes of the body, none at its end; fails when the connection breaks or 64 MiB were sent. */
  readonly next: Effect.Effect<Option.Option<Uint8Array>, ServerFailed>
}

/** So much may wait to be read before the server has to wait, too. */
const MOST_UNREAD = 256

/**
 * Sends a request and answers when the headers have come; the connection is closed with the scope. What a server has
 * sent is handed out before its breaking off is told. Redirects are not followed, proxies of the environment not used,
 * nothing is limited in time.
 */
export const call = (request: Request): Effect.Effect<Reply, ServerFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const { host } = request.url
    const pieces = yield* Mailbox.make<Uint8Array, ServerFailed>()
    // Loading it takes longer than many a command that never calls anybody.
    const [client, { pipeline }, zlib] = yield* Effect.promise(() =>
      Promise.all([
        request.url.protocol === "https:" ? import("node:https") : import("node:http"),
        import("node:stream"),
        import("node:zlib")
      ])
    )
    // No packed answer is asked for, and there are servers that send one all the same.
    const unpacked = (reply: IncomingMessage): Readable => {
      const encoding = (reply.headers["content-encoding"] ?? "").trim().toLowerCase()
      if (/^(x-)?gzip$|^deflate$/.test(encoding)) return pipeline(reply, zlib.createUnzip(), () => undefined)
      if (encoding === "br") return pipeline(reply, zlib.createBrotliDecompress(), () => undefined)
      return reply
    }
    const sent = yield* Effect.acquireRelease(
      Effect.try({ try: () => send(client.request, request), catch: (cause) => unreachable(host, cause) }),
      (one) => Effect.sync(() => one.destroy())
    )
    const { body, reply } = yield* Effect.async<Answered, ServerFailed>((resume) => {
      // Without a listener the end of a connection, which our own leaving is as well, would end the process.
      sent.on("error", (cause) => {
        resume(Effect.fail(unreachable(host, cause)))
        pieces.unsafeDone(Exit.fail(brokenOff(host, cause)))
      })
      // A connection that becomes another protocol's is told of here alone, and brings no answer.
      sent.once("upgrade", (answered, socket) => {
        socket.destroy()
        resume(
          later(
            `${host} answered ${answered.statusCode} and changed the protocol, which was not asked for: check the adapter's endpoint`
          )
        )
      })
      sent.once("response", (answered) => {
        const body = unpacked(answered)
        fill(pieces, body, host)
        resume(Effect.succeed({ reply: answered, body }))
      })
    })
    let received = 0
    const read = pieces.take.pipe(
      Effect.map(Option.some),
      Effect.catchTag("NoSuchElementException", () => Effect.succeedNone),
      Effect.tap(() =>
        Effect.sync(() => {
          if (body.isPaused() && Option.contains(pieces.unsafeSize(), 0)) body.resume()
        })
      )
    )
    const next = Effect.flatMap(read, (chunk) => {
      received += Option.match(chunk, { onNone: () => 0, onSome: ({ length }) => length })
      return received > MAX_RECEIVED_BYTES
        ? later(`${host} sent more than ${MAX_RECEIVED_BYTES} bytes: its answer was not read to the end`)
        : Effect.succeed(chunk)
    })
    return { status: reply.statusCode ?? 0, headers: headersOf(reply), next }
  })

// Bun's fetch throws away what it has received and not handed out yet when the connection breaks off.
const send = (open: typeof request, { body, headers, method, url }: Request): ClientRequest => {
  const sent = open(url, {
    method,
    headers: {
      "user-agent": "agent-runtime",
      "accept-encoding": "identity",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers
    },
    // One connection for each request.
    agent: false
  })
  sent.end(body === undefined ? undefined : JSON.stringify(body))
  return sent
}

interface Answered {
  readonly reply: IncomingMessage
  readonly body: Readable
}

const fill = (pieces: Mailbox.Mailbox<Uint8Array, ServerFailed>, body: Readable, host: string): void => {
  body.on("data", (chunk: Uint8Array) => {
    pieces.unsafeOffer(chunk)
    if (Option.getOrElse(pieces.unsafeSize(), () => 0) >= MOST_UNREAD) body.pause()
  })
  body.on("end", () => pieces.unsafeDone(Exit.void))
  body.on("error", (cause) => pieces.unsafeDone(Exit.fail(brokenOff(host, cause))))
  // The last word in any case; what was told before stands.
  body.on("close", () => pieces.unsafeDone(Exit.fail(brokenOff(host, { code: "ECONNRESET" }))))
}

const brokenOff = (host: string, cause: unknown): ServerFailed =>
  later(`${host} broke the connection off in the middle of its answer (${word(cause)})`)

const headersOf = ({ headersDistinct }: IncomingMessage): Headers => {
  const headers = new Headers()
  for (const [name, values] of Object.entries(headersDistinct))
    for (const value of values ?? []) headers.append(name, value)
  return headers
}

/** A whole answer: at most 8 MiB of text. */
export interface Asked {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** Sends a request and reads its whole answer, within the time that is given. */
export const ask = (request: Request, within: Duration.Duration): Effect.Effect<Asked, ServerFailed> =>
  Effect.gen(function* () {
    const reply = yield* call(request)
    const text = yield* textOf(reply, MAX_ASKED_BYTES)
    return { status: reply.status, headers: reply.headers, text }
  }).pipe(
    Effect.scoped,
    Effect.timeoutFail({
      duration: within,
      onTimeout: () => later(`${request.url.host} did not answer ${request.url.pathname} in time`)
    })
  )

const textOf = (reply: Reply, most: number): Effect.Effect<string, ServerFailed> =>
  Effect.gen(function* () {
    const chunks: Array<Uint8Array> = []
    let size = 0
    for (let next = yield* reply.next; Option.isSome(next) && size < most; next = yield* reply.next) {
      chunks.push(next.value)
      size += next.value.length
    }
    return new TextDecoder().decode(Buffer.concat(chunks))
  })

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refused the connection: nothing listens there",
  ENOTFOUND: "is not a name that can be resolved",
  EAI_AGAIN: "could not be resolved: the name service does not answer",
  EHOSTUNREACH: "cannot be reached: there is no way to that host",
  ENETUNREACH: "cannot be reached: there is no way to that network",
  ETIMEDOUT: "did not take the connection in time",
  ECONNRESET: "closed the connection without an answer"
}

const word = (cause: unknown): string =>
  cause instanceof Error && !("code" in cause) ? lastLine(cause.message) : codeOf(cause)

const unreachable = (host: string, cause: unknown): ServerFailed => {
  const code = codeOf(cause)
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code))
    return later(`the certificate of ${host} is not accepted (${code})`)
  return later(`${host} ${WORDS[code] ?? `could not be called (${word(cause)})`}`)
}
