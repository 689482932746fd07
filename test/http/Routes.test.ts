import { describe, expect } from "bun:test"
import { Effect, type Layer, Schema, type Scope } from "effect"
import { it } from "../support/effect.ts"
import { api, apiWorld, problemIn, type Told } from "./api.ts"

type Api = Effect.Effect.Success<ReturnType<typeof api>>
type World = Layer.Layer.Success<ReturnType<typeof apiWorld>>

const within = <E, R extends World | Scope.Scope>(body: (api: Api) => Effect.Effect<unknown, E, R>) =>
  Effect.flatMap(api(), body).pipe(Effect.scoped, Effect.provide(apiWorld()))

const failed = ({ json, status }: Told) => [status, problemIn(json).code]

describe("what a path takes", () => {
  const allow = (told: Told) => [told.status, told.text, told.headers.get("allow")]

  it.effect("is told to who asks for it, without a word to other origins", () =>
    within(({ ask }) =>
      Effect.gen(function* () {
        const options = { method: "OPTIONS" }
        expect(allow(yield* ask("/api/state", options))).toEqual([204, "", "GET, HEAD, OPTIONS"])
        expect(allow(yield* ask("/api/pause", options))).toEqual([204, "", "GET, HEAD, POST, OPTIONS"])
        expect(allow(yield* ask("/api/tasks/queue", options))).toEqual([204, "", "POST, OPTIONS"])
        expect(allow(yield* ask("/api/tasks/some/cancel", options))).toEqual([204, "", "POST, OPTIONS"])
        const told = yield* ask("/login", options)
        expect(allow(told)).toEqual([204, "", "GET, HEAD, POST, OPTIONS"])
        expect([...told.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([])
        expect(failed(yield* ask("/api/nothing", options))).toEqual([404, "route_not_found"])
      })
    )
  )

  it.effect("is a schedule's whatever its name is, and names that no path holds are refused", () =>
    within(({ ask }) =>
      Effect.gen(function* () {
        const task = { kind: "a", source: "b", payload: {} }
        const named = (name: string) => ask("/api/schedules", { body: { name, interval_seconds: 60, task } })
        for (const name of ["tick", "a/b", "...", "%2e", "?x#y", "tick/enable", "ä b"]) {
          expect([name, (yield* named(name)).status]).toEqual([name, 201])
          const path = `/api/schedules/${encodeURIComponent(name)}`
          expect((yield* ask(path)).json).toMatchObject({ schedule: { name } })
          expect((yield* ask(`${path}/disable`, { method: "POST" })).json).toMatchObject({ ok: true })
          expect((yield* ask(path)).json).toMatchObject({ schedule: { name, enabled: false } })
        }
        expect((yield* ask("/api/schedules/tick", { method: "POST" })).json).toMatchObject({
          tasks_created: 0
        })
        expect((yield* ask("/api/schedules/tick", { method: "OPTIONS" })).headers.get("allow")).toBe(
          "GET, HEAD, POST, OPTIONS"
        )
        for (const name of [".", ".."]) {
          const told = yield* named(name)
          expect(failed(told)).toEqual([400, "input_invalid"])
          expect(problemIn(told.json).error).toBe(
            "name: no path can hold it; expected text of 1 to 200 characters, other than . and .."
          )
        }
      })
    )
  )
})

it.effect(
  "parameters that a route does not take are refused, each named, whether it takes others or none",
  () =>
    within(({ ask }) =>
      Effect.gen(function* () {
        const task = yield* ask("/api/tasks", { body: { kind: "a", source: "b", payload: {} } })
        const id = String(Object(task.json).task_id)
        const refused = (path: string, more: object = {}) =>
          Effect.map(ask(path, more), (told) => [...failed(told), problemIn(told.json).error])
        for (const path of [
          "/api/state",
          "/api/heartbeat",
          "/api/schedules",
          `/api/tasks/${id}`,
          "/api/docs"
        ])
          expect([path, ...(yield* refused(`${path}?limit=1&x=2&x=3`))]).toEqual([
            path,
            400,
            "input_invalid",
            `limit is not a known parameter, ${path} takes none\nx is not a known parameter, ${path} takes none`
          ])
        expect((yield* refused("/artifacts?paht=x"))[2]).toBe(
          'paht is not a known parameter, /artifacts takes "path"'
        )
        for (const view of ["/artifacts", "/snapshots"])
          expect((yield* refused(`${view}?path=a&path=b`)).slice(1)).toEqual([
            "input_invalid",
            "path stands 2 times in the query, once is expected"
          ])
        for (const [path, name] of [
          ["/api/tasks", "limit"],
          ["/api/tasks", "kind"],
          ["/api/events", "since"],
          ["/api/workflows", "all"],
          ["/api/artifact", "path"]
        ])
          expect((yield* refused(`${path}?${name}=1&${name}=2`))[2]).toBe(
            `${name}: stands 2 times in the query, once is expected`
          )
        for (const word of ["yes", "constructor", "__proto__"])
          expect((yield* refused(`/api/workflows?all=${word}`))[2]).toBe(
            `all: found ${JSON.stringify(word)}; expected 1 or true, 0 or false`
          )
        for (const word of ["1", "true", "0", "false"])
          expect([word, (yield* ask(`/api/workflows?all=${word}`)).status]).toEqual([word, 200])
        expect((yield* refused("/api/events?since=9007199254740992"))[2]).toBe(
          'since: found "9007199254740992"; expected an integer from 0 to 9007199254740991'
        )
        expect((yield* refused("/api/sensors/events?limt=1"))[2]).toStartWith(
          "limt is not a known parameter, "
        )
        // Refused, nothing is done.
        expect((yield* refused(`/api/tasks/${id}/cancel?force=1`, { method: "POST" }))[0]).toBe(400)
        expect((yield* refused("/api/pause?dry_run=1", { body: { paused: true } }))[0]).toBe(400)
        expect((yield* ask("/api/state")).json).toMatchObject({
          runtime_state: "idle",
          counts: { queued: 1 }
        })
        // What takes none takes a bare question mark, and the page reads its own address.
        for (const path of ["/api/state?", `/api/tasks/${id}?`, "/?q=x", "/snapshots?path="])
          expect([path, (yield* ask(path)).status]).toEqual([path, 200])
        const head = yield* ask("/api/state?x=1", { method: "HEAD" })
        expect(head.status).toBe(400)
        expect(failed(yield* ask("/api/nothing?x=1"))).toEqual([404, "route_not_found"])
      })
    )
)

describe("schedules, sensors, workflows, snapshots and adapters", () => {
  it.effect("are read and steered with the statuses of their routes", () =>
    within(({ ask }) =>
      Effect.gen(function* () {
        const schedule = {
          name: "beat",
          interval_seconds: 305,
          task: { kind: "a", source: "b", payload: {} }
        }
        const status = (path: string, body?: unknown) =>
          Effect.map(ask(path, body === undefined ? { method: "POST" } : { body }), (told) => told.status)
        expect(yield* status("/api/schedules", schedule)).toBe(201)
        expect((yield* ask("/api/schedules/tick", { method: "POST" })).json).toMatchObject({
          tasks_created: 1
        })
        expect(yield* status("/api/schedules/tick", { at: "2020-01-01T00:00:00Z" })).toBe(400)
        expect((yield* ask("/api/schedules/beat")).json).toMatchObject({ fates: [{ fate: "fired" }] })
        expect(yield* status("/api/schedules/beat/disable", { reason: "quiet" })).toBe(200)
        expect((yield* ask("/api/schedules")).json).toMatchObject({ schedules: [{ enabled: false }] })
        expect(yield* status("/api/schedules/beat/delete")).toBe(200)
        expect(yield* status("/api/schedules/beat/enable")).toBe(404)
        const seen = { sensor_id: "s", event_id: "1", source_ref: "r", dedupe_key: "d", payload: {} }
        const event = { ...seen, proposed_task: null, proposed_workflow: null }
        expect([
          yield* status("/api/sensors/events", event),
          yield* status("/api/sensors/events", event)
        ]).toEqual([201, 200])
        expect((yield* ask("/api/sensors/events?limit=1")).json).toMatchObject({
          events: [{ sensor_id: "s" }]
        })
        const open = { template: "wallet-onboarding", instance_key: "w1", context: { who: "me" } }
        expect([yield* status("/api/workflows", open), yield* status("/api/workflows", open)]).toEqual([
          201, 200
        ])
        expect((yield* ask("/api/workflows")).json).toMatchObject({
          workflows: [{ id: 1, context: { who: "me" } }]
        })
        expect(yield* status("/api/workflows", { ...open, instance_key: "w2" })).toBe(201)
        const page = yield* ask("/api/workflows?limit=1")
        expect(page.json).toMatchObject({ workflows: [{ instance_key: "w2" }] })
        const { next } = Schema.decodeUnknownSync(Schema.Struct({ next: Schema.String }))(page.json)
        expect((yield* ask(`/api/workflows?limit=1&after=${next}`)).json).toMatchObject({
          workflows: [{ id: 1 }],
          next: null
        })
        expect((yield* ask(`/api/sensors/events?after=${next}`)).status).toBe(400)
        expect((yield* ask("/api/workflows?status=stalled,completed")).json).toEqual({
          workflows: [],
          next: null
        })
        expect((yield* ask("/api/workflows?limit=1&counted=1")).json).toMatchObject({
          counts: { active: 2, stalled: 0, completed: 0 }
        })
        expect(yield* status("/api/workflows/w1/transition", { state: "draft-wallet-checklist" })).toBe(200)
        expect(yield* status("/api/workflows/1/transition", { state: "nowhere" })).toBe(409)
        expect(yield* status("/api/workflows/77/complete")).toBe(404)
        expect((yield* ask("/api/report/latest")).json).toEqual({ report: null })
        expect(yield* status("/api/snapshots", { label: "one" })).toBe(201)
        expect(yield* status("/api/snapshots", { label: "../up" })).toBe(400)
        expect((yield* ask("/api/snapshots")).json).toMatchObject({ snapshots: [{ label: "one" }] })
        expect((yield* ask("/api/snapshot?path=../runtime.db")).status).toBe(400)
        expect((yield* ask("/api/adapters")).json).toMatchObject({ adapters: [{ id: "local", ok: true }] })
        expect(yield* status("/api/adapters/nobody/clear")).toBe(404)
        expect((yield* ask("/api/queue?limit=1")).json).toMatchObject({
          tasks: [{ status: "pending" }],
          next: null
        })
        expect((yield* ask("/api/queue/reasons?limit=1")).json).toMatchObject({
          reasons: [{ waiting: { reason: "no_dispatcher" } }]
        })
        expect(yield* status("/api/queue/reasons?limit=101")).not.toBe(200)
        expect((yield* ask("/api/done")).json).toMatchObject({
          tasks: [{ status: "operator_canceled", usage: null }],
          next: null
        })
        expect((yield* ask("/api/blocked?limit=1")).json).toEqual({ tasks: [], next: null })
        expect((yield* ask(`/api/blocked?after=${next}`)).status).toBe(400)
        expect(yield* status("/api/queue?limit=0")).not.toBe(200)
        expect((yield* ask("/api/skills")).json).toEqual({ skills: [] })
        expect((yield* ask("/api/usage/attempts")).json).toMatchObject({
          all: { attempts: 0, partial: false },
          adapters: [{ adapter_id: "local", attempts: 0 }]
        })
      })
    )
  )
})
