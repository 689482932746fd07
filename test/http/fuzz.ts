import { expect } from "bun:test"
import { HttpApi } from "@effect/platform"
import { Effect, FastCheck } from "effect"
import { Api } from "../../src/http/Api.ts"
import { api, apiWorld, problemIn } from "./api.ts"

/** A body that each route takes, where it takes one. */
const SOUND: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
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
  "/api/tasks/:id/cancel": { reason: "no", force: true },
  "/api/tasks/:id/retry": { note: "again" },
  "/api/tasks/:id/replay": { attempt_id: "a", adapter: "local" },
  "/api/tasks/:id/answer": { choice: "yes" },
  "/api/workflows": { template: "goal-loop", instance_key: "k", state: "plan", context: { a: 1 } },
  "/api/workflows/:id/transition": { state: "plan", context: {} },
  "/api/schedules": {
    name: "n",
    cron: "0 0 * * *",
    timezone: "Europe/Zurich",
    overlap: "skip",
    task: { kind: "a", source: "b", payload: {} }
  },
  "/api/schedules/:name/disable": { reason: "r" },
  "/api/sensors/events": {
    sensor_id: "s",
    event_id: "e",
    source_ref: "r",
    dedupe_key: "d",
    payload: {},
    observed_at: "2026-01-01T00:00:00.000Z",
    proposed_workflow: { template: "goal-loop", instance_key: "f" }
  },
  "/api/budgets/:id/grant": { usd: 1, subject: "local" },
  "/api/snapshots": { label: "l" }
}

/** The routes that change something. */
export const routes = (): ReadonlyArray<string> => {
  const found: Array<string> = []
  HttpApi.reflect(Api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint }) => {
      if (endpoint.method === "POST") found.push(endpoint.path)
    }
  })
  return found
}

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
  FastCheck.constantFrom("1", "0", "nobody", "..", "%2e%2e%2f", "a".repeat(600), "%00", "%F0%9F%92%A5"),
  FastCheck.string({ maxLength: 12 }).map(encodeURIComponent)
)

/** Sends so many bodies to a route; whatever comes is answered, in the one form, and none of it is a fault. */
export const fuzzed = (path: string, runs: number, seed: number) =>
  Effect.flatMap(api(), ({ ask }) =>
    Effect.gen(function* () {
      const samples = FastCheck.sample(FastCheck.tuple(sent(path), segment), { numRuns: runs, seed })
      for (const [body, part] of samples) {
        const place = path.replace(/:\w+/g, () => part)
        const { json, status, text } = yield* ask(place, { body })
        expect([place, body, status >= 200 && status < 500]).toEqual([place, body, true])
        if (status >= 400) problemIn(json)
        expect(text).not.toMatch(/ at .*\.ts|SQLITE|SELECT |\/memory\//)
      }
    })
  ).pipe(Effect.scoped, Effect.provide(apiWorld()))
