import { Database } from "bun:sqlite"
import { Cause, Effect, Exit, type Fiber, Layer, Option, Random } from "effect"
import { runnerOf } from "../../../layers/Memory.ts"
import { MIGRATIONS, migrate } from "../../../layers/store/Migrations.ts"
import { dispatch } from "../../../src/dispatch/Dispatcher.ts"
import { Runner } from "../../../src/dispatch/Runner.ts"
import { IdSource, RunnerId, uuidV7 } from "../../../src/domain/Ids.ts"
import { budget } from "../../dispatch/budgets.ts"
import { limits, notify } from "../../dispatch/resident.ts"
import { world } from "../../dispatch/world.ts"
import { inspect } from "../Checker.ts"
import { randomOf, seedOf } from "../Random.ts"
import { hashingAtOnce } from "./AtOnce.ts"
import { client, newRecord, type Record, worker } from "./Clients.ts"
import { Machine, Process } from "./Machine.ts"

const BEGIN = Date.parse("2026-01-02T03:04:05.000Z")
/** A life of a process is simulated so long at most. */
const LIFE = 3 * 60_000
const LAST_LIFE = 2 * 3_600_000
/** Steps that may be made at one moment; more of them, and somebody turns round without waiting. */
const MOST_STEPS = 20_000
/** Attempts that the budget lets begin on one day. */
const DAILY = 1_000
const CLIENTS = 3
const ASKS = 5

export interface Plan {
  readonly seed: number
  /** Each process but the last dies before the step of this number. */
  readonly deaths: ReadonlyArray<number>
  /** How often a fiber is made to let others go first. */
  readonly restless: number
  /** How often, between two moments, the disk refuses writes until the next. */
  readonly refusals: number
}

export interface Lived {
  /** Steps that each process made. */
  readonly steps: ReadonlyArray<number>
  readonly violations: ReadonlyArray<string>
  /** The history, for comparing two lives. */
  readonly history: string
}

const emptyDatabase = (): Database => {
  const db = new Database(":memory:")
  migrate(db, MIGRATIONS, new Date(BEGIN).toISOString())
  db.run("PRAGMA foreign_keys = ON")
  return db
}

/** The whole runtime in memory over a database that outlives it. */
const runtime = (database: Database, record: Record, random: () => number) =>
  Layer.merge(
    world({
      adapters: { local: worker(record, random), other: worker(record, random) },
      database,
      settings: {
        ...limits({ concurrency: 3 }).settings,
        retryBackoffSeconds: 1,
        budgets: [budget({ limit: DAILY })]
      }
    }),
    notify()
  )

/** Ids that count: the same in each life of the same seed, and never used twice in one. */
const counting = (): IdSource["Type"] => {
  let count = 0
  return { next: Effect.sync(() => uuidV7(BEGIN, count++ % 0x1000, new Uint8Array(8).fill(count >> 12))) }
}

interface Life {
  readonly database: Database
  readonly record: Record
  readonly random: () => number
  readonly ids: IdSource["Type"]
  readonly number: number
  readonly isLast: boolean
  readonly process: Process
}

/** What one process does from its start on: the resident dispatcher, and clients beside it in all lives but the last. */
const life = ({ database, ids, isLast, number, process, random, record }: Life) =>
  Effect.raceFirst(
    Effect.zipRight(process.ready, dispatch),
    Effect.zipRight(
      Effect.all(
        Array.from({ length: isLast ? 0 : CLIENTS }, () => client(record, random, ASKS)),
        { concurrency: "unbounded", discard: true }
      ),
      Effect.never
    )
  ).pipe(
    Effect.provideService(Runner, runnerOf(RunnerId.make(`memory:${number}:x`), number)),
    Effect.provideService(IdSource, ids),
    Effect.provide(runtime(database, record, random)),
    Effect.withRandom(Random.make(number))
  )

/** Nothing of a dead process goes on: its transaction is rolled back as by the death of its connection. */
const bury = (database: Database, machine: Machine, record: Record): void => {
  machine.forget()
  if (database.inTransaction) database.run("ROLLBACK")
  database.run("PRAGMA query_only = OFF")
  record.working.clear()
}

