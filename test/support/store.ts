import { Database } from "bun:sqlite"
import { Context, DateTime, Effect, Layer, Option, Schema } from "effect"
import { Sqlite } from "../../layers/store/Sqlite.ts"
import { file as fileStore, memory as memoryStore } from "../../layers/store/SqlStore.ts"
import type { Value } from "../../layers/store/statement.ts"
import type { Actor, Stamp } from "../../src/domain/Actor.ts"
import { AttemptId, MessageId, QuestionId, RunnerId, TaskId, uuidV7 } from "../../src/domain/Ids.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import type { NewTask } from "../../src/domain/Task.ts"
import { unknownUsage } from "../../src/domain/Usage.ts"
import { Store } from "../../src/store/Store.ts"
import type { AttemptEnd, ClaimedTask, Move } from "../../src/store/Tasks.ts"

/** SQL beside the Store, as another program would send it: to damage a row or to look at a column. */
export class Raw extends Context.Tag("test/Raw")<
  Raw,
  {
    readonly run: (
      sql: string,
      ...params: ReadonlyArray<Value>
    ) => Effect.Effect<ReadonlyArray<Readonly<Record<string, Value>>>>
  }
>() {}

const rawOfMemory = Layer.effect(
  Raw,
  Effect.map(Sqlite, (sqlite) => ({
    run: (text: string, ...params: ReadonlyArray<Value>) => {
      const names = params.map((_, index) => String(index))
      const values = Object.fromEntries(params.map((value, index) => [String(index), value]))
      return Effect.orDie(sqlite.transact("raw", sqlite.rows({ text, names }, values)))
    }
  }))
)

/** A store in memory. */
export const inMemory = (): Layer.Layer<Store | Raw | Sqlite, unknown> =>
  Layer.provideMerge(rawOfMemory, memoryStore)

/** A store on a file, and a connection beside it. */
export const onFile = (filename: string): Layer.Layer<Store | Raw, unknown> => {
  const raw = Layer.scoped(
    Raw,
    Effect.gen(function* () {
      yield* Store
      const db = yield* Effect.acquireRelease(
        Effect.sync(() => new Database(filename, { readwrite: true, create: false })),
        (open) => Effect.sync(() => open.close())
      )
      db.run("PRAGMA busy_timeout = 5000")
      return {
        run: (sql: string, ...params: ReadonlyArray<Value>) =>
          Effect.sync(() => db.prepare<Record<string, Value>, Array<Value>>(sql).all(...params))
      }
    })
  )
  return Layer.provideMerge(raw, fileStore({ filename, durability: "normal" }))
}

/** `seconds` after seven o'clock. */
export const at = (seconds: number): DateTime.Utc =>
  DateTime.unsafeMake(Date.parse("2026-04-29T07:00:00.000Z") + seconds * 1000)

export const actor: Actor = { surface: "cli", name: "test" }
export const stampAt = (seconds: number): Stamp => ({ at: at(seconds), actor })

/** What the wire would show of a time. */
export const text = (time: Option.Option<DateTime.Utc> | DateTime.Utc): string | null =>
  Option.isOption(time) ? Option.getOrNull(Option.map(time, DateTime.formatIso)) : DateTime.formatIso(time)

export const taskId = (name: string) => TaskId.make(name)
export const attemptId = (name: string) => AttemptId.make(name)
/** UUIDv7 of one millisecond each, so that they rise with `n`. */
const nthId = (n: number): string => uuidV7(Date.parse("2026-04-29T07:00:00.000Z") + n, 0, new Uint8Array(8))
export const messageId = (n: number) => MessageId.make(nthId(n))
export const questionId = (n: number) => QuestionId.make(nthId(n))

/** The id of the question that is asked next: they are numbered as they are asked. */
export const nextQuestionId = Effect.flatMap(Raw, (raw) =>
  Effect.map(raw.run("SELECT count(*) AS n FROM questions"), ([row]) => questionId(1 + Number(row?.n)))
)
export const runner = RunnerId.make("host:1:2026-04-29T07:00:00.000Z")

