import type { SqlError } from "@effect/sql/SqlError"
import { Context, Effect, Exit, FiberRef } from "effect"
import { Owner } from "./Owner.ts"
import { attemptedNow, type Bounds } from "./writing.ts"

/**
 * Runs programs as transactions of their own on the writer, once each, when it is their turn there; `committed` is
 * run after a commit that changed something. What fails, dies or is interrupted leaves nothing; a BEGIN or COMMIT that
 * fails is an error like any other.
 */
export const transactions = (
  { begin, keep, takeBack }: Bounds,
  turn: Effect.Semaphore,
  committed: () => void
) => {
  /** Never throws: whoever calls it has the turn to give back. */
  const settled = <A, E>(
    owner: Owner["Type"],
    changesBefore: number,
    end: Exit.Exit<A, E>
  ): Effect.Effect<A, E | SqlError> =>
    Effect.flatten(
      attemptedNow((): Effect.Effect<A, E> => {
        owner.isOver = true
        if (Exit.isSuccess(end) && owner.brokenBy === undefined) {
          if (keep(changesBefore)) committed()
          return end
        }
        takeBack()
        return Exit.isFailure(end)
          ? end
          : Effect.dieMessage(
              `the transaction ${owner.name} went on after ${owner.brokenBy} had failed in it with half its writes done`
            )
      })
    )

  // By hand what `withPermits` and `provideService` do with twice as many steps: an attempt has three transactions.
  return <A, E, R>(name: string, program: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(restore(turn.take(1)), () =>
        Effect.withFiberRuntime<A, E | SqlError, R>((fiber) => {
          const over = <B, F>(result: Effect.Effect<B, F>) => Effect.zipRight(turn.release(1), result)
          const outside = fiber.currentContext
          const owner: Owner["Type"] = { name, fiber: fiber.id(), isOver: false, brokenBy: undefined }
          const begun = attemptedNow(begin)
          if (Exit.isFailure(begun)) return over(Exit.failCause(begun.cause))
          const inside = FiberRef.set(FiberRef.currentContext, Context.add(outside, Owner, owner))
          return Effect.flatMap(Effect.exit(Effect.zipRight(inside, restore(program))), (end) =>
            Effect.zipRight(
              FiberRef.set(FiberRef.currentContext, outside),
              over(settled(owner, begun.value, end))
            )
          )
        })
      )
    )
}
