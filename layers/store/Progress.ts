import { Effect } from "effect"
import type { Tell } from "../../src/store/BackupFiles.ts"

/** Told from the first second on and then each second. */
const PACE = "1 second"

/** A size in whole MiB, as people read it. */
export const mib = (bytes: number): string => `${Math.ceil(bytes / 1024 / 1024)} MiB`

/** Tells every second, where it has changed, what `sentence` answers, while a step runs that takes longer. */
export const telling =
  (tell: Tell, sentence: () => string) =>
  <A, E, R>(step: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.scoped(
      Effect.zipRight(
        Effect.forkScoped(
          Effect.iterate("", {
            while: () => true,
            body: (before) => {
              const now = sentence()
              return Effect.as(
                Effect.zipRight(now === before ? Effect.void : tell(now), Effect.sleep(PACE)),
                now
              )
            }
          }).pipe(Effect.delay(PACE))
        ),
        step
      )
    )
