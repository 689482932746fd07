import { Duration, Effect, Metric, Schedule } from "effect"

/** How often a loop of the dispatcher met a fault and was begun anew, by its name. */
export const restarts = Metric.counter("dispatch_loop_restarts", {
  description: "loops of the dispatcher that met a fault and were begun anew",
  incremental: true
})

/**
 * From a second up to ten between two beginnings of a loop that fails again and again: a store that can be
 * written again is noticed soon. After five minutes it starts over.
 */
const betweenRestarts = Schedule.exponential("1 second", 2).pipe(
  Schedule.either(Schedule.spaced("10 seconds")),
  Schedule.jittered,
  // Timers have no finer grain.
  Schedule.modifyDelay((_, delay) => Duration.millis(Math.round(Duration.toMillis(delay)))),
  Schedule.resetAfter("5 minutes")
)

/**
 * Runs a loop that is not meant to end: whatever it meets, a fault of ours included, is logged, counted, and the
 * loop begun anew after a while. It never ends the others.
 */
export const supervised =
  (name: string) =>
  <E, R>(loop: Effect.Effect<never, E, R>): Effect.Effect<never, never, R> =>
    loop.pipe(
      Effect.tapErrorCause((cause) =>
        Effect.zipRight(
          Metric.increment(Metric.tagged(restarts, "loop", name)),
          Effect.logError(`The ${name} loop met a fault and is begun anew`, cause)
        )
      ),
      Effect.sandbox,
      Effect.retry(betweenRestarts),
      Effect.orDie
    )
