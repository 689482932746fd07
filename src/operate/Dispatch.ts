import { Effect, Option } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { dispatch } from "../dispatch/Dispatcher.ts"
import { Lock } from "../dispatch/Lock.ts"
import { Refusal } from "./Refusal.ts"

/** How often a dispatcher that waits for its turn looks whether the lock is free. */
const BETWEEN_TRIES = "1 second"

const heldBy = Effect.gen(function* () {
  const lock = yield* Lock
  const { lockPath } = yield* RuntimeConfig
  const holder = yield* lock.holder(lockPath)
  return Option.flatMap(holder, ({ runnerId }) => runnerId).pipe(Option.getOrElse(() => "another process"))
})

/**
 * Dispatches until it is interrupted. While another dispatcher holds the lock it is refused with who that is; with
 * `wait` it says so once and takes over when the lock is free.
 */
export const dispatchHere = (input: { readonly wait: boolean }) => {
  const refused = Effect.flatMap(
    heldBy,
    (holder) =>
      new Refusal({
        code: "dispatch_locked",
        message: `${holder} dispatches already`,
        hint: "agent-runtime status shows since when; --wait takes over when it ends"
      })
  )
  const waiting: Effect.Effect<
    never,
    Effect.Effect.Error<typeof dispatch> | Refusal,
    Effect.Effect.Context<typeof dispatch>
  > = Effect.zipRight(
    Effect.sleep(BETWEEN_TRIES),
    Effect.catchTag(dispatch, "LockHeld", () => waiting)
  )
  return Effect.catchTag(dispatch, "LockHeld", () =>
    input.wait
      ? Effect.zipRight(
          Effect.flatMap(heldBy, (holder) => Effect.logInfo(`Waiting: ${holder} dispatches already`)),
          waiting
        )
      : refused
  )
}
