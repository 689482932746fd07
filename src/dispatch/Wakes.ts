import { DateTime, Duration, Effect, Option, Queue } from "effect"
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

/**
 * What only looks whether a commit concerns it does so this often at most. An attempt alone commits four times, and
 * hardly ever a schedule, a question or a request to cancel.
 */
const BETWEEN_LOOKS = "50 millis"

/** Wakes the loops after every commit, the claim at once; not where no slot is free, whose end wakes it. */
export const waking = (wakes: Wakes, isFull: () => boolean) =>
  Effect.gen(function* () {
    const store = yield* Store
    const commits = yield* store.listen
    const rest = yield* Queue.sliding<void>(1)
    const claims = Effect.map(Queue.take(commits), () => {
      if (!isFull()) wakes.claim.unsafeOffer(undefined)
      rest.unsafeOffer(undefined)
    })
    const others = Effect.map(Queue.take(rest), () => {
      wakes.produce.unsafeOffer(undefined)
      wakes.questions.unsafeOffer(undefined)
    })
    yield* Effect.forkScoped(Effect.forever(Effect.zipRight(others, Effect.sleep(BETWEEN_LOOKS))))
    // What was committed before it listened.
    wakes.claim.unsafeOffer(undefined)
    rest.unsafeOffer(undefined)
    return yield* Effect.forever(claims)
  }).pipe(Effect.scoped)

/**
 * Runs `look` in a moment and after every commit, not more than twenty times a second, until it answers true. What has
 * ended before the first look has paid for none.
 */
export const lookingUntil = <E, R>(look: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R | Store> =>
  Effect.gen(function* () {
    const store = yield* Store
    yield* Effect.sleep(BETWEEN_LOOKS)
    const commits = yield* store.listen
    while (!(yield* look)) yield* Effect.zipRight(Effect.sleep(BETWEEN_LOOKS), Queue.take(commits))
  }).pipe(Effect.scoped)

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
