import { Context, Effect, Option } from "effect"
import { peer } from "./Listener.ts"

/** So long a request may take until its answer begins, or until what it changes is begun with. */
const REQUEST_LIMIT = "30 seconds"

/** The limit of the request that is being answered; `lift` takes it off, and goes on for ever where it has passed. */
class Deadline extends Context.Tag("agent-runtime/http/Deadline")<
  Deadline,
  { readonly lift: Effect.Effect<void> }
>() {}

/**
 * Fails with `late` where the effect has not come to its end within the limit; not where it has begun to carry a
 * change through (`carriedThrough`) by then: whoever asked is told what came of it, however long it takes.
 */
export const withinLimit = <A, E, R, E2>(effect: Effect.Effect<A, E, R>, late: () => E2) =>
  Effect.suspend(() => {
    let state: "open" | "lifted" | "passed" = "open"
    const lift = Effect.suspend(() => {
      if (state === "passed") return Effect.never
      state = "lifted"
      return Effect.void
    })
    const pass = Effect.suspend(() => {
      if (state === "lifted") return Effect.never
      state = "passed"
      return Effect.fail(late())
    })
    return Effect.raceFirst(
      Effect.provideService(effect, Deadline, { lift }),
      // Requests are answered where nothing is interrupted.
      Effect.interruptible(Effect.zipRight(Effect.sleep(REQUEST_LIMIT), pass))
    )
  })

/**
 * Carries a change through that a request asks for: also when its sender has gone, and past the limit of the request.
 * The connection may be silent until then.
 */
export const carriedThrough = <A, E, R>(change: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const deadline = yield* Effect.serviceOption(Deadline)
    if (Option.isSome(deadline)) yield* deadline.value.lift
    const { impatient, patient } = yield* peer
    return yield* Effect.acquireUseRelease(
      Effect.sync(patient),
      () => Effect.uninterruptible(change),
      () => Effect.sync(impatient)
    )
  })
