import { Effect, Option, Schema } from "effect"
import { endsByItself } from "../dispatch/HoldBack.ts"
import type { Stamp } from "../domain/Actor.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { wireStruct } from "../domain/Wire.ts"
import { Store } from "../store/Store.ts"
import { Bulk } from "./answers/Bulk.ts"
import { PauseChange } from "./answers/State.ts"
import { cancelMatching } from "./Bulk.ts"
import type { Tell } from "./BulkWalk.ts"
import { operation } from "./Operation.ts"
import { changed } from "./Pause.ts"
import { said } from "./Said.ts"

/** What is told of a stop for which nobody gave a reason. */
const REASON = "stop --now"

/** So much of an earlier reason stands beside a new one. */
const MOST_OF_EARLIER = 1_000

const running = { status: ["running"], kind: Option.none(), source: Option.none() } as const

/** Why dispatch was paused does not cease to hold with the next reason: whoever resumes has to see both. */
const both = (reason: string, earlier: string): string =>
  `${reason} (paused before: ${earlier.length > MOST_OF_EARLIER ? `${earlier.slice(0, MOST_OF_EARLIER)}…` : earlier})`

/**
 * Pauses for a stop. A pause that is in force stays as it is, unless there is something to add to its reason, or its
 * dispatcher would end it by itself.
 */
const pauseFor = (given: Option.Option<string>, stamp: Stamp) =>
  Effect.gen(function* () {
    const { gates, transact } = yield* Store
    return yield* transact(
      "Stop.pause",
      Effect.gen(function* () {
        const before = yield* gates.pause
        const earlier = Option.flatMap(before, ({ reason }) => reason)
        const isKnown = Option.isNone(given) || Option.contains(earlier, given.value)
        if (Option.isSome(before) && isKnown && !endsByItself(before.value))
          return changed(before.value, before)
        const own = Option.getOrElse(given, () => REASON)
        const reason = Option.some(
          Option.match(earlier, { onNone: () => own, onSome: (was) => both(own, was) })
        )
        return changed((yield* gates.setPause(reason, stamp)).pause, before)
      })
    )
  })

/**
 * Stops everything at once: dispatch is paused, so that nothing more is claimed, then the end of all that runs is
 * asked for. A dispatcher stops it; where none is alive the caller does, and puts back what a dead one left. Where
 * dispatch was paused already, `before` tells since when, by whom and why.
 */
export const stop = operation({
  name: "dispatch.stop",
  role: "operate",
  output: Schema.extend(PauseChange, wireStruct({ canceled: Bulk })),
  run: traced("Stop.stop")(function* (
    input: { readonly reason: Option.Option<string>; readonly tell?: Tell },
    actor
  ) {
    const given = yield* said("reason", input.reason)
    const paused = yield* pauseFor(given, { at: yield* now, actor })
    const reason = Option.orElseSome(given, () => REASON)
    const canceled = yield* cancelMatching.run(
      { ...input, filter: running, dryRun: false, reason, force: true },
      actor
    )
    return { ...paused, canceled }
  })
})
