import { HttpServerRequest, type HttpServerResponse } from "@effect/platform"
import { Clock, Context, Effect, Option, Ref } from "effect"
import { AccessKeys, type KnownToken } from "../config/AccessKeys.ts"
import { isLoopback } from "../config/Addresses.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { Caller, type CallerShape } from "./Caller.ts"
import { RequestRefused } from "./Failure.ts"
import { hostName, isOwn, isSameOrigin } from "./Hosts.ts"
import { OPEN_PATHS } from "./Html.ts"
import { Listener, peer } from "./Listener.ts"
import { isEqual, opened, SESSION_SECONDS, sealed, sha256 } from "./Session.ts"
import { type Guessers, wrongToken } from "./Throttle.ts"

/** How the server was started, as far as it decides who may do what. */
export interface Doors {
  /** The address that it is bound to. */
  readonly host: string
  /** Nobody needs a token, whatever it is bound to. */
  readonly isOpen: boolean
}

/** The cookie of the page; the port is in it, for browsers keep one jar for all ports of a host. */
export const cookieName = (port: number): string => `agent_runtime_${port}`

const isWrite = (method: string): boolean => !["GET", "HEAD", "OPTIONS"].includes(method)

const refuse = (status: number, code: string, error: string, headers: Record<string, string> = {}) =>
  new RequestRefused({ status, code, error, headers })

const badHost = refuse(
  403,
  "host_not_allowed",
  "this server is not called by that name; add it to http.allowedHosts, or call the server by its address"
)

const badOrigin = refuse(
  403,
  "origin_not_allowed",
  "a page of another origin may not change anything here; add its origin to http.allowedOrigins"
)

const needsToken = refuse(
  401,
  "token_needed",
  "a token is needed: send it as Authorization: Bearer TOKEN, or sign in on the page",
  { "www-authenticate": 'Bearer realm="agent-runtime"' }
)

const unknownToken = refuse(401, "token_unknown", "the token is not known", {
  "www-authenticate": 'Bearer realm="agent-runtime", error="invalid_token"'
})

const tooManyGuesses = (waitMs: number) => {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000))
  return refuse(
    429,
    "too_many_wrong_tokens",
    `too many wrong tokens came from this address: the next wrong one is looked at in ${seconds} s; a right token is taken at any time`,
    { "retry-after": String(seconds) }
  )
}

const needsOperate = ({ hasToken }: CallerShape) =>
  refuse(
    403,
    "role_read",
    hasToken
      ? "this token may read; changing anything needs one with the role operate"
      : "without a token anybody may read here; changing anything needs a token with the role operate"
  )

/** Refuses what is sent to another name than this host's own. */
const checkHost = (doors: Doors, headers: Readonly<Record<string, string | undefined>>) =>
  Effect.gen(function* () {
    const { http } = yield* RuntimeConfig
    const name = hostName(headers.host)
    if (name === undefined) return yield* badHost
    if (isLoopback(name)) return
    const addresses = yield* (yield* Listener).addresses
    if (!isOwn(name, { addresses, host: doors.host, allowed: http.allowedHosts })) return yield* badHost
  })

/** The origin of another server's page that may call; undefined for the page of this one and for programs. */
const foreignOrigin = (headers: Readonly<Record<string, string | undefined>>): string | undefined =>
  headers.origin === undefined || isSameOrigin(headers.origin, headers.host ?? "")
    ? undefined
    : headers.origin

const checkOrigin = (method: string, headers: Readonly<Record<string, string | undefined>>) =>
  Effect.gen(function* () {
    const { http } = yield* RuntimeConfig
    const origin = foreignOrigin(headers)
    if (origin !== undefined && http.allowedOrigins.includes(origin)) return origin
    const site = headers["sec-fetch-site"]
    const isForeign = origin !== undefined || site === "cross-site" || site === "same-site"
    if (isForeign && isWrite(method)) return yield* badOrigin
    return undefined
  })

