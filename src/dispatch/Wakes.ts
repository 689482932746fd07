import { DateTime, Effect, Fiber, Option, Queue } from "effect"
import { commitsOf } from "../store/Commits.ts"
import { Store } from "../store/Store.ts"

/**
 * No loop of the dispatcher sleeps longer: a clock that was set is noticed within this, and a sign of life is
 * given.
 */
const LONGEST_SLEEP_MS = 8_000

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
    const rest = yield* Queue.sliding<void>(1)
    const wake = (): void => {
      if (!isFull()) wakes.claim.unsafeOffer(undefined)
      rest.unsafeOffer(undefined)
    }
    yield* store.listen(wake)
    // What was committed before it listened.
    wake()
    const others = Effect.map(Queue.take(rest), () => {
      wakes.produce.unsafeOffer(undefined)
      wakes.questions.unsafeOffer(undefined)
    })
    return yield* Effect.forever(Effect.zipRight(others, Effect.sleep(BETWEEN_LOOKS)))
  }).pipe(Effect.scoped)

/**
 * Runs `look` in a moment and after every commit, not more than twenty times a second, until it answers true. What has
 * ended before the first look has paid for none.
 */
export const lookingUntil = <E, R>(look: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R | Store> =>
  Effect.gen(function* () {
    const store = yield* Store
    yield* Effect.sleep(BETWEEN_LOOKS)
    const commits = yield* commitsOf(store.listen)
    while (!(yield* look)) yield* Effect.zipRight(Effect.sleep(BETWEEN_LOOKS), Queue.take(commits))
  }).pipe(Effect.scoped)

/**
 * Sleeps until a wake or a moment if there is one, and never for more than eight seconds. One alarm serves many sleeps:
 * to set one costs a fiber, to be woken too early no more than a look.
 */
const makeSleep = (wake: Queue.Queue<void>) =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const clock = yield* Effect.clock
    let alarm = Option.none<{ readonly at: number; readonly fiber: Fiber.Fiber<void> }>()
    const ring = Effect.sync(() => {
      alarm = Option.none()
      wake.unsafeOffer(undefined)
    })
    const set = (ms: number, at: number) =>
      Effect.gen(function* () {
        if (Option.isSome(alarm)) yield* Fiber.interruptFork(alarm.value.fiber)
        const fiber = yield* Effect.forkIn(Effect.zipRight(Effect.sleep(ms), ring), scope)
        alarm = Option.some({ at, fiber })
      })
    return (until: Option.Option<DateTime.Utc>): Effect.Effect<void> =>
      Effect.suspend(() => {
        const at = clock.unsafeCurrentTimeMillis()
        const left = Option.match(until, {
          onNone: () => LONGEST_SLEEP_MS,
          onSome: (moment) => Math.min(Math.max(0, DateTime.toEpochMillis(moment) - at), LONGEST_SLEEP_MS)
        })
        const isSet = Option.exists(alarm, (one) => one.at <= at + left)
        return isSet ? Queue.take(wake) : Effect.zipRight(set(left, at + left), Queue.take(wake))
      })
  })

/**
 * Runs `round` for ever, each time that something wakes it or the moment comes that it answered, and every eight
 * seconds. A round sees all that came before it began, so that it is not woken for that again.
 */
export const inRounds = <E, R>(
  wake: Queue.Queue<void>,
  round: Effect.Effect<Option.Option<DateTime.Utc>, E, R>
): Effect.Effect<never, E, R> =>
  Effect.gen(function* () {
    const sleep = yield* makeSleep(wake)
    return yield* Effect.forever(Effect.flatMap(Effect.zipRight(Queue.takeAll(wake), round), sleep))
  }).pipe(Effect.scoped)