/** Before the last life nothing holds work back any more, and nothing makes more of it. */
const settleDown = (database: Database): void => {
  database.run("DELETE FROM gates WHERE kind = 'pause'")
  database.run("UPDATE schedules SET enabled = 0")
}

const isDone = (database: Database): boolean => unfinished(database).length === 0

const unfinished = (database: Database): ReadonlyArray<string> =>
  database
    .query<{ readonly task_id: string; readonly status: string }, []>(
      "SELECT task_id, status FROM tasks WHERE status IN ('pending', 'running', 'retryable_failure')"
    )
    .all()
    .map(
      ({ status, task_id }) =>
        `task ${task_id} is still ${status} after two hours in which nothing went wrong`
    )

/** The history, each task named by when it was told of first: ids differ from life to life. */
const historyOf = (database: Database): string => {
  const names = new Map<string, number>()
  return database
    .query<{ readonly id: number; readonly what: string; readonly task: string }, []>(
      "SELECT id, created_at || ' ' || event_type AS what, coalesce(task_id, '') AS task FROM run_events ORDER BY id"
    )
    .all()
    .map(({ id, task, what }) => {
      const name = names.get(task) ?? names.size
      names.set(task, name)
      return `${id} ${what} ${name}`
    })
    .join("\n")
}

/** What a process that ended by itself ended with; a store that could not be used is a reason, all else is a fault. */
const endedWith = (
  fiber: Fiber.RuntimeFiber<unknown, { readonly _tag: string }>,
  refused: boolean
): ReadonlyArray<string> => {
  const exit = fiber.unsafePoll()
  if (exit === null) return []
  if (Exit.isFailure(exit) && refused && Cause.failureOption(exit.cause).pipe(Option.isSome)) {
    const { _tag } = Option.getOrThrow(Cause.failureOption(exit.cause))
    if (_tag === "StoreUnavailable") return []
  }
  return [
    `the process ended by itself: ${Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "without an error"}`
  ]
}

/** Lives through a plan, process after process, and judges what is left. */
export const simulate = (plan: Plan): Lived => hashingAtOnce(() => lived(plan))

const lived = (plan: Plan): Lived => {
  const random = randomOf(plan.seed)
  const machine = new Machine(BEGIN)
  const record = newRecord()
  const database = emptyDatabase()
  const ids = counting()
  const steps: Array<number> = []
  const violations: Array<string> = []
  for (let number = 1; number <= plan.deaths.length + 1; number++) {
    const isLast = number > plan.deaths.length
    if (isLast) settleDown(database)
    const process = new Process(
      randomOf(seedOf(plan.seed, "turns", number)),
      plan.deaths[number - 1] ?? Number.POSITIVE_INFINITY,
      plan.restless
    )
    const fiber = Effect.runFork(
      Effect.withClock(life({ database, record, random, ids, number, isLast, process }), machine),
      { scheduler: process, immediate: false }
    )
    const until = machine.unsafeCurrentTimeMillis() + (isLast ? LAST_LIFE : LIFE)
    let refused = false
    do {
      if (!process.run(MOST_STEPS)) {
        violations.push(`it spins: ${MOST_STEPS} steps were made at one moment`)
        break
      }
      if (process.isDead || fiber.unsafePoll() !== null || (isLast && isDone(database))) break
      const refuses = !isLast && random() < plan.refusals
      refused ||= refuses
      if (!database.inTransaction) database.run(`PRAGMA query_only = ${refuses ? "ON" : "OFF"}`)
    } while (machine.passTime(until))
    violations.push(...endedWith(fiber, refused))
    process.kill()
    steps.push(process.steps)
    bury(database, machine, record)
    violations.push(...inspect(database, { facts: record.facts, seen: record.seen }))
  }
  violations.push(...unfinished(database))
  const history = historyOf(database)
  database.close()
  return { steps, violations: [...new Set(violations)], history }
}
