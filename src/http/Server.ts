import { HttpApiBuilder, HttpApp, HttpRouter, HttpServer, type HttpServerRequest } from "@effect/platform"
import { Cause, Context, Deferred, Effect, Layer, Option, Ref, Schedule, type Scope } from "effect"
import { KnownSecrets } from "../artifact/KnownSecrets.ts"
import { AccessKeys } from "../config/AccessKeys.ts"
import { isLoopback } from "../config/Addresses.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { Refusal } from "../operate/Refusal.ts"
import { Store } from "../store/Store.ts"
import { Access, type Doors, makeAccess } from "./Access.ts"
import { failure } from "./Answer.ts"
import { Api } from "./Api.ts"
import { MOST_BODY } from "./Body.ts"
import { isDecodeError } from "./Failure.ts"
import { guarded } from "./Guard.ts"
import { adapters } from "./handlers/Adapters.ts"
import { attempts } from "./handlers/Attempts.ts"
import { bridges } from "./handlers/Bridges.ts"
import { budgets } from "./handlers/Budgets.ts"
import { evidence } from "./handlers/Evidence.ts"
import { runtime } from "./handlers/Runtime.ts"
import { schedules } from "./handlers/Schedules.ts"
import { sensors } from "./handlers/Sensors.ts"
import { tasks } from "./handlers/Tasks.ts"
import { workflows } from "./handlers/Workflows.ts"
import { Listener, type Listening, type Peer, PeerOf } from "./Listener.ts"
import { makePage } from "./Page.ts"
import { signIn } from "./SignIn.ts"
import * as Streams from "./Streams.ts"
import * as Tail from "./Tail.ts"
import { views } from "./Views.ts"

export interface ServeInput {
  readonly host: Option.Option<string>
  readonly port: Option.Option<number>
  /** Asks nobody for a token, whatever the server is bound to. */
  readonly insecureNoAuth: boolean
}

/** A connection that is silent for so long is closed; streams say something more often. */
const IDLE_SECONDS = 30

/** Characters of a part of a path, as it is encoded: keys of workflows and names of schedules stand there. */
const MOST_PARAMETER = 8_192

/** A body that is announced to be larger is refused by the listener, without a word; up to it there is an answer. */
const MOST_ANNOUNCED = 64 * MOST_BODY

/** So long what is being answered may take when the server ends. */
const DRAIN = Schedule.spaced("20 millis").pipe(Schedule.upTo("5 seconds"))

const shown = (host: string, port: number): string =>
  `http://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}/`

const tokensNeeded = (host: string) =>
  new Refusal({
    code: "tokens_needed",
    message: `http.host ${host} is reached from other hosts, and there are no http.tokens`,
    hint: 'add a token to the configuration ("http": { "tokens": [{ "name": "NAME", "role": "operate", "tokenFile": "PATH" }] }), listen on 127.0.0.1, or let everybody in with --insecure-no-auth',
    exitCode: 2
  })

const WHY: Readonly<Record<string, { readonly why: string; readonly hint: string }>> = {
  EADDRINUSE: {
    why: "another program listens there",
    hint: "end it, or choose another port with --port (0: any that is free)"
  },
  PORT_HELD: {
    why: "no program listens there, but the port is held, as a rule by a connection that began at it",
    hint: "try again when it has ended (one that was closed holds the port for a minute), or choose another port with --port (0: any that is free)"
  },
  EACCES: { why: "this user may not listen there", hint: "choose a port from 1024 on with --port" },
  EADDRNOTAVAIL: { why: "this host has no such address", hint: "choose one of its addresses with --host" }
}

const notListening = (host: string, port: number) => (code: string) => {
  const { hint, why } = WHY[code] ?? { why: code, hint: "choose another place with --host and --port" }
  return new Refusal({
    code: "cannot_listen",
    message: `${shown(host, port)} cannot be served: ${why}`,
    hint
  })
}

const handlers = Layer.mergeAll(
  runtime,
  tasks,
  attempts,
  workflows,
  schedules,
  sensors,
  evidence,
  adapters,
  bridges,
  budgets
)

type OfRequest = HttpServerRequest.HttpServerRequest | Scope.Scope

