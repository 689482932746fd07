import type { Database } from "bun:sqlite"
import { SqlError } from "@effect/sql/SqlError"
import {
  Clock,
  Context,
  Duration,
  Effect,
  type FiberId,
  Layer,
  Option,
  RcRef,
  Schedule,
  type Scope
} from "effect"
import type { StoreUnavailable } from "../../src/store/StoreError.ts"
import { watched } from "./changes.ts"
import { changesOn, codeOf, isBusy, type OpenOptions, openConnection, rowsOn } from "./connection.ts"
import { watchOver } from "./Loss.ts"
import { Owner } from "./Owner.ts"
import { bind, type Statement, type Value } from "./statement.ts"
import { unavailable } from "./storeError.ts"
import { transactions } from "./transactions.ts"
import {
  attempted,
  attemptedNow,
  type Block,
  boundsOn,
  ownTransactions,
  unlessDone,
  type Writing,
  writingOn
} from "./writing.ts"

export type Row = Readonly<Record<string, Value>>

export interface SqliteOptions extends OpenOptions {
  /**
   * Whether reads have a connection of their own, so that they do not wait for this process's transactions;
   * true by default. A short command opens in half the time without.
   */
  readonly ownReader?: boolean
  /** How long a transaction waits for those of other processes before it gives up; 10 seconds by default. */
  readonly busyFor?: Duration.DurationInput
}

const BUSY_FOR: Duration.DurationInput = "10 seconds"

const whileBusy = Schedule.exponential("5 millis", 1.5).pipe(
  Schedule.either(Schedule.spaced("100 millis")),
  Schedule.jittered
)

/** The door to SQLite: statements and transactions. Only `layers/store` uses it. */
export class Sqlite extends Context.Tag("agent-runtime/store/Sqlite")<
  Sqlite,
  {
    readonly path: string
    /** Rows of a statement: inside a transaction on its connection, outside on the reader. */
    readonly rows: (
      of: Statement,
      values?: Readonly<Record<string, Value>>
    ) => Effect.Effect<ReadonlyArray<Row>, StoreUnavailable>
    /**
     * Runs a state change as one transaction, or as a part of the one that the fiber is in. The block does all of
     * it at once, and a busy database runs it again: it takes no time and no id and keeps nothing.
     */
    readonly write: <A>(name: string, block: Block<A>) => Effect.Effect<A, StoreUnavailable>
    /** See Store.transact. */
    readonly transact: <A, E, R>(
      name: string,
      program: Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | StoreUnavailable, R>
    /** See Maintenance.here. */
    readonly here: Effect.Effect<void, StoreUnavailable>
    /** See Maintenance.lost. */
    readonly lost: Effect.Effect<never, StoreUnavailable>
    /** See Store.listen. Nothing is watched until somebody listens, and all who listen share one watch. */
    readonly listen: (tell: () => void) => Effect.Effect<void, never, Scope.Scope>
  }
>() {}

/** Runs a program as a part of the transaction that its fiber is in. */
const joined = <A, E, R>(
  changes: () => number,
  owner: Owner["Type"],
  name: string,
  program: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const before = changes()
    return Effect.tapErrorCause(program, () =>
      Effect.sync(() => {
        if (changes() !== before) owner.brokenBy ??= name
      })
    )
  })

/** Runs a block as a part of the transaction that its fiber is in. */
const joinedBlock = <A>(
  changes: () => number,
  writing: Writing,
  owner: Owner["Type"],
  name: string,
  block: Block<A>
): A => {
  const before = changes()
  try {
    return block(writing)
  } catch (cause) {
    if (changes() !== before) owner.brokenBy ??= name
    throw cause
  }
}

const misuse = (owner: Owner["Type"], fiber: FiberId.FiberId): string | undefined =>
  owner.fiber !== fiber
    ? `the transaction ${owner.name} was used by a fiber that is not its own`
    : owner.isOver
      ? `the transaction ${owner.name} was used after its end`
      : undefined

