import { Deferred, Effect, Option } from "effect"
import type { StopReason } from "../adapter/AdapterRegistry.ts"

/** So long what an attempt left behind may still be looked at once it was told to end. */
const GRACE = "5 seconds"

/**
 * Looks at what an attempt left behind, which may take as long as an agent likes it to: a file of terabytes, a
 * repository of millions. Once the attempt is told to end it is given a few seconds more, then interrupted, and what
 * comes `instead` is answered.
 */
export const unlessStopped = <A, E, R, A2, E2, R2>(
  look: Effect.Effect<A, E, R>,
  stop: Deferred.Deferred<StopReason>,
  instead: (reason: StopReason) => Effect.Effect<A2, E2, R2>
): Effect.Effect<A | A2, E | E2, R | R2> =>
  Effect.raceFirst(
    Effect.asSome(look),
    Effect.as(Effect.zipRight(Deferred.await(stop), Effect.sleep(GRACE)), Option.none<A>())
  ).pipe(
    Effect.flatMap(
      Option.match({
        onNone: () => Effect.flatMap(Deferred.await(stop), instead),
        onSome: (seen): Effect.Effect<A | A2, E2, R2> => Effect.succeed(seen)
      })
    )
  )
