import { Effect, Layer, Option } from "effect"
import { Scheduler } from "../../src/schedule/Scheduler.ts"

/** A runtime without recurring schedules: nothing saves one yet, so nothing is ever due. */
export const layer: Layer.Layer<Scheduler> = Layer.succeed(
  Scheduler,
  Scheduler.of({
    tick: () => Effect.succeed({ schedulesEvaluated: 0, taskIds: [] }),
    nextDue: Effect.succeed(Option.none())
  })
)
