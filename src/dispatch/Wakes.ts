import { DateTime, Duration, Effect, Option, Queue, Stream } from "effect"
import { now } from "../domain/Time.ts"
import { Store } from "../store/Store.ts"

/**
 * No loop of the dispatcher sleeps longer: a clock that was set is noticed within this, and a sign of life is
 * given.
 */
const LONGEST_SLEEP = Duration.seconds(8)

/** What wakes the loops: a commit of any process, or an attempt's end. */
export interface Wakes {
  readonly claim: Queue.Queue<void>
  readonly produce: Queue.Queue<void>
  readonly questions: Queue.Queue<void>
}

export const makeWakes: Effect.Effect<Wakes> = Effect.all({
  claim: Queue.sliding<void>(1),
  produce: Queue.sliding<void>(1),
  questions: Queue.sliding<void>(1)
})

/** Wakes the loops after every commit. */
export const waking = (wakes: Wakes) =>
  Effect.gen(function* () {
    const store = yield* Store
    yield* Stream.runForEach(store.changes, () =>
      Effect.forEach(Object.values<Queue.Queue<void>>({ ...wakes }), (one) => Queue.offer(one, undefined), {
        discard: true
      })
    )
    return yield* Effect.dieMessage("the store tells no changes any more")
  })

/** Waits for a wake, until a moment if there is one, and never for more than eight seconds. */
export const sleep = (wake: Queue.Dequeue<void>, until: Option.Option<DateTime.Utc>) =>
  Effect.gen(function* () {
    const at = yield* now
    const left = Option.match(until, {
      onNone: () => LONGEST_SLEEP,
      onSome: (moment) => Duration.millis(Math.max(0, DateTime.distance(at, moment)))
    })
    yield* Effect.timeoutOption(Queue.take(wake), Duration.min(left, LONGEST_SLEEP))
  })
