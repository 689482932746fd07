import { describe, expect, test } from "bun:test"
import { FetchHttpClient } from "@effect/platform"
import { Effect } from "effect"
import { makeClient } from "../../src/http/Client.ts"
import { docs } from "../../src/http/Docs.ts"
import { openApi } from "../../src/http/OpenApiDocument.ts"
import { answering } from "../../src/http/Server.ts"
import { SIGN_IN_ROUTES } from "../../src/http/SignIn.ts"
import { VIEW_ROUTES } from "../../src/http/Views.ts"
import { it } from "../support/effect.ts"
import { expectGolden } from "../support/golden.ts"
import { accepts } from "../support/jsonSchema.ts"
import { apiWorld } from "./api.ts"

const { components, paths, security } = openApi()
const operations = Object.entries(paths).flatMap(([path, item]) =>
  [item.get, item.post].flatMap((one) => (one === undefined ? [] : [{ path, ...one }]))
)

describe("the OpenAPI document", () => {
  test("names every route that a program or a person asks for", () => {
    const beside = [{ path: "/", methods: ["GET"] }, ...SIGN_IN_ROUTES, ...VIEW_ROUTES]
    for (const { methods, path } of beside.filter(({ path }) => path !== "/plain.css"))
      expect([path, Object.keys(paths[path] ?? {}).sort()]).toEqual([
        path,
        methods.map((method) => method.toLowerCase()).sort()
      ])
  })

  test("tells the answers to what is there already beside those to what was made", () => {
    for (const path of ["/api/tasks", "/api/workflows", "/api/sensors/events"]) {
      const { 200: there, 201: made } = paths[path]?.post?.responses ?? {}
      for (const answer of [there, made])
        expect([path, Object.keys(answer?.content ?? {})]).toEqual([path, ["application/json"]])
    }
  })

  test("tells the headers that a request may have, and the part of a log that is the answer to one", () => {
    const headersOf = (path: string) =>
      (paths[path]?.get?.parameters ?? []).filter((one) => one.in === "header").map(({ name }) => name)
    expect(headersOf("/api/stream")).toEqual(["last-event-id"])
    for (const name of ["stdout", "stderr"]) {
      expect(headersOf(`/api/attempts/{id}/${name}`)).toEqual(["range"])
      expect(paths[`/api/attempts/{id}/${name}`]?.get?.responses[206]?.content).toHaveProperty("text/plain")
    }
  })

  test("has no schema by a name that another has", () => {
    const names = [...JSON.stringify(openApi()).matchAll(/"\$id":"([^"]*)"/g)].map(([, name]) => name)
    expect(names).toEqual([...new Set(names)])
  })

  test("tells that a page answers a browser by a form where a sign-in is wanted", () => {
    for (const path of ["/", "/artifacts", "/snapshots"])
      expect([path, Object.keys(paths[path]?.get?.responses[401]?.content ?? {})]).toEqual([
        path,
        ["application/json", "text/html"]
      ])
  })

  test("tells both ways to say who asks, and which routes ask nobody", () => {
    expect(Object.keys(components.securitySchemes)).toEqual(["bearer", "cookie"])
    expect(security).toEqual([{ bearer: [] }, { cookie: [] }])
    const open = operations.filter((one) => one.security.length === 0).map(({ path }) => path)
    expect(open.sort()).toEqual(["/api/heartbeat", "/login", "/login", "/logout"])
  })

  test("names every refusal that any route may answer with, of the pages too", () => {
    for (const { operationId, responses } of operations)
      for (const status of [400, 401, 403, 404, 405, 408, 413, 429, 500, 503])
        expect([operationId, Object.keys(responses)]).toEqual([
          operationId,
          expect.arrayContaining([String(status)])
        ])
  })

  test("tells of a body what the server refuses by length, pattern or number", () => {
    const $defs = Object.fromEntries(
      Object.entries(components.schemas).map(([name, one]) => [`#/components/schemas/${name}`, one])
    )
    const takes = (path: string, body: object) =>
      accepts(Object(Object(paths[path]?.post?.requestBody).content)["application/json"].schema, body, {
        $defs
      })
    const task = { kind: "a", source: "b", payload: {} }
    const schedule = { name: "beat", interval_seconds: 5, task }
    for (const [path, sound, ...unsound] of [
      ["/api/pause", { paused: true, reason: "x" }, { paused: true, reason: " " }],
      ["/api/tasks/{id}/cancel", { reason: "x".repeat(10_000) }, { reason: "x".repeat(10_001) }],
      ["/api/tasks/{id}/retry", { note: "x" }, { note: "" }],
      ["/api/tasks/{id}/answer", { choice: "x" }, { choice: "x".repeat(501) }, { choice: "" }, { text: "" }],
      ["/api/tasks/cancel", { filter: { status: ["blocked"] } }, { filter: { status: [] } }],
      ["/api/snapshots", { label: "one" }, { label: "../up" }, { label: "" }],
      ["/api/budgets/{id}/grant", { usd: 0.5 }, { usd: 0 }, { tokens: 0.5 }, { attempts: 1e13 }],
      [
        "/api/schedules",
        schedule,
        { ...schedule, task: { ...task, source: "x".repeat(176) } },
        { ...schedule, task: { ...task, available_at: "2026-04-29T07:01:02.003Z" } }
      ]
    ] as const) {
      expect([path, takes(path, sound)]).toEqual([path, true])
      for (const body of unsound) expect([path, body, takes(path, body)]).toEqual([path, body, false])
    }
    expect(takes("/api/tasks", { ...task, source: "x".repeat(200) })).toBe(true)
  })

  test("is as it was when it was last looked at", () =>
    expectGolden("openapi.json", `${JSON.stringify(openApi(), null, 2)}\n`))

  test("has a name of its own for each operation, and all that it refers to; people read the same", () => {
    const names = operations.map(({ operationId }) => operationId)
    expect(new Set(names).size).toBe(names.length)
    for (const [, name] of JSON.stringify(paths).matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      expect(components.schemas).toHaveProperty(name ?? "")
    const page = docs(openApi())
    for (const { path } of operations) expect(page).toContain(` ${path}</code>`)
  })
})

describe("the typed client", () => {
  it.effect("takes the answer to a repeat as it takes the first", () =>
    Effect.gen(function* () {
      const { handle } = yield* answering({ host: "127.0.0.1", isOpen: false }, Effect.succeed(4314))
      // As it is on the wire: with the host and the length of what is sent.
      const send = async (input: string | URL, init?: RequestInit) => {
        const request = new Request(String(input), init)
        const { byteLength } = await request.clone().arrayBuffer()
        request.headers.set("host", "127.0.0.1:4314")
        request.headers.set("content-length", String(byteLength))
        return handle(request, { address: "127.0.0.1", patient: () => {}, impatient: () => {} })
      }
      const twice = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.provideService(Effect.all([effect, effect]), FetchHttpClient.Fetch, send as typeof fetch)
      const client = yield* makeClient({ baseUrl: "http://127.0.0.1:4314" })
      const intent = { kind: "a", source: "b", payload: {}, dedupeKey: "once" }
      const queued = yield* twice(client.tasks.intake({ payload: intent }))
      expect(queued.map((one) => one.queued)).toEqual([true, false])
      const proposal = { template: "wallet-onboarding", instanceKey: "w1", context: {} }
      const opened = yield* twice(client.workflows.create({ payload: proposal }))
      expect(opened.map((one) => one.created)).toEqual([true, false])
      const report = { sensorId: "s", eventId: "1", sourceRef: "r", dedupeKey: "d", payload: {} }
      const accepted = yield* twice(client.sensors.accept({ payload: report }))
      expect(accepted.map((one) => one.accepted)).toEqual([true, false])
    }).pipe(Effect.scoped, Effect.provide(apiWorld()))
  )
})
