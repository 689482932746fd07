import { Cause, Effect, Metric, Schedule } from "effect"

/** How often a loop of the dispatcher met a fault and was begun anew, by its name. */
export const restarts = Metric.counter("dispatch_loop_restarts", {
  description: "loops of the dispatcher that met a fault and were begun anew",
  incremental: true
})

/** From a second up to a minute between two beginnings of a loop that fails again and again. */
const betweenRestarts = Schedule.exponential("1 second", 2).pipe(
  Schedule.either(Schedule.spaced("1 minute")),
  Schedule.jittered
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
        Cause.isInterruptedOnly(cause)
          ? Effect.void
          : Effect.zipRight(
              Metric.increment(Metric.tagged(restarts, "loop", name)),
              Effect.logError(`The ${name} loop met a fault and is begun anew`, cause)
            )
      ),
      Effect.sandbox,
      Effect.retry(betweenRestarts),
      Effect.orDie
    )
