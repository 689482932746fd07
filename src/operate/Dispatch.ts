import { Effect, Option, Schedule } from "effect"
import { dispatch } from "../dispatch/Dispatcher.ts"
import type { LockHeld } from "../dispatch/Lock.ts"
import { Refusal } from "./Refusal.ts"

/** How often a dispatcher that waits for its turn looks whether the lock is free. */
const untilFree = Schedule.spaced("1 second")

const holderOf = ({ runnerId }: LockHeld): string => Option.getOrElse(runnerId, () => "another process")

/**
 * Dispatches until it is interrupted. While another dispatcher holds the lock it is refused with who that is; with
 * `wait` it says so once and takes over when the lock is free.
 */
export const dispatchHere = (input: { readonly wait: boolean }) =>
  Effect.catchTag(dispatch, "LockHeld", (held) =>
    Effect.gen(function* () {
      if (!input.wait)
        return yield* new Refusal({
          code: "dispatch_locked",
          message: `${holderOf(held)} dispatches already`,
          hint: "agent-runtime status shows since when; --wait takes over when it ends"
        })
      yield* Effect.logInfo(`Waiting: ${holderOf(held)} dispatches already`)
      return yield* Effect.retry(dispatch, {
        while: (error) => error._tag === "LockHeld",
        schedule: untilFree
      })
    })
  )
