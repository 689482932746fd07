import { describe, expect } from "bun:test"
import { Deferred, Effect, type Layer, Option, type Scope } from "effect"
import { Sqlite } from "../../layers/store/Sqlite.ts"
import { now } from "../../src/domain/Time.ts"
import { MOST_STREAMS, Streams } from "../../src/http/Streams.ts"
import { Tail } from "../../src/http/Tail.ts"
import { Store } from "../../src/store/Store.ts"
import { queue } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import { type Asked, api, apiWorld, type Given } from "./api.ts"
import { Reader } from "./sse.ts"

type Raw = (path: string, asked?: Asked) => Effect.Effect<Reader>
type World = Layer.Layer.Success<ReturnType<typeof apiWorld>>

const within = <E, R extends World | Scope.Scope>(
  body: (open: Raw) => Effect.Effect<unknown, E, R>,
  given: Given = {}
) =>
  Effect.flatMap(api(given), ({ raw }) =>
    body((path, asked) =>
      Effect.map(raw(path, asked), (response) => {
        expect(response.headers.get("content-type")).toBe("text/event-stream")
        return new Reader(response)
      })
    )
  ).pipe(Effect.scoped, Effect.provide(apiWorld(given)))

const next = (reader: Reader) => Effect.promise(() => reader.next())
const upTo = (reader: Reader, id: number) =>
  Effect.promise(() => reader.until((message) => message.id === id))
const fill = (count: number) =>
  Effect.flatMap(Store, (store) =>
    store.transact("fill", Effect.replicateEffect(queue(), count, { discard: true }))
  )
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at)

