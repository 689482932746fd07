import { HttpServerRequest, type HttpServerResponse } from "@effect/platform"
import { Effect, Either, type Schema } from "effect"
import { decode, Invalid } from "../config/Issues.ts"
import { type JsonFault, parseJson } from "../config/JsonText.ts"
import { abridged } from "../domain/Abridged.ts"
import { isObject } from "../domain/Json.ts"
import { responding } from "./Answer.ts"
import { RequestRefused } from "./Failure.ts"
import { bodyBytes } from "./Incoming.ts"

/** Bytes of a body, where its route does not say less. */
export const MOST_BODY = 1024 * 1024

const notJson = new RequestRefused({
  status: 415,
  code: "content_type_unsupported",
  error: "the body has to be JSON; send it with content-type: application/json"
})

const rule = (path: string, found: string, expected: string, remedy = "") =>
  new Invalid({ problems: [{ kind: "rule", path, found, expected, remedy }] })

const faultAt = (fault: JsonFault) => ({
  kind: "rule" as const,
  path: `the body, line ${fault.line}, column ${fault.column}`,
  found: fault.wrong,
  expected: fault.expected,
  remedy: fault.remedy
})

const decoded = (found: Uint8Array): Either.Either<string, Invalid> => {
  try {
    return Either.right(new TextDecoder("utf-8", { fatal: true }).decode(found))
  } catch {
    return Either.left(rule("the body", "it is not UTF-8 text", "UTF-8"))
  }
}

const parse = (found: Uint8Array): Either.Either<unknown, Invalid> =>
  Either.flatMap(decoded(found), (text) =>
    Either.mapLeft(parseJson(text), (faults) => new Invalid({ problems: faults.map(faultAt) }))
  )

/** The body as text. */
export const textBody = (most: number) => Effect.flatMap(bodyBytes(most), decoded)

/** The body as a JSON value; an empty one is an empty object. */
export const jsonBody = (most = MOST_BODY) =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const type = request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase()
    if (type !== undefined && type !== "application/json") return yield* notJson
    const found = yield* bodyBytes(most)
    if (found.length === 0) return {}
    return type === undefined ? yield* notJson : yield* parse(found)
  })

/** Answers a request with what its body is; a body that cannot be read is answered as what it is. */
export const takingAny = <R>(
  then: (body: unknown) => Effect.Effect<HttpServerResponse.HttpServerResponse, never, R>,
  most = MOST_BODY
) => responding(Effect.flatMap(jsonBody(most), then))

/** As `takingAny`, with the body as a schema reads it; every problem of it at once. */
export const taking = <A, I, R>(
  schema: Schema.Schema<A, I>,
  then: (body: A) => Effect.Effect<HttpServerResponse.HttpServerResponse, never, R>
) => responding(Effect.flatMap(jsonBody(), (value) => Effect.flatMap(decode(schema)(value), then)))

/** Answers a request that brings nothing: its body is empty, or an empty object. */
export const takingNothing = <R>(
  then: () => Effect.Effect<HttpServerResponse.HttpServerResponse, never, R>
) =>
  responding(
    Effect.flatMap(jsonBody(), (value) => {
      if (!isObject(value)) return rule("the body", "it is no object", "nothing, or an empty object")
      const problems = Object.keys(value).map((key) => ({
        kind: "unknown" as const,
        path: abridged(key),
        found: "a value",
        expected: "nothing, or an empty object",
        remedy: ""
      }))
      return problems.length === 0 ? then() : new Invalid({ problems })
    })
  )
