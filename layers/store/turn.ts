import { Effect } from "effect"

/** A turn of the event loop. Effect's fibers yield to each other, not to the loop: requests would go on waiting. */
export const turn: Effect.Effect<void> = Effect.async((resume) => {
  const next = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(next))
})