describe("the live stream", () => {
  it.live("begins with the dashboard, then tells events as they happen, with the state after them", () =>
    within((open) =>
      Effect.gen(function* () {
        yield* queue()
        const reader = yield* open("/api/stream")
        expect(yield* next(reader)).toMatchObject({
          id: 1,
          event: "dashboard",
          data: {
            runtime_name: "test",
            counts: { queued: 1 },
            runtime_policy: "Do what the task asks.",
            role: "operate"
          }
        })
        yield* queue({ subject: "second" })
        expect(yield* next(reader)).toMatchObject({
          id: 2,
          event: "events",
          data: { events: [{ id: 2, event_type: "task_enqueued" }], state: { counts: { queued: 2 } } }
        })
        yield* Effect.promise(() => reader.close())
      })
    )
  )

  it.live("says to whoever may only read that they may", () =>
    within(
      (open) =>
        Effect.gen(function* () {
          const reader = yield* open("/api/stream")
          expect(yield* next(reader)).toMatchObject({ event: "dashboard", data: { role: "read" } })
          yield* Effect.promise(() => reader.close())
        }),
      { http: { loopbackRole: "read" } }
    )
  )

  it.live("resumes after an id, by header before parameter, without loss or repeat", () =>
    within((open) =>
      Effect.gen(function* () {
        yield* fill(1_500)
        const first = yield* open("/api/stream?since=3")
        yield* upTo(first, 1_500)
        expect(first.ids()).toEqual(numbers(4, 1_500))
        yield* Effect.promise(() => first.close())
        yield* fill(5)
        const second = yield* open("/api/stream?since=0", { headers: { "last-event-id": "1490" } })
        yield* upTo(second, 1_505)
        yield* fill(3)
        yield* upTo(second, 1_508)
        expect(second.ids()).toEqual(numbers(1_491, 1_508))
        expect(second.seen[0]).toMatchObject({ event: "dashboard", id: 1_490 })
        yield* Effect.promise(() => second.close())
      })
    )
  )

  it.live("says reset first where what was asked for is gone, or never was", () =>
    within((open) =>
      Effect.gen(function* () {
        yield* fill(6)
        const sqlite = yield* Sqlite
        yield* sqlite.rows({ text: "DELETE FROM run_events WHERE id <= 4", names: [] })
        const gone = yield* open("/api/stream?since=2")
        expect(yield* next(gone)).toMatchObject({ event: "reset", data: { oldest: 5 }, id: undefined })
        expect(yield* next(gone)).toMatchObject({ event: "dashboard", id: 4 })
        yield* upTo(gone, 6)
        expect(gone.ids()).toEqual([5, 6])
        const kept = yield* open("/api/stream?since=4")
        expect(yield* next(kept)).toMatchObject({ event: "dashboard", id: 4 })
        const ahead = yield* open("/api/stream?since=99")
        expect(yield* next(ahead)).toMatchObject({ event: "reset" })
        expect(yield* next(ahead)).toMatchObject({ event: "dashboard", id: 6 })
        for (const one of [gone, kept, ahead]) yield* Effect.promise(() => one.close())
      })
    )
  )

  it.live("stands at the last id that was given where no event is kept any more", () =>
    within((open) =>
      Effect.gen(function* () {
        yield* fill(3)
        const sqlite = yield* Sqlite
        yield* sqlite.rows({ text: "DELETE FROM run_events", names: [] })
        const after = (id: string) => open("/api/stream", { headers: { "last-event-id": id } })
        const plain = yield* open("/api/stream")
        const whole = yield* after("3")
        const gone = yield* after("1")
        const ahead = yield* after("9")
        for (const one of [gone, ahead])
          expect(yield* next(one)).toMatchObject({ event: "reset", data: { oldest: 4 } })
        const all = [plain, whole, gone, ahead]
        for (const one of all) expect(yield* next(one)).toMatchObject({ event: "dashboard", id: 3 })
        yield* queue()
        for (const one of all) {
          expect(yield* next(one)).toMatchObject({ event: "events", id: 4 })
          expect(one.ids()).toEqual([4])
          yield* Effect.promise(() => one.close())
        }
      })
    )
  )

  it.live("gathers what happens at once: at most ten frames a second, none of it left out", () =>
    within((open) =>
      Effect.gen(function* () {
        const readers = yield* Effect.replicateEffect(open("/api/stream"), 5)
        yield* Effect.forEach(readers, next)
        yield* Effect.fork(Effect.repeatN(Effect.zipRight(queue(), Effect.sleep("2 millis")), 199))
        yield* Effect.forEach(readers, (one) => upTo(one, 200), { concurrency: "unbounded" })
        for (const one of readers) {
          expect(one.ids()).toEqual(numbers(1, 200))
          const times = one.seen.map(({ at }) => at)
          const crowded = times.filter(
            (at) => times.filter((other) => other >= at && other < at + 1_000).length > 10
          )
          expect(crowded).toEqual([])
        }
        yield* Effect.forEach(readers, (one) => Effect.promise(() => one.close()))
      })
    )
  )

  it.live("drops a client that lets 256 KiB pile up, and the others go on", () =>
    Effect.flatMap(api(), ({ raw }) =>
      Effect.gen(function* () {
        const reader = new Reader(yield* raw("/api/stream"))
        const slow = yield* raw("/api/stream")
        yield* next(reader)
        const large = { text: "x".repeat(60_000) }
        const store = yield* Store
        const tail = yield* Tail
        yield* Effect.repeat(Effect.sleep("10 millis"), {
          until: () => Effect.map(tail.followers, (n) => n === 2)
        })
        for (let n = 1; n <= 10; n++) {
          yield* store.events.append(
            { type: "dispatch_idle", taskId: Option.none(), attemptId: Option.none(), detail: large },
            { at: yield* now, actor: { surface: "cli", name: "olga" } }
          )
          yield* upTo(reader, n)
        }
        expect(yield* tail.followers).toBe(1)
        const left = yield* Effect.flip(Effect.tryPromise(() => slow.text()))
        expect(String(left.error)).toContain("cut off")
        yield* Effect.promise(() => reader.close())
      })
    ).pipe(Effect.scoped, Effect.provide(apiWorld()))
  )

  it.live("is one of 256 at most, and gives its place back", () =>
    Effect.flatMap(api(), ({ ask, raw }) =>
      Effect.gen(function* () {
        const open = yield* Effect.replicateEffect(raw("/api/stream"), MOST_STREAMS)
        const readers = open.map((response) => new Reader(response))
        yield* Effect.forEach(readers, next)
        const refused = yield* ask("/api/stream")
        expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "5"])
        expect((yield* ask("/api/heartbeat")).status).toBe(200)
        yield* Effect.forEach(readers, (one) => Effect.promise(() => one.close()))
        const again = yield* raw("/api/stream").pipe(
          Effect.repeat({ until: (response) => response.status === 200 }),
          Effect.timeout("5 seconds")
        )
        yield* Effect.promise(() => again.body?.cancel() ?? Promise.resolve())
      })
    ).pipe(Effect.scoped, Effect.provide(apiWorld()))
  )

  it.live("ends when the server does", () =>
    within((open) =>
      Effect.gen(function* () {
        const reader = yield* open("/api/stream")
        yield* next(reader)
        yield* Deferred.succeed((yield* Streams).ending, undefined)
        expect(yield* next(reader)).toBeUndefined()
      })
    )
  )
})
