import { expect } from "bun:test"
import { Effect, FastCheck } from "effect"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { openApi } from "../../src/http/OpenApiDocument.ts"
import { attemptsOf, queue } from "../dispatch/world.ts"
import { api, apiWorld, problemIn } from "./api.ts"

/** A body that each route takes, where it takes one. */
export const SOUND: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "/api/pause": { paused: false, reason: "because" },
  "/api/tasks": {
    kind: "note",
    source: "fuzz",
    payload: { a: [1, { b: null }] },
    subject: "s",
    priority: 3,
    max_attempts: 2,
    schedule: { delay_minutes: 1 },
    dedupe_key: "k"
  },
  "/api/tasks/queue": {
    message: "hello /review",
    subject: "s",
    priority: 5,
    skill_refs: ["a"],
    parent_id: "x"
  },
  "/api/tasks/cancel": {
    filter: { status: ["pending"], kind: "a" },
    reason: "r",
    force: true,
    dry_run: true
  },
  "/api/tasks/retry": { filter: { source: "s" }, note: "n" },
  "/api/tasks/{id}/cancel": { reason: "no", force: true },
  "/api/tasks/{id}/retry": { note: "again" },
  "/api/tasks/{id}/replay": { attempt_id: "a", adapter: "local" },
  "/api/tasks/{id}/answer": { choice: "yes" },
  "/api/workflows": { template: "goal-loop", instance_key: "k", state: "plan", context: { a: 1 } },
  "/api/workflows/{id}/transition": { state: "plan", context: {} },
  "/api/schedules": {
    name: "n",
    cron: "0 0 * * *",
    timezone: "Europe/Zurich",
    overlap: "skip",
    task: { kind: "a", source: "b", payload: {} }
  },
  "/api/schedules/{name}/disable": { reason: "r" },
  "/api/sensors/events": {
    sensor_id: "s",
    event_id: "e",
    source_ref: "r",
    dedupe_key: "d",
    payload: {},
    observed_at: "2026-01-01T00:00:00.000Z",
    proposed_workflow: { template: "goal-loop", instance_key: "f" }
  },
  "/api/budgets/{id}/grant": { usd: 1, subject: "local" },
  "/api/snapshots": { label: "l" },
  "/login": { token: "a token of sixteen characters", next: "/ui/tasks" }
}

/** A route as the document tells of it. */
export interface Route {
  readonly method: "GET" | "POST"
  readonly path: string
  /** Names of what may stand in its query. */
  readonly query: ReadonlyArray<string>
  /** Whether the document says that it takes a body. */
  readonly takesBody: boolean
}

/** Every route that openapi.json tells of. */
export const routes = (): ReadonlyArray<Route> =>
  Object.entries(openApi().paths).flatMap(([path, item]) =>
    (["get", "post"] as const).flatMap((method) => {
      const found = item[method]
      if (found === undefined) return []
      const query = found.parameters.flatMap((one) => (one.in === "query" ? [one.name] : []))
      const takesBody = found.requestBody !== undefined
      return [{ method: method === "get" ? "GET" : "POST", path, query, takesBody }] as const
    })
  )

/** Routes of which no sound body is known here, though they take one. */
export const unknownBodies = (): ReadonlyArray<string> =>
  routes().flatMap(({ path, takesBody }) => (takesBody && SOUND[path] === undefined ? [path] : []))

const odd = FastCheck.constantFrom<unknown>(
  "",
  " ",
  "\u0000",
  "\ud800",
  "x".repeat(5_000),
  "<img src=x onerror=alert(1)>",
  "'; DROP TABLE tasks; --",
  "../../etc/passwd",
  -1,
  1e308,
  0.1,
  2 ** 53,
  null,
  true,
  [],
  {},
  [[[[[[]]]]]]
)
const value = FastCheck.oneof(odd, FastCheck.jsonValue({ maxDepth: 3 }))
const key = FastCheck.oneof(
  FastCheck.string({ maxLength: 8 }),
  FastCheck.constantFrom("constructor", "toString", "kind", "payload", "id")
)

