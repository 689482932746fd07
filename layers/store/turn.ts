import { Effect } from "effect"

/**
 * A turn of the event loop, by the clock, so that where time stands still nothing is waited for. Effect's fibers yield to
 * each other, not to the loop: requests would go on waiting.
 */
export const turn: Effect.Effect<void> = Effect.sleep(0)
