import { HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Cause, Effect, Option, Ref } from "effect"
import { type Access, admitted, type Doors } from "./Access.ts"
import { failure } from "./Answer.ts"
import { withinLimit } from "./Deadline.ts"
import { RequestRefused } from "./Failure.ts"
import { preflight, secured } from "./Headers.ts"
import { PAGE_ROUTES, type Page } from "./Page.ts"
import { makeParameterJudge } from "./Parameters.ts"
import { makeJudge } from "./Routes.ts"
import { locked, SIGN_IN_ROUTES } from "./SignIn.ts"
import { takenInPieces } from "./Taken.ts"
import { VIEW_ROUTES } from "./Views.ts"

const tooSlow = (method: string) =>
  method === "GET" || method === "HEAD"
    ? new RequestRefused({ status: 503, code: "too_slow", error: "the answer was not there within 30 s" })
    : new RequestRefused({
        status: 408,
        code: "request_timeout",
        error: "the request was not complete within 30 s"
      })

const isRouteNotFound = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "RouteNotFound"

/**
 * What stands before every route: who may come in, how long it may take, what its failures are, and the headers that
 * every response has.
 */
export const guarded = <E, R>(
  of: {
    readonly access: Access["Type"]
    readonly doors: Doors
    readonly inHand: Ref.Ref<number>
    readonly page: Page
  },
  app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
) => {
  const judge = makeJudge([...PAGE_ROUTES, ...SIGN_IN_ROUTES, ...VIEW_ROUTES])
  const unknownParameters = makeParameterJudge(VIEW_ROUTES)
  const judged = (
    path: string
  ): Effect.Effect<
    HttpServerResponse.HttpServerResponse,
    E | RequestRefused,
    R | HttpServerRequest.HttpServerRequest
  > =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ method, url }) => {
      const allow = method === "OPTIONS" ? judge.allowed(path) : undefined
      if (allow !== undefined)
        return Effect.succeed(HttpServerResponse.empty({ status: 204, headers: { allow } }))
      const objection = judge.objection(method, path) ?? unknownParameters(method, url)
      return objection === undefined ? app : Effect.fail<E | RequestRefused>(objection)
    })
  return Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const path = request.url.split("?", 1)[0] ?? ""
    const respond = Effect.gen(function* () {
      const { origin, respond } = yield* admitted(of.access, of.doors, judged(path))
      const response =
        request.method === "OPTIONS" && origin !== undefined ? preflight : yield* respond.pipe(answered)
      return { origin, response }
    })
    const answered = <E2, R2>(effect: Effect.Effect<HttpServerResponse.HttpServerResponse, E2, R2>) =>
      withinLimit(effect, () => tooSlow(request.method)).pipe(
        Effect.catchAllCause((cause) => {
          if (Cause.isInterruptedOnly(cause)) return Effect.interrupt
          const error = Option.getOrElse(Cause.failureOption(cause), () => Cause.squash(cause))
          if (isRouteNotFound(error))
            return Effect.flatMap(
              of.page(request),
              Option.match({
                onNone: () => failure(Cause.fail(judge.unanswered(request.method, path))),
                onSome: Effect.succeed
              })
            )
          return error instanceof RequestRefused && error.code === "token_needed"
            ? Option.match(locked(request), { onNone: () => failure(cause), onSome: Effect.succeed })
            : failure(cause)
        })
      )
    const { origin, response } = yield* Effect.catchAllCause(respond, (cause) =>
      // Whoever asked has gone.
      Cause.isInterruptedOnly(cause)
        ? Effect.interrupt
        : Effect.map(failure(cause), (refused) => ({ origin: undefined, response: refused }))
    )
    return secured(yield* takenInPieces(response), origin, request.headers)
  }).pipe((effect) =>
    Effect.acquireUseRelease(
      Ref.update(of.inHand, (count) => count + 1),
      () => effect,
      () => Ref.update(of.inHand, (count) => count - 1)
    )
  )
}