const BATCH = 100

type Mutation = (body: Readonly<Record<string, unknown>>) => unknown

const mutation: FastCheck.Arbitrary<Mutation> = FastCheck.oneof(
  FastCheck.tuple(FastCheck.nat(), value).map(
    ([at, next]): Mutation =>
      (body) => {
        const keys = Object.keys(body)
        return keys.length === 0 ? body : { ...body, [keys[at % keys.length] ?? ""]: next }
      }
  ),
  FastCheck.nat().map(
    (at): Mutation =>
      (body) => {
        const entries = Object.entries(body)
        return Object.fromEntries(entries.filter((_, index) => index !== at % Math.max(1, entries.length)))
      }
  ),
  FastCheck.tuple(key, value).map(
    ([name, next]): Mutation =>
      (body) => ({ ...body, [name]: next })
  ),
  value.map(
    (next): Mutation =>
      () =>
        next
  ),
  FastCheck.constant<Mutation>((body) => body)
)

/** What is sent: JSON that is nearly right, its text with a hole in it, or any text. */
const sent = (path: string): FastCheck.Arbitrary<string> => {
  const near = FastCheck.array(mutation, { minLength: 1, maxLength: 3 }).map((mutations) => {
    let body: unknown = SOUND[path] ?? {}
    for (const one of mutations)
      body = one(typeof body === "object" && body !== null && !Array.isArray(body) ? { ...body } : {})
    return JSON.stringify(body) ?? "null"
  })
  const torn = FastCheck.tuple(near, FastCheck.nat(), FastCheck.string({ maxLength: 3 })).map(
    ([text, at, hole]) =>
      text.slice(0, at % (text.length + 1)) + hole + text.slice((at % (text.length + 1)) + 1)
  )
  return FastCheck.oneof({ weight: 6, arbitrary: near }, { weight: 2, arbitrary: torn }, FastCheck.string())
}

const segment = FastCheck.oneof(
  FastCheck.constantFrom(
    "1",
    "0",
    "nobody",
    "..",
    "%2e%2e%2f",
    "%",
    "%zz",
    "%c0%af",
    "%ff",
    "a".repeat(600),
    "a".repeat(9_000),
    "%00",
    "%F0%9F%92%A5",
    "TASK",
    "ATTEMPT"
  ),
  FastCheck.string({ maxLength: 12 }).map(encodeURIComponent)
)

const asked = FastCheck.oneof(
  FastCheck.constantFrom(
    "",
    "1",
    "0",
    "-1",
    "500",
    "501",
    "1e3",
    "9".repeat(400),
    "NaN",
    "true",
    "pending,running",
    "2026-01-01T00:00:00.000Z",
    "../../etc/passwd",
    "a/../../b",
    "%00",
    "%",
    "%zz",
    "%c0%ae%c0%ae/",
    "%ff%fe",
    "+",
    "a&a=b",
    "[]=1",
    "__proto__",
    "'--",
    "%25%32%65",
    "x".repeat(3_000),
    "TASK",
    "ATTEMPT"
  ),
  FastCheck.string({ maxLength: 20 }).map(encodeURIComponent),
  FastCheck.string({ maxLength: 20 })
)

/** What stands behind the path: nothing, its own parameters with odd values, and others. */
const queryOf = ({ query }: Route): FastCheck.Arbitrary<string> => {
  const name = FastCheck.oneof(
    FastCheck.constantFrom(...query, "constructor", "__proto__", "", "limit[]"),
    FastCheck.string({ maxLength: 6 })
  )
  const pair = FastCheck.tuple(name, asked).map(([key, value]) => `${key}=${value}`)
  return FastCheck.oneof(
    { weight: 1, arbitrary: FastCheck.constant("") },
    { weight: 6, arbitrary: FastCheck.array(pair, { maxLength: 4 }).map((all) => `?${all.join("&")}`) },
    { weight: 1, arbitrary: FastCheck.string({ maxLength: 40 }).map((text) => `?${text}`) }
  )
}

