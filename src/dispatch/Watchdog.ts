import { Clock, Duration, Effect, Option, Ref } from "effect"
import { Notify } from "./Notify.ts"

/** The claim loop gives a sign of life at least every few seconds; after so long without one it hangs. */
const HANGS_AFTER = Duration.seconds(60)

/** Passes the claim loop's signs of life on to the service manager. */
export interface Watchdog {
  /** The claim loop is alive. */
  readonly beat: Effect.Effect<void>
  /** No beats are expected any more, and nothing hangs: this process drains. */
  readonly rest: Effect.Effect<void>
  /** Tells the service manager that all is well, three times in the span it asks for, while that is so. */
  readonly watching: Effect.Effect<never>
}

export const makeWatchdog: Effect.Effect<Watchdog, never, Notify> = Effect.gen(function* () {
  const notify = yield* Notify
  // By the clock that cannot be set.
  const last = yield* Ref.make(Option.some(yield* Clock.currentTimeNanos))
  const look = Effect.gen(function* () {
    const at = yield* Clock.currentTimeNanos
    const silent = Option.match(yield* Ref.get(last), {
      onNone: () => Duration.zero,
      onSome: (beat) => Duration.nanos(at > beat ? at - beat : 0n)
    })
    if (Duration.lessThan(silent, HANGS_AFTER)) yield* notify.alive
    else
      yield* Effect.logError(
        `The claim loop has given no sign for ${Math.round(Duration.toSeconds(silent))} s, the service manager is told nothing`
      )
  })
  return {
    beat: Effect.flatMap(Clock.currentTimeNanos, (at) => Ref.set(last, Option.some(at))),
    rest: Ref.set(last, Option.none()),
    watching: Option.match(notify.watchdog, {
      onNone: () => Effect.never,
      onSome: (span) => Effect.forever(Effect.zipRight(look, Effect.sleep(Duration.times(span, 1 / 3))))
    })
  }
})
