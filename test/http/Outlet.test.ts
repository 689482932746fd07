import { describe, expect } from "bun:test"
import { Effect, Fiber } from "effect"
import { makeOutlet } from "../../src/http/Outlet.ts"
import { it } from "../support/effect.ts"

const bytes = (length: number) => new Uint8Array(length).fill(7)

const outlet = () => {
  const told = { ended: 0 }
  const made = makeOutlet(() => {
    told.ended++
  })
  return { ...made, told, reader: made.body.getReader() }
}

const read = (reader: ReturnType<typeof outlet>["reader"]) =>
  Effect.map(
    Effect.promise(() => reader.read()),
    ({ value }) => value
  )

describe("an outlet", () => {
  it.live("holds what its client has not taken, counted, and gives it in order without a copy", () =>
    Effect.gen(function* () {
      const { push, reader, waiting } = outlet()
      const [first, second, third] = [bytes(1), bytes(20), bytes(300)]
      for (const one of [first, second, third]) push(one)
      expect(waiting()).toBe(321)
      expect(yield* read(reader)).toBe(first)
      expect(yield* read(reader)).toBe(second)
      expect(yield* read(reader)).toBe(third)
      expect(waiting()).toBe(0)
    })
  )

  it.live("is dry when nothing waits and its client takes more", () =>
    Effect.gen(function* () {
      const { isDry, push, reader } = outlet()
      yield* isDry
      push(bytes(1))
      push(bytes(2))
      const dry = yield* Effect.fork(isDry)
      yield* read(reader)
      expect(yield* Fiber.poll(dry)).toMatchObject({ _tag: "None" })
      yield* read(reader)
      yield* Fiber.join(dry)
    })
  )

  it.live("that is ended tells it once and takes nothing more; what waits is told unless it is cut", () =>
    Effect.gen(function* () {
      for (const how of ["whole", "cut"] as const) {
        const { end, isOpen, push, reader, told, waiting } = outlet()
        push(bytes(1))
        push(bytes(1))
        push(bytes(1))
        end(how)
        end("cut")
        push(bytes(1))
        expect([isOpen(), waiting(), told.ended]).toEqual([false, 0, 1])
        const left = Effect.tryPromise(async () => {
          for (let count = 0; ; count++) if ((await reader.read()).done) return count
        })
        expect(yield* Effect.option(left)).toMatchObject(
          how === "whole" ? { _tag: "Some", value: 3 } : { _tag: "None" }
        )
      }
    })
  )

  it.live("whose client has gone is ended", () =>
    Effect.gen(function* () {
      const { isOpen, reader, told } = outlet()
      yield* Effect.promise(() => reader.cancel())
      expect([isOpen(), told.ended]).toEqual([false, 1])
    })
  )
})
