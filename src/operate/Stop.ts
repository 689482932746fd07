import { Effect, Option, Schema } from "effect"
import { wireStruct } from "../domain/Wire.ts"
import { Bulk } from "./answers/Bulk.ts"
import { PauseState } from "./answers/State.ts"
import { cancelMatching, type Tell } from "./Bulk.ts"
import { operation } from "./Operation.ts"
import { pause } from "./Pause.ts"

/** What is told of a stop for which nobody gave a reason. */
const REASON = "stop --now"

const running = { status: ["running"], kind: Option.none(), source: Option.none() } as const

/**
 * Stops everything at once: dispatch is paused, so that nothing more is claimed, then the end of all that runs is
 * asked for. A dispatcher stops it; where none is alive the caller does, and puts back what a dead one left.
 */
export const stop = operation({
  name: "dispatch.stop",
  role: "operate",
  output: Schema.extend(PauseState, wireStruct({ canceled: Bulk })),
  run: Effect.fn("Stop.stop")(function* (
    input: { readonly reason: Option.Option<string>; readonly tell?: Tell },
    actor
  ) {
    const reason = Option.orElseSome(input.reason, () => REASON)
    const paused = yield* pause.run({ reason }, actor)
    const canceled = yield* cancelMatching.run(
      { ...input, filter: running, dryRun: false, reason, force: true },
      actor
    )
    return { ...paused, canceled }
  })
})
