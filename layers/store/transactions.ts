import type { Database } from "bun:sqlite"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Exit } from "effect"
import { totalChanges } from "./connection.ts"
import { Owner } from "./Owner.ts"
import { attempted, guarded } from "./writing.ts"

/**
 * Runs programs as transactions of their own on the writer, once each, when it is their turn there; `committed` is
 * run after a commit that changed something. What fails, dies or is interrupted leaves nothing; a BEGIN or COMMIT that
 * fails is an error like any other.
 */
export const transactions = (db: Database, turn: Effect.Semaphore, committed: () => void) => {
  // IMMEDIATE: a deferred read-then-write fails at once when another process writes.
  const begin = db.query("BEGIN IMMEDIATE")
  const commit = db.query("COMMIT")
  const rollback = (): void => {
    // SQLite itself ends a transaction on some errors (a full disk).
    if (db.inTransaction) db.run("ROLLBACK")
  }
  const begun = attempted(() => {
    guarded(() => begin.run())
    return totalChanges(db)
  })

  /** Keeps what was done; whether it changed anything. A COMMIT that failed leaves the transaction open. */
  const kept = (changesBefore: number) =>
    attempted(() => {
      try {
        const isChange = totalChanges(db) !== changesBefore
        guarded(() => commit.run())
        return isChange
      } catch (cause) {
        rollback()
        throw cause
      }
    })

  const settled = <A, E>(
    owner: Owner["Type"],
    changesBefore: number,
    end: Exit.Exit<A, E>
  ): Effect.Effect<A, E | SqlError> => {
    owner.isOver = true
    if (Exit.isSuccess(end) && owner.brokenBy === undefined)
      return Effect.map(kept(changesBefore), (isChange) => {
        if (isChange) committed()
        return end.value
      })
    rollback()
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