const headers = FastCheck.constantFrom<Readonly<Record<string, string>>>(
  {},
  {},
  {},
  { "last-event-id": "1" },
  { "last-event-id": "-1" },
  { "last-event-id": "9".repeat(15) },
  { "last-event-id": "a,1" },
  { range: "bytes=0-0" },
  { range: "bytes=-1" },
  { range: "bytes=5-1" },
  { range: "bytes=0-0,2-3" },
  { range: "bytes=999999999999999-" },
  { range: "lines=0-" },
  { "content-type": "text/plain" },
  { "content-type": "application/x-www-form-urlencoded" },
  { "content-type": "application/json; charset=utf-16" },
  { accept: "text/html" },
  { authorization: "Bearer x" },
  { authorization: "Basic \u00ff" },
  { cookie: "agent_runtime_4314=a.b.c; =; ;;" },
  { "content-encoding": "gzip" },
  { "accept-encoding": "gzip;q=0, *" },
  { "if-none-match": '"x", W/"y", *' },
  { "x-http-method-override": "DELETE" }
)

/** A task that has run and its attempt: ids that are there. */
const something = Effect.gen(function* () {
  const task = yield* queue()
  yield* runOnce
  const attempt = (yield* attemptsOf(task))[0]?.attemptId ?? ""
  return (text: string) => text.replaceAll("TASK", task).replaceAll("ATTEMPT", attempt)
})

/** They are made as they are wanted: ten thousand take seconds. */
const samples = function* <A>(of: FastCheck.Arbitrary<A>, runs: number, seed: number): Iterable<A> {
  for (let from = 0; from < runs; from += BATCH)
    yield* FastCheck.sample(of, { numRuns: Math.min(BATCH, runs - from), seed: seed + from })
}

const isStream = (response: Response): boolean => response.headers.get("content-type") === "text/event-stream"

/**
 * Sends so many requests to each of these routes, one after the other in one world, or as many as there is time for;
 * whatever comes is answered, a failure in the one form, and none of it is a fault. Answers how many were sent.
 */
export const fuzzed = (
  all: ReadonlyArray<Route>,
  { limitMs, runs, seed }: { readonly runs: number; readonly seed: number; readonly limitMs: number }
) =>
  Effect.flatMap(api(), ({ raw }) =>
    Effect.gen(function* () {
      const real = yield* something
      const end = performance.now() + limitMs
      let count = 0
      for (const route of all) {
        const { method, path } = route
        const input = FastCheck.tuple(sent(path), segment, queryOf(route), headers)
        for (const [body, part, query, head] of samples(input, runs, seed)) {
          if (performance.now() > end) return count
          count++
          const place = real(
            path.replace(/\{\w+\}/g, () => part) + (method === "POST" && count % 4 > 0 ? "" : query)
          )
          const response = yield* Effect.timeout(
            raw(place, { method, headers: head, ...(method === "POST" ? { body } : {}) }),
            "20 seconds"
          )
          const { status } = response
          expect([place, body, head, status >= 200 && status < 500]).toEqual([place, body, head, true])
          if (isStream(response)) {
            yield* Effect.promise(() => response.body?.cancel() ?? Promise.resolve())
            continue
          }
          const text = yield* Effect.timeout(
            Effect.promise(() => response.text()),
            "20 seconds"
          )
          if (status >= 400 && !response.headers.get("content-type")?.startsWith("text/html"))
            problemIn(JSON.parse(text))
          expect(text).not.toMatch(/ at .*\.ts|SQLITE|SELECT |\/memory\//)
        }
      }
      return count
    })
  ).pipe(Effect.scoped, Effect.provide(apiWorld()))