/** Who may come in, and as whom. */
export class Access extends Context.Tag("agent-runtime/http/Access")<
  Access,
  {
    /** The known token of a text; refused when there is none, for a while in other words where its address guesses much. */
    readonly tokenOf: (text: string) => Effect.Effect<KnownToken, RequestRefused>
    /** Who sends a request: by its token, its session, or the address that the server is bound to. */
    readonly callerOf: (
      request: HttpServerRequest.HttpServerRequest
    ) => Effect.Effect<CallerShape, RequestRefused>
    /** The cookie of a browser that signed in with a token. */
    readonly sessionOf: (
      token: KnownToken
    ) => Effect.Effect<{ readonly name: string; readonly value: string }>
    readonly cookieName: Effect.Effect<string>
  }
>() {}

/** See Access; `port` is the one that the server came to listen on. */
export const makeAccess = (doors: Doors, port: Effect.Effect<number>) =>
  Effect.gen(function* () {
    const { http } = yield* RuntimeConfig
    const { sessionKey, tokens } = yield* AccessKeys
    const name = Effect.map(port, cookieName)
    const guessers = yield* Ref.make<Guessers>(new Map())

    const tokenOf = (text: string) =>
      Effect.gen(function* () {
        const hash = yield* sha256(text)
        const found = tokens.filter((one) => isEqual(one.sha256, hash))[0]
        if (found !== undefined) return found
        const { address } = yield* peer
        const now = yield* Clock.currentTimeMillis
        const waitMs = yield* Ref.modify(guessers, (known) => {
          const guess = wrongToken(known, address, now)
          return [guess.waitMs, guess.guessers]
        })
        return yield* waitMs > 0 ? tooManyGuesses(waitMs) : unknownToken
      })

    const withoutToken: Option.Option<CallerShape> = doors.isOpen
      ? Option.some({ name: "anybody", role: "operate", hasToken: false })
      : isLoopback(doors.host) && http.loopbackRole !== "none"
        ? Option.some({ name: "loopback", role: http.loopbackRole, hasToken: false })
        : Option.none()

    const asCaller = ({ name, role }: KnownToken): CallerShape => ({ name, role, hasToken: true })

    const bySession = (cookie: string | undefined) =>
      cookie === undefined
        ? Effect.succeedNone
        : Effect.flatMap(Clock.currentTimeMillis, (now) => opened(sessionKey, tokens, cookie, now))

    const callerOf = (request: HttpServerRequest.HttpServerRequest) =>
      Effect.gen(function* () {
        const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? "")?.[1]
        // Where there are no tokens, one that is sent all the same changes nothing.
        if (bearer !== undefined && tokens.length > 0) return asCaller(yield* tokenOf(bearer))
        const session = yield* bySession(request.cookies[yield* name])
        if (Option.isSome(session)) return asCaller(session.value)
        return Option.isSome(withoutToken) ? withoutToken.value : yield* needsToken
      })

    const sessionOf = (token: KnownToken) =>
      Effect.gen(function* () {
        const until = (yield* Clock.currentTimeMillis) + SESSION_SECONDS * 1_000
        return { name: yield* name, value: yield* sealed(sessionKey, token, until) }
      })

    return Access.of({ tokenOf, callerOf, sessionOf, cookieName: name })
  })

/** Paths that anybody may ask for. */
const OPEN: ReadonlyArray<string> = ["/api/heartbeat", ...OPEN_PATHS]

/**
 * Lets a request through to the app with its sender beside it; answers the origin that may read the response. Fails
 * with RequestRefused.
 */
export const admitted = <E, R>(
  access: Access["Type"],
  doors: Doors,
  app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
) =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    yield* checkHost(doors, request.headers)
    const origin = yield* checkOrigin(request.method, request.headers)
    return {
      origin,
      respond: Effect.gen(function* () {
        const path = request.url.split("?", 1)[0] ?? ""
        if (OPEN.includes(path))
          return yield* Effect.provideService(app, Caller, { name: "anybody", role: "read", hasToken: false })
        const caller = yield* access.callerOf(request)
        if (isWrite(request.method) && caller.role !== "operate") return yield* needsOperate(caller)
        return yield* Effect.provideService(app, Caller, caller)
      })
    }
  })
