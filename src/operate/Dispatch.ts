import { Effect, Option, Schedule } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { dispatch } from "../dispatch/Dispatcher.ts"
import { type Holder, holderOf } from "../dispatch/Lock.ts"
import { Refusal } from "./Refusal.ts"

/** How often a dispatcher that waits for its turn looks whether the lock is free. */
const untilFree = Schedule.spaced("1 second")

const nameOf = ({ runnerId }: Pick<Holder, "runnerId">): string =>
  Option.getOrElse(runnerId, () => "another process")

const lockedBy = (holder: Pick<Holder, "runnerId">) =>
  new Refusal({
    code: "dispatch_locked",
    message: `${nameOf(holder)} dispatches already`,
    hint: "agent-runtime status shows since when; --wait takes over when it ends"
  })

/**
 * Refuses, as `dispatchHere` would, where another dispatcher holds the lock now: for who has more to begin than that, and
 * is not to begin it in vain. Whoever is not refused may be all the same, by `dispatchHere`.
 */
export const unlocked = Effect.gen(function* () {
  const { lockPath } = yield* RuntimeConfig
  const holder = yield* holderOf(lockPath)
  if (Option.isSome(holder)) return yield* lockedBy(holder.value)
})

/**
 * Dispatches until it is interrupted. While another dispatcher holds the lock it is refused with who that is; with
 * `wait` it says so once and takes over when the lock is free.
 */
export const dispatchHere = (input: { readonly wait: boolean }) =>
  Effect.catchTag(dispatch, "LockHeld", (held) =>
    Effect.gen(function* () {
      if (!input.wait) return yield* lockedBy(held)
      yield* Effect.logInfo(`Waiting: ${nameOf(held)} dispatches already`)
      return yield* Effect.retry(dispatch, {
        while: (error) => error._tag === "LockHeld",
        schedule: untilFree
      })
    })
  )
