import { type Cause, Effect } from "effect"
import { onFault } from "../store/OneBadRow.ts"
import { Store } from "../store/Store.ts"
import { finish, type Ran, readyToEnd, tellEnd } from "./Finish.ts"
import { type Found, readyToClaim } from "./Steps.ts"

/** To whom an attempt's end hands over. */
export interface Successor {
  /** Whether the place of this attempt may be taken at once; asked again when the store's turn has come. */
  readonly isWanted: (ran: Ran) => boolean
  /** Takes what was claimed; nothing comes between the commit and this. */
  readonly take: (found: Found) => Effect.Effect<void>
}

/**
 * Ends an attempt and claims the next task in one transaction: one wait for the disk instead of two. An end that could
 * not be recorded so is recorded without a claim when it is tried again, and the next task is left to the loop that claims.
 */
export const handOver =
  ({ isWanted, take }: Successor) =>
  (ran: Ran) => {
    let isFirst = true
    return Effect.suspend(() => {
      if (!isFirst || !isWanted(ran)) return finish(ran)
      isFirst = false
      const alone = (cause: Cause.Cause<unknown>) =>
        Effect.zipRight(Effect.logWarning("No task was claimed with the attempt's end", cause), finish(ran))
      return onFault(alone)(endAndClaim(ran, isWanted, take))
    })
  }

const endAndClaim = (ran: Ran, isWanted: Successor["isWanted"], take: Successor["take"]) =>
  Effect.gen(function* () {
    const store = yield* Store
    const end = yield* readyToEnd(ran)
    const ready = yield* readyToClaim
    // The wait for the store may have been long.
    const claim = Effect.suspend(() => (isWanted(ran) ? ready : Effect.succeed<Found>({ _tag: "Idle" })))
    const { attempted } = yield* Effect.uninterruptible(
      Effect.tap(
        store.transact("HandOver.handOver", Effect.all({ attempted: end, found: claim })),
        ({ found }) => take(found)
      )
    )
    yield* tellEnd(attempted)
    return attempted
  })
