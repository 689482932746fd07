import { expect } from "bun:test"
import { Effect, FastCheck, Option } from "effect"
import type { Value } from "../../../layers/store/statement.ts"
import { EventId } from "../../../src/domain/Ids.ts"
import { Store } from "../../../src/store/Store.ts"
import {
  add,
  at,
  attemptId,
  claim,
  claimed,
  complete,
  eventsOf,
  find,
  newest,
  Raw,
  settle,
  stampAt,
  taskId
} from "../../support/store.ts"
import type { Sentence } from "../store.ts"

const damages: ReadonlyArray<readonly [what: string, set: string, problem: string]> = [
  ["a payload that is not JSON", "payload_json = '{'", "payload_json is not JSON"],
  ["a payload that is no object", "payload_json = '[1]'", "payload: "],
  ["a time that is none", "updated_at = 'yesterday'", "updated_at: "],
  ["an outcome that is none", 'outcome_json = \'{"status":"fine"}\'', "outcome"],
  ["files that were known that are none", "known_json = '7'", "known: "],
  ["a lane that is not its own", "untrusted = 1", "lane: "],
  ["a lane that is none", "lane = 'x'", "lane: "]
]

export const damage = (check: Sentence) => {
  for (const [what, set, problem] of damages)
    check(
      `sets a task with ${what} aside and claims the next`,
      Effect.gen(function* () {
        const store = yield* Store
        const raw = yield* Raw
        yield* add("damaged", { priority: 9 })
        yield* add("sound")
        yield* raw.run(`UPDATE tasks SET ${set} WHERE task_id = 'damaged'`)
        const found = yield* claim("a1", 5)
        if (found._tag !== "Quarantined") throw new Error(`expected a quarantine, got ${found._tag}`)
        expect(found.taskId).toBe(taskId("damaged"))
        expect(found.problem).toStartWith(problem)
        const [event] = yield* newest(1)
        expect(event).toMatchObject({
          eventType: "record_quarantined",
          taskId: Option.some(taskId("damaged")),
          detail: { table: "tasks", problem: found.problem }
        })
        expect((yield* claimed("a1", 6)).task.taskId).toBe(taskId("sound"))
        const { task } = yield* find("damaged")
        expect(task.status).toBe("blocked")
        expect(Option.getOrThrow(task.lastError)).toStartWith(`this record is damaged: ${problem}`)
        expect(yield* store.tasks.counts).toMatchObject({ blocked: 1, running: 1, pending: 0 })
        expect(yield* store.attempts.ofTask(taskId("damaged"))).toEqual([])
      })
    )

  for (const [what, set, told] of [
    ["used up", "attempt_count = 3", "3 of 3 are used up"],
    ["used up, and more", "attempt_count = 4, status = 'retryable_failure'", "4 of 3 are used up"],
    ["none", "max_attempts = 0", "0 of 0 are used up"]
  ] as const)
    check(
      `blocks a waiting task whose attempts are ${what}, and claims the next`,
      Effect.gen(function* () {
        const raw = yield* Raw
        yield* add("without", { priority: 9 })
        yield* add("sound")
        yield* raw.run(`UPDATE tasks SET ${set} WHERE task_id = 'without'`)
        const error = `attempts_used_up: it waited with no attempt left: ${told}`
        expect(yield* claim("a1", 5)).toMatchObject({ _tag: "Quarantined", taskId: taskId("without"), error })
        const [event] = yield* newest(1)
        expect(event).toMatchObject({
          eventType: "task_finished",
          taskId: Option.some(taskId("without")),
          detail: { status: "blocked", reason: error }
        })
        const { task } = yield* find("without")
        expect([task.status, task.lastError]).toEqual(["blocked", Option.some(error)])
        expect((yield* claimed("a1", 6)).task.taskId).toBe(taskId("sound"))
        // A retry gives it a new round.
        const store = yield* Store
        expect(yield* store.tasks.retry(taskId("without"), Option.none(), stampAt(7))).toMatchObject({
          _tag: "Moved"
        })
      })
    )

  check(
    "sets a task aside that waits though an attempt of it runs, which ends by itself and moves nothing",
    Effect.gen(function* () {
      const store = yield* Store
      const raw = yield* Raw
      yield* add("put", { priority: 9 })
      yield* add("sound")
      yield* claimed("a1")
      yield* raw.run("UPDATE tasks SET status = 'pending', ready = 1 WHERE task_id = 'put'")
      const problem = "status: pending, but its attempt a1 is running"
      expect(yield* claim("a2")).toMatchObject({ _tag: "Quarantined", taskId: taskId("put"), problem })
      expect((yield* claimed("a2")).task.taskId).toBe(taskId("sound"))
      expect(yield* settle("a1", complete, 9)).toEqual({ _tag: "Late" })
      expect((yield* find("put")).task.status).toBe("blocked")
      const [attempt] = yield* store.attempts.ofTask(taskId("put"))
      expect([attempt?.status, attempt?.reason]).toEqual(["finished", Option.some("done")])
      expect((yield* eventsOf("put")).slice(-2)).toEqual(["task_attempt_finished", "late_result_ignored"])
      yield* store.tasks.retry(taskId("put"), Option.none(), stampAt(10))
      expect((yield* claimed("a3", 10)).attempt.number).toBe(2)
    })
  )

  check(
    "finds a delayed task whose due time is none, wherever its text sorts",
    Effect.gen(function* () {
      const store = yield* Store
      const raw = yield* Raw
      for (const [name, text] of [
        ["low", ""],
        ["high", "soon"]
      ] as const) {
        yield* add(name, { due: 60 })
        yield* raw.run("UPDATE tasks SET available_at = ?1 WHERE task_id = ?2", text, name)
      }
      yield* add("sound", { due: 70 })
      expect(yield* store.tasks.nextDue).toEqual(Option.some(at(70)))
      expect((yield* store.tasks.promote(at(1))).promoted).toBe(2)
      expect((yield* claim("a1"))._tag).toBe("Quarantined")
      expect((yield* claim("a1"))._tag).toBe("Quarantined")
      expect(yield* claim("a1")).toEqual({ _tag: "None" })
      expect((yield* store.tasks.promote(at(70))).promoted).toBe(1)
      expect((yield* claimed("a1", 70)).task.taskId).toBe(taskId("sound"))
    })
  )

  check(
    "sets a task with an id that no task may have aside, and lists it",
    Effect.gen(function* () {
      const store = yield* Store
      const raw = yield* Raw
      yield* add("damaged", { priority: 9 })
      yield* add("sound")
      yield* raw.run("UPDATE tasks SET task_id = ?1 WHERE task_id = 'damaged'", "x".repeat(201))
      expect(yield* claim("a1")).toMatchObject({ _tag: "Quarantined", taskId: taskId("unreadable") })
      expect((yield* claimed("a1")).task.taskId).toBe(taskId("sound"))
      const page = yield* store.tasks.list(
        { status: ["blocked"], kind: Option.none(), source: Option.none() },
        { limit: 10, after: Option.none() }
      )
      expect(Option.getOrThrow(page).tasks.map((task) => task.taskId)).toEqual([taskId("unreadable")])
    })
  )

  check(
    "tells no more of a damaged value than a line",
    Effect.gen(function* () {
      const raw = yield* Raw
      yield* add("a")
      yield* raw.run("UPDATE tasks SET payload_json = ?1", JSON.stringify(["x".repeat(100_000)]))
      yield* claim("a1")
      expect(Option.getOrThrow((yield* find("a")).task.lastError).length).toBeLessThan(400)
    })
  )

  check(
    "lists damaged tasks among the others and says what is wrong with them",
    Effect.gen(function* () {
      const store = yield* Store
      const raw = yield* Raw
      for (const [index, name] of ["a", "b", "c", "d"].entries()) yield* add(name, {}, index)
      yield* raw.run("UPDATE tasks SET created_at = 'zzz' WHERE task_id = 'b'")
      yield* raw.run("UPDATE tasks SET created_at = '' WHERE task_id = 'c'")
      const names: Array<string> = []
      let after = Option.none<string>()
      do {
        const page = Option.getOrThrow(
          yield* store.tasks.list(
            { status: [], kind: Option.none(), source: Option.none() },
            { limit: 1, after }
          )
        )
        names.push(...page.tasks.map((task) => String(task.taskId)))
        after = page.next
      } while (Option.isSome(after))
      expect(names).toEqual(["b", "d", "a", "c"])
      expect(Option.getOrThrow((yield* find("b")).task.lastError)).toStartWith(
        "this record is damaged: created_at"
      )
    })
  )

  check(
    "shows every row that a table can hold, whatever another program wrote into it",
    Effect.gen(function* () {
      const store = yield* Store
      const raw = yield* Raw
      yield* add("a", { due: 60 })
      yield* add("b")
      yield* claimed("b1")
      const nullable = new Set(["task_id", "attempt_id", "rowid"])
      const columnsOf = (table: string, kept: ReadonlyArray<string>) =>
        Effect.map(
          raw.run(`SELECT name, type, "notnull" AS filled FROM pragma_table_info('${table}')`),
          (rows) => rows.filter((row) => !nullable.has(String(row.name)) && !kept.includes(String(row.name)))
        )
      const tables = {
        tasks: yield* columnsOf("tasks", [
          "status",
          "ready",
          "dedupe_key",
          "workflow_id",
          "lane",
          "listed_status",
          "to_list"
        ]),
        attempts: yield* columnsOf("attempts", [
          "status",
          "ended_at",
          "exit_status",
          "retry_class",
          "replay_grade",
          "workspace",
          "number",
          "listed"
        ])
      }
      const texts = FastCheck.constantFrom(
        "",
        "x",
        "null",
        "{",
        "[]",
        '{"a":1}',
        "1",
        '"s"',
        "9".repeat(300),
        "2026-13-40T00:00:00.000Z",
        "2026-04-29T07:00:00.000Z"
      )
      const numbers = FastCheck.constantFrom(0, -1, 1, 2 ** 53, -(2 ** 60), 7)
      const picks = FastCheck.sample(
        FastCheck.tuple(FastCheck.constantFrom("tasks", "attempts"), FastCheck.nat(), texts, numbers),
        { numRuns: 120, seed: 7 }
      )
      for (const [table, nth, textual, number] of picks) {
        const columns = table === "tasks" ? tables.tasks : tables.attempts
        const column = columns[nth % columns.length]!
        const value: Value = column.type === "TEXT" ? textual : number
        yield* raw.run(`UPDATE ${table} SET ${column.name} = ?1`, value)
        yield* store.tasks.find(taskId("a"))
        yield* store.attempts.find(attemptId("b1"))
        yield* store.attempts.ofTask(taskId("b"))
        yield* store.attempts.openOfOthers("nobody" as never)
      }
      const page = yield* store.tasks.list(
        { status: [], kind: Option.none(), source: Option.none() },
        { limit: 10, after: Option.none() }
      )
      expect(Option.getOrThrow(page).tasks.length).toBe(2)
    }),
    30_000
  )

  check(
    "shows a damaged event, a damaged pause and no damaged cool-down, and the history goes on",
    Effect.gen(function* () {
      const store = yield* Store
      const raw = yield* Raw
      yield* raw.run(`
        INSERT INTO run_events (event_type, task_id, actor_json, detail_json, created_at)
        VALUES ('task_enqueued', '', '{}', '[', '2026-04-29T07:00:09.000Z')`)
      yield* raw.run(`
        INSERT INTO gates (gate_id, kind, adapter_id, until_at, actor_json, created_at, updated_at)
        VALUES ('dispatch', 'pause', NULL, NULL, '', '', ''), ('adapter:x', 'cooldown', 'x', 'zzz', '', '', '')`)
      yield* add("a")
      const events = yield* store.events.since(EventId.make(0), 10)
      expect(events.map((event) => [event.eventType, event.taskId, event.createdAt])).toEqual([
        ["task_enqueued", Option.none(), at(9)],
        ["task_enqueued", Option.some(taskId("a")), at(0)]
      ])
      expect(String(events[0]?.detail.damaged)).toContain("detail_json is not JSON")
      expect(Option.isSome(yield* store.gates.pause)).toBe(true)
      expect(yield* store.gates.cooldowns(at(0))).toEqual([])
      expect(yield* store.gates.clearPause(stampAt(1))).toBe(true)
    })
  )
}