/** Opens a database that exists (or a fresh one in memory): a writer and, on a file, mostly a reader. */
export const open = (options: SqliteOptions): Effect.Effect<Sqlite["Type"], StoreUnavailable, Scope.Scope> =>
  Effect.gen(function* () {
    const busyFor = Duration.decode(options.busyFor ?? BUSY_FOR)
    const writerDb = yield* openConnection(options, "writer")
    const isShared = options.filename === ":memory:" || options.ownReader === false
    const readerDb = isShared ? writerDb : yield* openConnection(options, "reader")
    const [onWriter, onReader, changes] = [rowsOn(writerDb), rowsOn(readerDb), changesOn(writerDb)]
    const listeners = new Set<() => void>()
    const tell = (): void => {
      for (const listener of listeners) listener()
    }
    const place = yield* watchOver(options, writerDb, tell)
    // Whose turn it is on the writer.
    const turn = yield* Effect.makeSemaphore(1)
    const bounds = boundsOn(writerDb)
    const transaction = transactions(bounds, turn, tell)
    // One at a time asks for the lock: many that wait would stall the event loop between them.
    const line = yield* Effect.makeSemaphore(1)
    let waiting = 0
    const renamed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      unlessDone(
        effect,
        Effect.mapError((error) =>
          error instanceof SqlError
            ? unavailable(options.filename, codeOf(error), error, busyFor)
            : (error as Exclude<E, SqlError>)
        )
      )

    const patient = <A, E, R>(once: Effect.Effect<A, E | SqlError, R>, limit: Duration.Duration) =>
      Effect.retry(once, { while: isBusy, schedule: Schedule.upTo(whileBusy, limit) })

    const read = (
      { isQuery, text }: Statement,
      params: ReadonlyArray<Value>
    ): Effect.Effect<ReadonlyArray<Row>, SqlError | StoreUnavailable> => {
      const gone = place.known()
      if (gone !== undefined) return gone
      // The writer has in hand what it has just written. The reader would read all of it anew, and waits for nobody.
      const once = () => (isQuery === true && !writerDb.inTransaction ? onWriter : onReader)(text, params)
      // On one connection a read must not slip into somebody's open transaction.
      const inTurn = () => patient(isShared ? turn.withPermits(1)(attempted(once)) : attempted(once), busyFor)
      return isShared && writerDb.inTransaction
        ? inTurn()
        : unlessDone(attemptedNow(once), Effect.catchIf(isBusy, inTurn))
    }

    const problemIn = (owner: Owner["Type"], fiber: FiberId.FiberId): string | undefined =>
      misuse(owner, fiber) ??
      // SQLite itself ends a transaction on some errors (a full disk); what follows would be kept on its own.
      (writerDb.inTransaction ? undefined : `the transaction ${owner.name} went on after SQLite had ended it`)

    const rows = (of: Statement, values: Readonly<Record<string, Value>> = {}) =>
      Effect.withFiberRuntime<ReadonlyArray<Row>, StoreUnavailable>((fiber) => {
        const params = bind(of, values)
        const owner = Context.getOption(fiber.currentContext, Owner)
        if (Option.isNone(owner)) return renamed(read(of, params))
        const problem = problemIn(owner.value, fiber.id())
        if (problem !== undefined) return Effect.dieMessage(problem)
        return renamed(attemptedNow(() => onWriter(of.text, params)))
      })

    /** When it is this fiber's turn to write; the time in the line is part of the time that it waits. */
    const inLine = <A, E, R>(once: Effect.Effect<A, E | SqlError, R>): Effect.Effect<A, E | SqlError, R> =>
      Effect.acquireUseRelease(
        Effect.tap(Clock.currentTimeNanos, () => Effect.sync(() => waiting++)),
        (asked) =>
          line.withPermits(1)(
            Effect.flatMap(Clock.currentTimeNanos, (got) =>
              patient(once, Duration.subtract(busyFor, Duration.nanos(got > asked ? got - asked : 0n)))
            )
          ),
        () => Effect.sync(() => waiting--)
      )

    const writing = writingOn(writerDb)
    const ownTransaction = ownTransactions(bounds, writing)

    const alone =
      <A>(block: Block<A>) =>
      (): A => {
        const { isChange, value } = ownTransaction(block)
        if (isChange) tell()
        return value
      }

    // Mostly nobody waits and no other transaction is open: then there is no line to stand in.
    const promptly = <A, E, R>(
      now: () => Effect.Effect<A, E | SqlError, R>,
      inTurn: () => Effect.Effect<A, E | SqlError, R>
    ) =>
      waiting > 0 || writerDb.inTransaction ? inTurn() : unlessDone(now(), Effect.catchIf(isBusy, inTurn))

    // A block, which is over at once, needs no turn where nothing is open.
    const writeAlone = <A>(block: Block<A>) => {
      const once = (): Effect.Effect<A, SqlError | StoreUnavailable> =>
        place.look() ?? attemptedNow(alone(block))
      return promptly(once, () => inLine(turn.withPermits(1)(Effect.suspend(once))))
    }

    const transactAlone = <A, E, R>(name: string, program: Effect.Effect<A, E, R>) => {
      const once = Effect.suspend(
        (): Effect.Effect<A, E | SqlError | StoreUnavailable, R> => place.look() ?? transaction(name, program)
      )
      return promptly(
        () => once,
        () => inLine(once)
      )
    }

    const write = <A>(name: string, block: Block<A>): Effect.Effect<A, StoreUnavailable> =>
      Effect.withFiberRuntime<A, StoreUnavailable>((fiber) => {
        const owner = Context.getOption(fiber.currentContext, Owner)
        if (Option.isNone(owner)) return renamed(writeAlone(block))
        const problem = problemIn(owner.value, fiber.id())
        return problem === undefined
          ? renamed(attemptedNow(() => joinedBlock(changes, writing, owner.value, name, block)))
          : Effect.dieMessage(problem)
      })

    const transact = <A, E, R>(
      name: string,
      program: Effect.Effect<A, E, R>
    ): Effect.Effect<A, E | StoreUnavailable, R> =>
      Effect.withFiberRuntime<A, E | StoreUnavailable, R>((fiber) => {
        const owner = Context.getOption(fiber.currentContext, Owner)
        if (Option.isNone(owner)) return renamed(transactAlone(name, program))
        const problem = misuse(owner.value, fiber.id())
        return problem === undefined
          ? joined(changes, owner.value, name, program)
          : Effect.dieMessage(problem)
      })

    // Changes with every commit of other connections: the reader's with those of this process's writer, too.
    const versionOn = (db: Database) => {
      const query = db.query("PRAGMA data_version")
      return () => Number(query.values()[0]?.[0])
    }
    // However many listen, one of them watches for all.
    const watch = yield* RcRef.make({
      acquire:
        options.filename === ":memory:"
          ? Effect.void
          : watched(
              options.filename,
              { any: versionOn(readerDb), others: versionOn(writerDb) },
              tell,
              place.look
            )
    })
    const { here } = place
    const watching = RcRef.get(watch)
    const listen = (told: () => void) => {
      // One function may be handed in twice, and is told twice then.
      const listener = () => told()
      return Effect.zipRight(
        Effect.acquireRelease(
          Effect.sync(() => listeners.add(listener)),
          () => Effect.sync(() => listeners.delete(listener))
        ),
        watching
      )
    }
    // The watch looks for both.
    const lost = Effect.scoped(Effect.zipRight(watching, place.lost))
    return Sqlite.of({ path: options.filename, rows, write, transact, here, lost, listen })
  }).pipe(
    Effect.mapError((error) =>
      error instanceof SqlError ? unavailable(options.filename, codeOf(error), error) : error
    )
  )

/** The door for as long as the layer lives; see `open`. */
export const layer = (options: SqliteOptions): Layer.Layer<Sqlite, StoreUnavailable> =>
  Layer.scoped(Sqlite, open(options))
