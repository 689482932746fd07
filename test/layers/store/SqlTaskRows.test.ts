import { describe, expect } from "bun:test"
import { Effect, Option } from "effect"
import { Sqlite } from "../../../layers/store/Sqlite.ts"
import { list, matching } from "../../../layers/store/SqlTaskList.ts"
import { blocked, ended, upcoming } from "../../../layers/store/SqlTaskOrder.ts"
import { search } from "../../../layers/store/SqlTaskSearch.ts"
import type { Task } from "../../../src/domain/Task.ts"
import { Store } from "../../../src/store/Store.ts"
import { it } from "../../support/effect.ts"
import { add, at, claimed, complete, inMemory, Raw, settle, stampAt, taskId } from "../../support/store.ts"

const LARGE = { text: "x".repeat(100_000) }
const SHOWN = { shortened: true, characters: 100_011, beginning: `{"text":"${"x".repeat(491)}` }
const all = { status: [], kind: Option.none(), source: Option.none() }
const page = { limit: 50, after: Option.none() }

/** A door to the store, and how many characters came through it. */
const measuring = Effect.map(Sqlite, (sqlite) => {
  const read = { characters: 0 }
  const counted = Sqlite.of({
    ...sqlite,
    rows: (of, values) =>
      Effect.tap(sqlite.rows(of, values), (rows) =>
        Effect.sync(() => {
          read.characters += JSON.stringify(rows).length
        })
      )
  })
  return { sqlite: counted, read }
})

const payloads = (tasks: ReadonlyArray<Task>) => tasks.map(({ payload }) => payload)
const tasksOf = Effect.map((found: Option.Option<{ readonly tasks: ReadonlyArray<Task> }>) =>
  payloads(Option.getOrThrow(found).tasks)
)

describe("a list", () => {
  it.effect("reads no more of a long payload than it shows, whichever list it is", () =>
    Effect.gen(function* () {
      const store = yield* Store
      for (const name of ["a", "b", "c", "d"]) yield* add(name, { payload: LARGE, kind: "big" })
      yield* claimed("a1", 1)
      yield* settle("a1", complete, 2)
      yield* claimed("b1", 3)
      yield* settle("b1", { _tag: "Block", error: "stuck", outcome: Option.none() }, 4)
      const { read, sqlite } = yield* measuring
      const found = [
        yield* tasksOf(list(sqlite, all, page, "shortened")),
        yield* tasksOf(search(sqlite, all, "big", page)),
        yield* Effect.map(upcoming(sqlite, 50, at(9)), payloads),
        yield* tasksOf(ended(sqlite, page)),
        yield* tasksOf(blocked(sqlite, page))
      ]
      const told = (count: number) => Array.from({ length: count }, () => SHOWN)
      expect(found).toEqual([told(4), told(4), told(2), told(1), told(1)])
      expect(yield* tasksOf(list(sqlite, all, page, "none"))).toEqual([{}, {}, {}, {}])
      expect((yield* matching(sqlite, all, page)).tasks.length).toBe(4)
      expect(read.characters).toBeLessThan(50_000)
      expect(yield* tasksOf(store.tasks.list(all, page))).toEqual([LARGE, LARGE, LARGE, LARGE])
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("shows payloads of 2 KiB whole, and counts characters, not bytes", () =>
    Effect.gen(function* () {
      const { sqlite } = yield* measuring
      const fits = { text: "x".repeat(2_048 - '{"text":""}'.length) }
      const emoji = { text: "\u{1f600}".repeat(1_000) }
      yield* add("a", { payload: fits })
      yield* add("b", { payload: emoji }, 1)
      expect(yield* tasksOf(list(sqlite, all, page, "shortened"))).toEqual([
        { shortened: true, characters: 1_011, beginning: `{"text":"${"\u{1f600}".repeat(491)}` },
        fits
      ])
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("decodes nothing that it does not show: damage there is told by the task's own story", () =>
    Effect.gen(function* () {
      const { sqlite } = yield* measuring
      const store = yield* Store
      const raw = yield* Raw
      yield* add("a", { payload: LARGE })
      yield* raw.run("UPDATE tasks SET payload_json = ?1", `{${"x".repeat(3_000)}`)
      for (const how of ["shortened", "none"] as const) {
        const tasks = Option.getOrThrow(yield* list(sqlite, all, page, how)).tasks
        expect(tasks.map(({ lastError }) => lastError)).toEqual([Option.none()])
      }
      const whole = yield* store.tasks.find(taskId("a"))
      expect(Option.getOrThrow(Option.getOrThrow(whole).task.lastError)).toContain("is damaged")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("leaves out what left it between its walk and the reading of its rows", () =>
    Effect.gen(function* () {
      const sqlite = yield* Sqlite
      const store = yield* Store
      for (const name of ["a", "b"]) yield* add(name)
      const canceling = Sqlite.of({
        ...sqlite,
        rows: (of, values) =>
          Effect.tap(sqlite.rows(of, values), () =>
            store.tasks.cancel(taskId("a"), Option.none(), stampAt(1))
          )
      })
      const found = yield* list(canceling, { ...all, status: ["pending"] }, page, "none")
      expect(Option.getOrThrow(found).tasks.map(({ taskId }) => String(taskId))).toEqual(["b"])
    }).pipe(Effect.provide(inMemory()))
  )
})
