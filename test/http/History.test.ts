import { describe, expect } from "bun:test"
import { Effect, Option } from "effect"
import { now } from "../../src/domain/Time.ts"
import { eventsFrame, makeHistory, type Page } from "../../src/http/History.ts"
import { Store } from "../../src/store/Store.ts"
import { it } from "../support/effect.ts"
import { apiWorld } from "./api.ts"

const KiB = 1024

/** Appends so many events, each of so many bytes and a little more. */
const fill = (count: number, size: number) =>
  Effect.gen(function* () {
    const { events } = yield* Store
    const detail = { text: "x".repeat(size) }
    const stamp = { at: yield* now, actor: { surface: "cli", name: "olga" } } as const
    for (let n = 0; n < count; n++)
      yield* events.append(
        { type: "dispatch_idle", taskId: Option.none(), attemptId: Option.none(), detail },
        stamp
      )
  })

/** A history whose readings of the store are counted. */
const counted = Effect.gen(function* () {
  const store = yield* Store
  const readings: Array<number> = []
  const since: typeof store.events.since = (after, limit) => {
    readings.push(after)
    return store.events.since(after, limit)
  }
  const { page, pieces } = yield* Effect.provideService(makeHistory, Store, {
    ...store,
    events: { ...store.events, since }
  })
  return { page, pieces, readings }
})

const ids = ({ events }: Page) => events.map(({ id }) => id)

const all = <E>(page: (after: number) => Effect.Effect<Page, E>, from = 0) =>
  Effect.gen(function* () {
    const found: Array<Page> = []
    for (let after = from; ; ) {
      const next = yield* page(after)
      if (next.events.length > 0) found.push(next)
      after = next.events.at(-1)?.id ?? after
      if (next.isLast) return found
    }
  })

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at)

const inWorld = <E>(body: Effect.Effect<unknown, E, Store>) => Effect.provide(body, apiWorld())

describe("the history as streams tell it", () => {
  it.live("is cut into frames of 128 KiB and 512 events, without loss or repeat", () =>
    inWorld(
      Effect.gen(function* () {
        yield* fill(600, 1)
        yield* fill(30, 20 * KiB)
        yield* fill(1, 400 * KiB)
        yield* fill(3, 1)
        const { page } = yield* counted
        const pages = yield* all(page)
        expect(pages.flatMap(ids)).toEqual(numbers(1, 634))
        for (const { events } of pages) {
          expect(events.length).toBeLessThanOrEqual(512)
          const size = events.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
          expect([events.length === 1 || size <= 128 * KiB, events.length]).toEqual([true, events.length])
        }
      })
    )
  )

  it.live("is read once for all who ask for the same, from wherever they come", () =>
    inWorld(
      Effect.gen(function* () {
        yield* fill(120, 4 * KiB)
        const { page, readings } = yield* counted
        for (const from of [0, 0, 1, 57, 119]) {
          const pages = yield* all(page, from)
          expect(pages.flatMap(ids)).toEqual(numbers(from + 1, 120))
        }
        expect(readings).toEqual([0])
        expect(yield* page(120)).toEqual({ events: [], isLast: true })
        yield* fill(2, 1)
        expect(ids(yield* page(120))).toEqual([121, 122])
        expect(ids(yield* page(119))).toEqual([120, 121, 122])
        expect(readings).toEqual([0, 120, 120])
      })
    )
  )

  it.live("keeps no more than the newest 4 MiB and reads what is older again", () =>
    inWorld(
      Effect.gen(function* () {
        yield* fill(100, 100 * KiB)
        const { page, readings } = yield* counted
        expect((yield* all(page)).flatMap(ids)).toEqual(numbers(1, 100))
        const before = readings.length
        expect(ids(yield* page(90))).toEqual([91])
        expect(readings.length).toBe(before)
        expect(ids(yield* page(3))).toEqual([4])
        expect(readings.length).toBe(before + 1)
        expect((yield* all(page, 3)).flatMap(ids)).toEqual(numbers(4, 100))
      })
    )
  )

  it.live("jumps to where it is asked for, also beyond what it has read", () =>
    inWorld(
      Effect.gen(function* () {
        yield* fill(20, 1)
        const { page } = yield* counted
        expect(ids(yield* page(15))).toEqual(numbers(16, 20))
        yield* fill(20, 1)
        expect(ids(yield* page(30))).toEqual(numbers(31, 40))
        expect((yield* all(page, 10)).flatMap(ids)).toEqual(numbers(11, 40))
      })
    )
  )

  it.live("is the same bytes for all who come to the same place, whatever the state is then", () =>
    inWorld(
      Effect.gen(function* () {
        yield* fill(1_100, 1)
        const { page, pieces } = yield* counted
        const [one, other] = [yield* all(page, 3), yield* all(page, 200)]
        expect(one.map(({ events }) => events.at(-1)?.id)).toEqual([512, 1_024, 1_100])
        const [, first] = one
        const [, second] = other
        if (first === undefined || second === undefined) throw new Error("there are no second pages")
        const [bytes, closing] = pieces(first.events, '{"a":1}')
        const [same, next] = pieces(second.events, '{"a":2}')
        expect(same).toBe(bytes as Uint8Array)
        const text = (parts: ReadonlyArray<Uint8Array | undefined>) =>
          parts.map((part) => new TextDecoder().decode(part)).join("")
        for (const [parts, state] of [
          [[bytes, closing], '{"a":1}'],
          [[same, next], '{"a":2}']
        ] as const)
          expect(text(parts)).toBe(new TextDecoder().decode(eventsFrame(first.events, state)))
      })
    )
  )
})
