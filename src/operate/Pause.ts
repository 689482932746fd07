import { type DateTime, Effect, Option } from "effect"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import type { Pause } from "../store/Gates.ts"
import { Store } from "../store/Store.ts"
import { PauseChange, type PauseState, PauseStory } from "./answers/State.ts"
import { operation } from "./Operation.ts"
import { said } from "./Said.ts"

const notPaused = (updatedAt: Option.Option<DateTime.Utc>): PauseState => ({
  paused: false,
  reason: Option.none(),
  updatedAt
})

const pauseStory = Effect.gen(function* () {
  const { gates } = yield* Store
  const pause = yield* gates.pause
  if (Option.isSome(pause)) {
    const { actor, reason, since } = pause.value
    return { paused: true, reason, updatedAt: Option.some(since), actor } satisfies PauseStory
  }
  return Option.match(yield* gates.resumed, {
    onNone: (): PauseStory => notPaused(Option.none()),
    onSome: ({ actor, at }): PauseStory => ({ ...notPaused(Option.some(at)), actor })
  })
})

/** Whether dispatch is paused, and why. */
export const pauseState = Effect.map(
  pauseStory,
  ({ paused, reason, updatedAt }): PauseState => ({ paused, reason, updatedAt })
)

/** A pause as the answer of what set it, or found it set. */
export const changed = (pause: Pause, before: Option.Option<Pause>): PauseChange => ({
  paused: true,
  reason: pause.reason,
  updatedAt: Option.some(pause.since),
  ...Option.match(before, {
    onNone: () => ({}),
    onSome: ({ actor, reason, since }) => ({ before: { reason, updatedAt: since, actor } })
  })
})

/** Stops claiming at once; running attempts finish. It survives restarts. */
export const pause = operation({
  name: "dispatch.pause",
  role: "operate",
  output: PauseChange,
  run: traced("Pause.pause")(function* (input: { readonly reason: Option.Option<string> }, actor) {
    const store = yield* Store
    const set = yield* store.gates.setPause(yield* said("reason", input.reason), { at: yield* now, actor })
    return changed(set.pause, set.before)
  })
})

/** Lets dispatch claim again; nothing happens when it was not paused, and the answer is the state as it is. */
export const resume = operation({
  name: "dispatch.resume",
  role: "operate",
  output: PauseChange,
  run: traced("Pause.resume")(function* (_: object, actor) {
    const store = yield* Store
    const at = yield* now
    const wasPaused = yield* store.gates.clearPause({ at, actor })
    return wasPaused ? notPaused(Option.some(at)) : yield* pauseState
  })
})

/** Whether dispatch is paused, why and by whom; else who let it go on, and when. */
export const shown = operation({
  name: "dispatch.pause_state",
  role: "read",
  output: PauseStory,
  run: (_: object) => pauseStory
})
