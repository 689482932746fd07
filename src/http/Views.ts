import { HttpApiBuilder, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Effect, Schema } from "effect"
import type { ArtifactStore } from "../artifact/ArtifactStore.ts"
import type { KnownSecrets } from "../artifact/KnownSecrets.ts"
import type { RuntimeConfig } from "../config/RuntimeConfig.ts"
import type { Lock } from "../dispatch/Lock.ts"
import * as Artifacts from "../operate/Artifacts.ts"
import type { Operation } from "../operate/Operation.ts"
import * as Snapshots from "../operate/Snapshots.ts"
import type { Store } from "../store/Store.ts"
import { json, responding } from "./Answer.ts"
import { actor } from "./Caller.ts"
import { standsOften } from "./Contract.ts"
import { docs } from "./Docs.ts"
import { RequestRefused } from "./Failure.ts"
import { openApi } from "./OpenApiDocument.ts"

/** What a browser may look at, beside the page and the API. */
export const VIEW_ROUTES = [
  { path: "/artifacts", methods: ["GET"], parameters: ["path"] },
  { path: "/snapshots", methods: ["GET"], parameters: ["path"] },
  { path: "/api/openapi.json", methods: ["GET"], parameters: [] },
  { path: "/api/docs", methods: ["GET"], parameters: [] }
] as const

/** An operation's result as JSON that a person reads. */
const readable = <I, O, Wire, E, R>(operation: Operation<I, O, Wire, E, R>, input: I) =>
  Effect.gen(function* () {
    const result = yield* operation.run(input, yield* actor)
    const wire = yield* Effect.orDie(Schema.encode(operation.output)(result))
    return HttpServerResponse.text(`${JSON.stringify(wire, null, 2)}\n`, {
      contentType: "application/json; charset=utf-8"
    })
  })

const pathAsked = Effect.flatMap(HttpServerRequest.ParsedSearchParams, ({ path = "" }) =>
  typeof path === "string"
    ? Effect.succeed(path)
    : new RequestRefused({
        status: 400,
        code: "input_invalid",
        error: `path ${standsOften(path.length)}`
      })
)

/** A folder as its list, a file as itself. */
const artifacts = Effect.gen(function* () {
  const path = yield* pathAsked
  const { type } = yield* Artifacts.list.run({ path }, yield* actor)
  return yield* type === "file" ? readable(Artifacts.show, { path }) : readable(Artifacts.list, { path })
})

/** The list of snapshots, or one of them. */
const snapshots = Effect.gen(function* () {
  const path = yield* pathAsked
  return yield* path === "" ? readable(Snapshots.list, {}) : readable(Snapshots.show, { path })
})

/** The routes of `VIEW_ROUTES`. */
export const views = HttpApiBuilder.Router.use((router) =>
  Effect.gen(function* () {
    const context = yield* Effect.context<ArtifactStore | KnownSecrets | RuntimeConfig | Store | Lock>()
    const looking = <E, R>(view: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
      Effect.provide(responding(view), context)
    yield* router.get("/artifacts", looking(artifacts))
    yield* router.get("/snapshots", looking(snapshots))
    yield* router.get(
      "/api/openapi.json",
      Effect.sync(() => json(openApi()))
    )
    yield* router.get(
      "/api/docs",
      Effect.sync(() => HttpServerResponse.text(docs(openApi()), { contentType: "text/html; charset=utf-8" }))
    )
  })
)