interface Wanted {
  readonly kind?: string
  readonly source?: string
  readonly priority?: number
  readonly adapter?: string
  readonly profile?: string
  readonly dedupeKey?: string
  readonly due?: number
  readonly maxAttempts?: number
  readonly untrusted?: boolean
  readonly parent?: NewTask["parent"]
  readonly workflow?: NewTask["workflow"]
  readonly payload?: NewTask["intent"]["payload"]
}

/** A task as `intake/Enqueue` would hand it in; due at once unless `due` (seconds) says otherwise. */
export const newTask = (name: string, wanted: Wanted = {}): NewTask => ({
  taskId: taskId(name),
  intent: {
    kind: wanted.kind ?? "note",
    source: wanted.source ?? "test",
    payload: wanted.payload ?? { name },
    ...(wanted.adapter === undefined ? {} : { requestedAdapter: wanted.adapter }),
    ...(wanted.profile === undefined ? {} : { requestedProfile: wanted.profile }),
    ...(wanted.dedupeKey === undefined ? {} : { dedupeKey: wanted.dedupeKey })
  },
  priority: wanted.priority ?? 5,
  maxAttempts: wanted.maxAttempts ?? 3,
  availableAt: at(wanted.due ?? 0),
  untrusted: wanted.untrusted ?? false,
  parent: wanted.parent ?? Option.none(),
  workflow: wanted.workflow ?? Option.none(),
  replayOf: Option.none(),
  traceParent: Option.none(),
  createdBy: actor
})

/** Adds a task at a second. */
export const add = (name: string, wanted: Wanted = {}, seconds = 0) =>
  Effect.flatMap(Store, (store) => store.tasks.add(newTask(name, wanted), stampAt(seconds)))

/** Claims from every lane. */
export const claim = (attempt: string, seconds = 0) =>
  Effect.gen(function* () {
    const store = yield* Store
    const lanes = (yield* store.tasks.lanes).map((lane) => lane.key)
    return yield* store.tasks.claim({
      lanes,
      attemptId: attemptId(attempt),
      runnerId: runner,
      host: "host",
      stamp: stampAt(seconds)
    })
  })

/** Claims a task that must be there. */
export const claimed = (attempt: string, seconds = 0) =>
  Effect.flatMap(
    claim(attempt, seconds),
    (found): Effect.Effect<ClaimedTask> =>
      found._tag === "Claimed"
        ? Effect.succeed(found.claimed)
        : Effect.dieMessage(`nothing was claimed: ${JSON.stringify(found)}`)
  )

export const outcome = (
  status: "completed" | "retryable_failure" | "blocked" = "completed",
  summary = "done"
): Outcome =>
  Schema.decodeUnknownSync(Outcome)({
    status,
    operator_summary: summary,
    machine_status: status === "completed" ? "ok" : "failed"
  })

export const ended = (reason = "done"): AttemptEnd => ({
  exitStatus: Option.some("ok"),
  retryClass: Option.some("none"),
  reason,
  issues: [],
  usage: unknownUsage
})

export const settle = (attempt: string, move: Move, seconds = 0, end: AttemptEnd = ended()) =>
  Effect.flatMap(Store, (store) =>
    store.tasks.settle({ attemptId: attemptId(attempt), end, move, stamp: stampAt(seconds) })
  )

export const complete: Move = { _tag: "Complete", outcome: outcome() }

export const find = (name: string) =>
  Effect.flatMap(Store, (store) => Effect.map(store.tasks.find(taskId(name)), Option.getOrThrow))

/** Types of the events of a task, oldest first. */
export const eventsOf = (name: string) =>
  Effect.flatMap(Store, (store) =>
    Effect.map(store.events.ofTask(taskId(name), 100), (events) => events.map((event) => event.eventType))
  )

export const newest = (count: number) => Effect.flatMap(Store, (store) => store.events.newest(count))
