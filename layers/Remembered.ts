import { Duration, Effect } from "effect"
import { steadyMillis } from "../src/domain/Time.ts"

/**
 * `Effect.cachedWithTTL` for what every attempt asks: while an answer holds it costs a look at the clock, and not a turn
 * at a lock and a change of what is kept, some eighty steps. Those that ask at once for what is not known wait for one
 * answer; a failure is not kept.
 */
export const remembered = <A, E, R>(
  ask: Effect.Effect<A, E, R>,
  holds: Duration.DurationInput
): Effect.Effect<Effect.Effect<A, E, R>> =>
  Effect.sync(() => {
    const turn = Effect.unsafeMakeSemaphore(1)
    const forMs = Duration.toMillis(holds)
    let known: { readonly answer: A; readonly until: number } | undefined
    const orElse = (asked: Effect.Effect<A, E, R>) =>
      Effect.flatMap(Effect.clock, (clock) =>
        known !== undefined && steadyMillis(clock) < known.until ? Effect.succeed(known.answer) : asked
      )
    const anew = Effect.flatMap(ask, (answer) =>
      Effect.map(Effect.clock, (clock) => {
        known = { answer, until: steadyMillis(clock) + forMs }
        return answer
      })
    )
    return orElse(turn.withPermits(1)(orElse(anew)))
  })
