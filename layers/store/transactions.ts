import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Exit } from "effect"
import { Owner } from "./Owner.ts"
import { attempted, type Bounds } from "./writing.ts"

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
  const begun = attempted(begin)

  const settled = <A, E>(
    owner: Owner["Type"],
    changesBefore: number,
    end: Exit.Exit<A, E>
  ): Effect.Effect<A, E | SqlError> => {
    owner.isOver = true
    if (Exit.isSuccess(end) && owner.brokenBy === undefined)
      return Effect.map(
        attempted(() => keep(changesBefore)),
        (isChange) => {
          if (isChange) committed()
          return end.value
        }
      )
    takeBack()
    return Exit.isFailure(end)
      ? end
      : Effect.dieMessage(
          `the transaction ${owner.name} went on after ${owner.brokenBy} had failed in it with half its writes done`
        )
  }

  return <A, E, R>(name: string, program: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError, R> =>
    turn.withPermits(1)(
      Effect.uninterruptibleMask((restore) =>
        Effect.withFiberRuntime<A, E | SqlError, R>((fiber) => {
          const owner: Owner["Type"] = { name, fiber: fiber.id(), isOver: false, brokenBy: undefined }
          const owned = restore(Effect.provideService(program, Owner, owner))
          return Effect.flatMap(begun, (changesBefore) =>
            Effect.flatMap(Effect.exit(owned), (end) => settled(owner, changesBefore, end))
          )
        })
      )
    )
}
