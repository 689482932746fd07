import { describe, expect, test } from "bun:test"
import { DateTime, Effect, Either, FastCheck, Option, Schema } from "effect"
import { plainTask } from "../../../layers/store/plainTask.ts"
import { type Row, Sqlite } from "../../../layers/store/Sqlite.ts"
import { memory } from "../../../layers/store/SqlStore.ts"
import { statement } from "../../../layers/store/statement.ts"
import { bySchema, type TaskAndRound } from "../../../layers/store/taskRows.ts"
import { Round, Task } from "../../../src/domain/Task.ts"
import { Store } from "../../../src/store/Store.ts"
import { newTask } from "../../bench/Queue.ts"

const OUTCOME = JSON.stringify({
  status: "completed",
  operator_summary: "done",
  machine_status: "ok",
  artifact_paths: null,
  follow_up_tasks: [{ kind: "note" }]
})

const at = DateTime.unsafeMake("2026-04-29T07:00:00.000Z")

/** A row as the store writes it. */
const written: Promise<Row> = Effect.runPromise(
  Effect.gen(function* () {
    const store = yield* Store
    const sqlite = yield* Sqlite
    yield* store.tasks.add(newTask("a-task", at), { at, actor: { surface: "cli", name: "test" } })
    return (yield* sqlite.rows(statement("SELECT * FROM tasks")))[0]!
  }).pipe(Effect.provide(memory))
)

const wire = ({ round, task }: TaskAndRound) => ({
  task: Schema.encodeSync(Task)(task),
  round: Schema.encodeSync(Round)(round)
})

/** Values that a column may hold, sound in some columns and damage in others. */
const ODD = [
  null,
  "",
  "text",
  0,
  1,
  -1,
  7,
  1.5,
  2 ** 60,
  "2026-04-29T07:01:02.003Z",
  "2026-04-29T07:01:02Z",
  "2026-04-29T09:01:02.003+02:00",
  "2026-02-31T07:01:02.003Z",
  "+012026-04-29T07:01:02.003Z",
  "pending",
  "retryable_failure",
  "running",
  "nonsense",
  "{}",
  '{"a":{"b":[1,null,"x"]}}',
  '{"a":1e999}',
  '{"a":"\\ud800"}',
  OUTCOME,
  OUTCOME.replace("ok", "fine"),
  `${'{"a":'.repeat(101)}1${"}".repeat(101)}`,
  "[]",
  "null",
  "{",
  "x".repeat(201)
] as const

describe("a row that is read by hand", () => {
  test("is the one that the schema reads", async () => {
    const row = await written
    const plain = Option.getOrThrow(plainTask(row))
    expect(wire(plain)).toEqual(wire(Either.getOrThrow(bySchema(row))))
  })

  test("is so with an outcome, too", async () => {
    const row = { ...(await written), status: "completed", outcome_json: OUTCOME }
    expect(wire(Option.getOrThrow(plainTask(row)))).toEqual(wire(Either.getOrThrow(bySchema(row))))
  })

  test("is never another one, whatever stands in its columns", async () => {
    const row = await written
    const columns = FastCheck.constantFrom(...Object.keys(row))
    const changes = FastCheck.dictionary(columns, FastCheck.constantFrom(...ODD), { minKeys: 1, maxKeys: 3 })
    let readByHand = 0
    FastCheck.assert(
      FastCheck.property(changes, (changed) => {
        const odd = { ...row, ...changed }
        const plain = plainTask(odd)
        if (Option.isNone(plain)) return
        readByHand++
        expect(wire(plain.value)).toEqual(wire(Either.getOrThrow(bySchema(odd))))
      }),
      { numRuns: 3_000 }
    )
    expect(readByHand).toBeGreaterThan(100)
  })

  test("is left to the schema in each column that is damaged", async () => {
    const row = await written
    for (const column of Object.keys(row))
      for (const value of ODD) {
        const odd = { ...row, [column]: value }
        if (Either.isLeft(bySchema(odd)))
          expect([column, value, plainTask(odd)._tag]).toEqual([column, value, "None"])
      }
  })
})
