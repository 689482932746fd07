import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import * as SqlStatement from "@effect/sql/Statement"
import { Effect, Option, Scope } from "effect"
import { Owner } from "./Owner.ts"

/** A client of the writer whose transactions begin at once; `turn` is whose turn it is there. */
const makeClient = (connection: Connection, turn: Effect.Semaphore) =>
  SqlClient.make({
    acquirer: turn.withPermits(1)(Effect.succeed(connection)),
    transactionAcquirer: Effect.uninterruptibleMask((restore) =>
      restore(turn.take(1)).pipe(
        Effect.zipRight(Effect.tap(Effect.scope, (scope) => Scope.addFinalizer(scope, turn.release(1)))),
        Effect.as(connection)
      )
    ),
    compiler: SqlStatement.makeCompilerSqlite(),
    // IMMEDIATE: a deferred read-then-write fails at once when another process writes.
    beginTransaction: "BEGIN IMMEDIATE",
    spanAttributes: [["db.system.name", "sqlite"]]
  }).pipe(Effect.provideServiceEffect(Reactivity.Reactivity, Reactivity.make))

/** Runs a program as its own transaction, once, on the client's connection. */
const inTransaction = <A, E, R>(client: SqlClient.SqlClient, name: string, program: Effect.Effect<A, E, R>) =>
  Effect.withFiberRuntime<A, E, R>((fiber) => {
    const owner: Owner["Type"] = { name, fiber: fiber.id(), isOver: false, brokenBy: undefined }
    return Effect.provideService(program, Owner, owner).pipe(
      Effect.tap(() =>
        owner.brokenBy === undefined
          ? Effect.void
          : Effect.dieMessage(
              `the transaction ${name} went on after ${owner.brokenBy} had failed in it with half its writes done`
            )
      ),
      Effect.ensuring(
        Effect.sync(() => {
          owner.isOver = true
        })
      )
    )
  }).pipe(
    client.withTransaction,
    // withTransaction turns a failed BEGIN or COMMIT into a defect; here it is an error like any other.
    Effect.catchSomeDefect((defect) =>
      defect instanceof SqlError ? Option.some(Effect.fail(defect)) : Option.none()
    )
  )

/** What runs a program as a transaction of its own on the writer, once. */
export const transactions = (writer: Connection, turn: Effect.Semaphore) =>
  Effect.map(
    makeClient(writer, turn),
    (client) =>
      <A, E, R>(name: string, program: Effect.Effect<A, E, R>) =>
        inTransaction(client, name, program)
  )