/** An app as a function of the platform's request and the connection that it came by; it never rejects. */
const handlerOf = <R>(app: HttpApp.Default<never, R>) =>
  Effect.map(Effect.runtime<Exclude<R, OfRequest>>(), (runtime) => {
    // The platform's request and its scope are made for each one.
    const respond = HttpApp.toWebHandlerRuntime(runtime)(app as HttpApp.Default<never, Exclude<R, OfRequest>>)
    return (request: Request, peer: Peer): Promise<Response> =>
      respond(request, Context.make(PeerOf, peer) as Context.Context<never>)
  })

/** What the builder refuses of a request itself is told in our words; it comes by here before it is told in its own. */
const refusing = HttpApiBuilder.middleware(
  Effect.map(
    KnownSecrets,
    (secrets) => (app) =>
      Effect.catchAllCause(app, (cause) =>
        Option.exists(Cause.failureOption<unknown>(cause), isDecodeError)
          ? Effect.provideService(failure(cause), KnownSecrets, secrets)
          : Effect.failCause(cause)
      )
  )
)

/** The whole API as one program for each request. */
const application = Effect.gen(function* () {
  const context = yield* Layer.build(
    HttpApiBuilder.api(Api).pipe(
      Layer.provide(Layer.mergeAll(handlers, refusing, signIn, views)),
      Layer.provideMerge(Layer.mergeAll(HttpApiBuilder.Router.Live, HttpApiBuilder.Middleware.layer)),
      Layer.provideMerge(HttpServer.layerContext),
      Layer.provideMerge(HttpRouter.setRouterConfig({ maxParamLength: MOST_PARAMETER }))
    )
  )
  return Effect.provide(yield* Effect.provide(HttpApiBuilder.httpApp, context), context)
})

/** How requests are answered, and how many are being answered. */
export const answering = (doors: Doors, port: Effect.Effect<number>) =>
  Effect.gen(function* () {
    const access = yield* makeAccess(doors, port)
    const inHand = yield* Ref.make(0)
    const page = yield* makePage
    const app = guarded(
      { access, doors, inHand, page },
      yield* Effect.provideService(application, Access, access)
    )
    return { handle: yield* handlerOf(app), inHand }
  })

/** Serves the LAN API and the page until it is interrupted, or the store is lost; `listens` is run once, when it takes connections. */
export const serve = (input: ServeInput, listens: Effect.Effect<unknown> = Effect.void) =>
  Effect.gen(function* () {
    const { http } = yield* RuntimeConfig
    const { remarks, tokens } = yield* AccessKeys
    const listener = yield* Listener
    const store = yield* Store
    const host = Option.getOrElse(input.host, () => http.host)
    const port = Option.getOrElse(input.port, () => http.port)
    if (!isLoopback(host) && tokens.length === 0 && !input.insecureNoAuth) return yield* tokensNeeded(host)
    yield* listener.raiseFileLimit
    const bound = yield* Ref.make(port)
    const doors: Doors = { host, isOpen: input.insecureNoAuth }
    const { handle, inHand } = yield* answering(doors, Ref.get(bound))
    const listening = yield* listener
      .listen(
        { host, port, mostBody: MOST_ANNOUNCED, idleSeconds: IDLE_SECONDS, first: "/api/heartbeat" },
        handle
      )
      .pipe(Effect.mapError(notListening(host, port)))
    yield* Ref.set(bound, listening.port)
    yield* Effect.addFinalizer(() => winding(listening, inHand))
    yield* Effect.logInfo(`Listening on ${shown(listening.host, listening.port)}`)
    yield* Effect.forEach(remarks, (remark) => Effect.logWarning(remark))
    if (input.insecureNoAuth && !isLoopback(host))
      yield* Effect.logWarning(
        "Everybody who reaches this address may steer the runtime (--insecure-no-auth)"
      )
    yield* listens
    return yield* store.maintenance.lost
  }).pipe(Effect.scoped, Effect.provide(Layer.mergeAll(Tail.layer, Streams.layer)))

/** Streams are ended, and what is being answered is waited for. */
const winding = (listening: Listening, inHand: Ref.Ref<number>) =>
  Effect.gen(function* () {
    yield* listening.close
    const { ending, open } = yield* Streams.Streams
    const { last } = yield* Tail.Tail
    yield* last
    yield* Deferred.succeed(ending, undefined)
    const left = Effect.zipWith(Ref.get(inHand), listening.waiting, (a, b) => a + b + open.size)
    yield* Effect.repeat(left, { until: (count) => count === 0, schedule: DRAIN })
  })
