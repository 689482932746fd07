import { HttpServerResponse } from "@effect/platform"
import { Cause, Effect, Schema } from "effect"
import { type KnownSecrets, secretsMasked } from "../artifact/KnownSecrets.ts"
import type { Operation } from "../operate/Operation.ts"
import { actor } from "./Caller.ts"
import { carriedThrough } from "./Deadline.ts"
import { type Answered, answerTo } from "./Failure.ts"

/** Wire JSON as a response. */
export const json = (
  value: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {}
): HttpServerResponse.HttpServerResponse => HttpServerResponse.unsafeJson(value, { status, headers })

/** A failure as a response. */
export const failed = ({ code, error, headers, status }: Answered): HttpServerResponse.HttpServerResponse =>
  json({ error, code }, status, headers)

/**
 * The response to whatever ends a request otherwise; a fault is told in the log, never to the sender. What an error
 * repeats of the request may be a secret of the configuration, which no answer tells.
 */
export const failure = (
  cause: Cause.Cause<unknown>
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, KnownSecrets> => {
  const { answered, isFault } = answerTo(cause)
  const response = Effect.map(secretsMasked, ({ text }) =>
    failed({ ...answered, error: text(answered.error) })
  )
  return isFault ? Effect.zipRight(Effect.logError("A request met a fault", cause), response) : response
}

/** A handler that always responds: what fails becomes its answer. */
export const responding = <E, R>(
  handler: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, R | KnownSecrets> =>
  Effect.catchAllCause(handler, (cause) =>
    Cause.isInterruptedOnly(cause) ? Effect.interrupt : failure(cause)
  )

/**
 * Runs an operation for the sender of the request and answers its result as wire JSON. It is encoded here: what does
 * not fit its own schema is a fault of ours, and the builder would tell the sender that it is theirs.
 */
export const answer = <I, O, Wire, E, R>(
  operation: Operation<I, O, Wire, E, R>,
  input: I,
  status: number | ((result: O) => number) = 200
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, R | KnownSecrets> =>
  Effect.gen(function* () {
    const by = yield* actor
    const running = operation.run(input, by)
    const result = yield* operation.role === "operate" ? carriedThrough(running) : running
    const wire = yield* Effect.orDie(Schema.encode(operation.output)(result))
    return json(wire, typeof status === "number" ? status : status(result))
  }).pipe(responding)
