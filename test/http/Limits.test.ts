import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { answering } from "../../src/http/Server.ts"
import { it } from "../support/effect.ts"
import { api, apiWorld } from "./api.ts"

const served = Effect.map(
  answering({ host: "127.0.0.1", isOpen: false }, Effect.succeed(4314)),
  ({ handle }) =>
    (body: ReadableStream<Uint8Array>) =>
      handle(
        new Request("http://127.0.0.1:4314/api/pause", {
          method: "POST",
          body,
          headers: {
            host: "127.0.0.1:4314",
            "content-type": "application/json",
            "transfer-encoding": "chunked"
          }
        }),
        { address: "127.0.0.1", patient: () => {}, impatient: () => {} }
      )
)

/** A body that begins and comes to its end when it is told to. */
const slow = (beginning: Uint8Array | string) => {
  let end = () => {}
  const bytes = typeof beginning === "string" ? new TextEncoder().encode(beginning) : beginning
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      controller.enqueue(bytes)
      end = () => {
        controller.enqueue(new TextEncoder().encode('"paused":false}'))
        controller.close()
      }
    }
  })
  return { body, end: () => end() }
}

const codeOf = async (response: Promise<Response>) => {
  const answer = await response
  return [answer.status, ((await answer.json()) as { readonly code?: string }).code]
}

describe("what is held for clients", () => {
  it.live("is no more than 512 bodies that come slowly, and all of them are read when they end", () =>
    Effect.gen(function* () {
      const ask = yield* served
      const open = Array.from({ length: 512 }, () => slow("{"))
      const answers = open.map(({ body }) => ask(body))
      yield* Effect.sleep("50 millis")
      const refused = yield* Effect.promise(() => codeOf(ask(slow("{").body)))
      expect(refused).toEqual([429, "too_many_bodies"])
      for (const { end } of open) end()
      for (const answer of answers) expect((yield* Effect.promise(() => answer)).status).toBe(200)
      const { body, end } = slow("{")
      const again = ask(body)
      end()
      expect((yield* Effect.promise(() => again)).status).toBe(200)
    }).pipe(Effect.scoped, Effect.provide(apiWorld()))
  )

  it.live("is no more than 32 MiB of bodies, however few; small ones find room all the same", () =>
    Effect.gen(function* () {
      const ask = yield* served
      const large = new TextEncoder().encode(`{${" ".repeat(900 * 1024)}`)
      const open = Array.from({ length: 36 }, () => slow(large))
      const answers = open.map(({ body }) => ask(body))
      yield* Effect.sleep("50 millis")
      const { body, end } = slow("{")
      const small = ask(body)
      end()
      expect((yield* Effect.promise(() => small)).status).toBe(200)
      const one = slow(large)
      expect(yield* Effect.promise(() => codeOf(ask(one.body)))).toEqual([429, "too_many_bodies"])
      for (const each of open) each.end()
      const statuses = yield* Effect.promise(() =>
        Promise.all(answers.map(async (one) => (await one).status))
      )
      expect([statuses.filter((status) => status === 200).length >= 30, statuses.length]).toEqual([true, 36])
    }).pipe(Effect.scoped, Effect.provide(apiWorld()))
  )

  it.live("is no more than 32 MiB of answers that nobody takes; small ones are given all the same", () =>
    Effect.flatMap(api(), ({ ask, raw }) =>
      Effect.gen(function* () {
        const path = "/api/openapi.json"
        const whole = yield* ask(path)
        expect(whole.text.length).toBeGreaterThan(64 * 1024)
        const held = yield* Effect.replicateEffect(
          raw(path),
          Math.floor((32 * 1024 * 1024) / whole.text.length)
        )
        expect(held.every(({ status }) => status === 200)).toBe(true)
        const refused = yield* ask(path)
        expect([refused.status, refused.headers.get("retry-after"), refused.json]).toMatchObject([
          429,
          "5",
          { code: "too_many_answers" }
        ])
        expect((yield* ask("/api/heartbeat")).status).toBe(200)
        yield* Effect.promise(() => held[0]?.body?.cancel() ?? Promise.resolve())
        expect((yield* ask(path)).text).toBe(whole.text)
        const [, second] = held
        expect(yield* Effect.promise(() => second?.text() ?? Promise.resolve(""))).toBe(whole.text)
      })
    ).pipe(Effect.scoped, Effect.provide(apiWorld()))
  )
})
