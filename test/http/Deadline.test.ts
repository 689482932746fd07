import { describe, expect } from "bun:test"
import { Deferred, Effect, Fiber, TestClock } from "effect"
import { answering } from "../../src/http/Server.ts"
import { Store } from "../../src/store/Store.ts"
import { it } from "../support/effect.ts"
import { apiWorld } from "./api.ts"

const PAUSE = "http://127.0.0.1:4314/api/pause"
const HOST = { host: "127.0.0.1:4314" }

/** A server whose pause takes 40 s to be set and to be read; `begun` is when one of the two has begun. */
const slowly = Effect.gen(function* () {
  const store = yield* Store
  const begun = yield* Deferred.make<void>()
  const late = Effect.zipRight(Deferred.succeed(begun, undefined), Effect.sleep("40 seconds"))
  const gates = {
    ...store.gates,
    pause: Effect.zipRight(late, store.gates.pause),
    setPause: (...given: Parameters<typeof store.gates.setPause>) =>
      Effect.zipRight(late, store.gates.setPause(...given))
  }
  const { handle } = yield* Effect.provideService(
    answering({ host: "127.0.0.1", isOpen: false }, Effect.succeed(4314)),
    Store,
    { ...store, gates }
  )
  const patience: Array<boolean> = []
  const peer = {
    address: "127.0.0.1",
    patient: () => void patience.push(true),
    impatient: () => void patience.push(false)
  }
  const ask = (request: Request) =>
    Effect.gen(function* () {
      const response = yield* Effect.promise(() => handle(request, peer))
      return [response.status, yield* Effect.promise(() => response.json())]
    })
  return { ask, begun: Deferred.await(begun), gates: store.gates, patience }
})

describe("a request of more than 30 s", () => {
  it.effect(
    "that changes something is told what came of it, by a connection that stays open until then",
    () =>
      Effect.gen(function* () {
        const { ask, begun, patience } = yield* slowly
        const body = JSON.stringify({ paused: true, reason: "night" })
        const headers = { ...HOST, "content-type": "application/json", "content-length": String(body.length) }
        const asked = yield* Effect.fork(ask(new Request(PAUSE, { method: "POST", body, headers })))
        yield* begun
        yield* TestClock.adjust("39 seconds")
        expect(patience).toEqual([true])
        yield* TestClock.adjust("1 seconds")
        expect(yield* Fiber.join(asked)).toMatchObject([200, { paused: true, reason: "night" }])
        expect(patience).toEqual([true, false])
      }).pipe(Effect.provide(apiWorld()))
  )

  it.effect("that only reads is answered that it takes too long", () =>
    Effect.gen(function* () {
      const { ask, begun } = yield* slowly
      const asked = yield* Effect.fork(ask(new Request(PAUSE, { headers: HOST })))
      yield* begun
      yield* TestClock.adjust("30 seconds")
      expect(yield* Fiber.join(asked)).toMatchObject([503, { code: "too_slow" }])
    }).pipe(Effect.provide(apiWorld()))
  )

  it.effect("whose body does not come to its end is refused, and nothing is changed", () =>
    Effect.gen(function* () {
      const { ask, gates, patience } = yield* slowly
      const reading = yield* Deferred.make<void>()
      const body = new ReadableStream<Uint8Array>({
        pull: () => void Deferred.unsafeDone(reading, Effect.void)
      })
      const headers = { ...HOST, "content-type": "application/json", "transfer-encoding": "chunked" }
      const asked = yield* Effect.fork(ask(new Request(PAUSE, { method: "POST", body, headers })))
      yield* Deferred.await(reading)
      yield* TestClock.adjust("30 seconds")
      expect(yield* Fiber.join(asked)).toMatchObject([408, { code: "request_timeout" }])
      expect([patience, (yield* gates.pause)._tag]).toEqual([[], "None"])
    }).pipe(Effect.provide(apiWorld()))
  )
})
