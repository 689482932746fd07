import { Chunk, Effect, Fiber, Queue } from "effect"

/** What may wait in memory for a stderr that nobody reads: some thousand lines. */
const MOST_BYTES = 1024 * 1024

/** So many texts at most go into one write: what is logged faster than a turn of the event loop keeps up. */
const AT_ONCE = 64

/** The end waits for no reader that takes nothing for a moment, and for a slow one so many of them. */
const MOMENT = "200 millis"
const MOMENTS = 10

/**
 * A `report` that never waits: `write` gets the texts in their order, the next when it is done. One that finds a
 * megabyte waiting is lost; `missing` tells in their place how many it were, as soon as something is written again.
 * `ended` answers when all is written, or when its reader takes nothing any more; nothing is reported after it. The
 * writing ends with the fiber that began it.
 */
export const stderrQueue = (
  write: (bytes: Uint8Array) => Effect.Effect<unknown>,
  missing: (texts: number) => Effect.Effect<string>
) =>
  Effect.gen(function* () {
    const texts = yield* Queue.unbounded<Uint8Array>()
    let held = 0
    let lost = 0
    let isEnding = false
    const hold = (bytes: Uint8Array) => {
      held += bytes.length
      Queue.unsafeOffer(texts, bytes)
    }
    const report = (text: string): void => {
      const bytes = Buffer.from(text, "utf8")
      // Where one is lost, so are those after it until that can be told: a gap is in one place.
      if (lost > 0 || (held > 0 && held + bytes.length > MOST_BYTES)) lost++
      else hold(bytes)
    }
    const writeNext = Effect.gen(function* () {
      const bytes = Buffer.concat(Chunk.toReadonlyArray(yield* Queue.takeBetween(texts, 1, AT_ONCE)))
      yield* write(bytes)
      held -= bytes.length
      if (lost === 0) return
      const gap = lost
      lost = 0
      hold(Buffer.from(yield* missing(gap), "utf8"))
    })
    const writing = yield* Effect.fork(Effect.repeat(writeNext, { until: () => isEnding && held === 0 }))
    const stalled = Effect.gen(function* () {
      for (let moment = 0, before = -1; moment < MOMENTS && held !== before; moment++) {
        before = held
        yield* Effect.sleep(MOMENT)
      }
    })
    const ended = Effect.suspend(() => {
      isEnding = true
      // Wakes a writer that waits for the next text.
      hold(Buffer.alloc(0))
      return Effect.raceFirst(Fiber.await(writing), stalled)
    })
    return { report, ended: Effect.asVoid(ended) }
  })
