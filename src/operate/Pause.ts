import { type DateTime, Effect, Option } from "effect"
import { now } from "../domain/Time.ts"
import { Store } from "../store/Store.ts"
import { PauseState, PauseStory } from "./answers/State.ts"
import { operation } from "./Operation.ts"
import { said } from "./Said.ts"

const notPaused = (updatedAt: Option.Option<DateTime.Utc>): PauseState => ({
  paused: false,
  reason: Option.none(),
  updatedAt
})

const pauseStory = Effect.gen(function* () {
  const store = yield* Store
  return Option.match(yield* store.gates.pause, {
    onNone: () => notPaused(Option.none()),
    onSome: ({ actor, reason, since }): typeof PauseStory.Type => ({
      paused: true,
      reason,
      updatedAt: Option.some(since),
      actor
    })
  })
})

/** Whether dispatch is paused, and why. */
export const pauseState = Effect.map(
  pauseStory,
  ({ paused, reason, updatedAt }): PauseState => ({ paused, reason, updatedAt })
)

/** Stops claiming at once; running attempts finish. It survives restarts. */
export const pause = operation({
  name: "dispatch.pause",
  role: "operate",
  output: PauseState,
  run: Effect.fn("Pause.pause")(function* (input: { readonly reason: Option.Option<string> }, actor) {
    const store = yield* Store
    const set = yield* store.gates.setPause(yield* said("reason", input.reason), { at: yield* now, actor })
    return { paused: true, reason: set.reason, updatedAt: Option.some(set.since) }
  })
})

/** Lets dispatch claim again; nothing happens, and no time is told, when it was not paused. */
export const resume = operation({
  name: "dispatch.resume",
  role: "operate",
  output: PauseState,
  run: Effect.fn("Pause.resume")(function* (_: object, actor) {
    const store = yield* Store
    const at = yield* now
    const wasPaused = yield* store.gates.clearPause({ at, actor })
    return notPaused(wasPaused ? Option.some(at) : Option.none())
  })
})

/** Whether dispatch is paused, why and by whom. */
export const shown = operation({
  name: "dispatch.pause_state",
  role: "read",
  output: PauseStory,
  run: (_: object) => pauseStory
})
