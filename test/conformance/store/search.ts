import { expect } from "bun:test"
import { Effect, Option } from "effect"
import type { TaskStatus } from "../../../src/domain/Task.ts"
import { cursorOf } from "../../../src/store/Cursor.ts"
import { Store } from "../../../src/store/Store.ts"
import type { TaskFilter } from "../../../src/store/TaskLists.ts"
import { add, claimed, messageId, Raw, text } from "../../support/store.ts"
import type { Sentence } from "../store.ts"

interface Filters {
  readonly status?: ReadonlyArray<TaskStatus>
  readonly kind?: string
  readonly source?: string
}

const filterOf = ({ kind, source, status = [] }: Filters): TaskFilter => ({
  status,
  kind: Option.fromNullable(kind),
  source: Option.fromNullable(source)
})

const page = (words: string, limit = 99, filters: Filters = {}, after = Option.none<string>()) =>
  Effect.flatMap(Store, (store) => store.tasks.search(filterOf(filters), words, { limit, after }))

/** Ids over all pages, with how many pages were partial. */
const walk = (words: string, limit = 99, filters: Filters = {}) =>
  Effect.gen(function* () {
    const ids: Array<string> = []
    let partial = 0
    let after = Option.none<string>()
    do {
      const found = Option.getOrThrow(yield* page(words, limit, filters, after))
      expect(found.tasks.length).toBeLessThanOrEqual(limit)
      ids.push(...found.tasks.map(({ taskId }) => String(taskId)))
      if (found.partial) partial++
      after = found.next
    } while (Option.isSome(after))
    return { ids, partial }
  })

const found = (words: string, limit = 99, filters: Filters = {}) =>
  Effect.map(walk(words, limit, filters), ({ ids }) => ids)

/** Adds a task with a subject. */
const said = (name: string, subject: string, more: Parameters<typeof add>[1] = {}, seconds = 0) =>
  Effect.gen(function* () {
    const raw = yield* Raw
    yield* add(name, more, seconds)
    yield* raw.run("UPDATE tasks SET subject = ? WHERE task_id = ?", subject, name)
  })

/** Tasks that are found by the beginning of their id or by words. */
export const search = (check: Sentence) => {
  check(
    "finds tasks in whose subject, kind and source each word begins a word, whatever its case, newest first",
    Effect.gen(function* () {
      yield* said("a", "Draft the wallet-setup guide", { kind: "wiki-page" }, 1)
      yield* said("b", "Größe prüfen (WALLET)", { source: "sensor:air" }, 2)
      yield* said("c", "a hotwallet", { kind: "note" }, 3)
      expect(yield* found("wallet")).toEqual(["b", "a"])
      expect(yield* found("  WALL guide  ")).toEqual(["a"])
      expect(yield* found("größe")).toEqual(["b"])
      expect(yield* found("wiki page setup")).toEqual(["a"])
      expect(yield* found("air")).toEqual(["b"])
      expect(yield* found("allet")).toEqual([])
      expect(yield* found("wallet nothing")).toEqual([])
      expect(yield* found("()")).toEqual([])
    })
  )

  check(
    "puts first those whose id begins with the words, and none twice, whatever the page's size",
    Effect.gen(function* () {
      for (const [at, name] of ["0a", "0b", "0c", "xa", "xb"].entries())
        yield* said(name, at % 2 === 0 ? "0 or so" : "other", {}, 10 - at)
      for (const limit of [1, 2, 3, 99])
        expect([limit, yield* found("0", limit)]).toEqual([limit, ["0c", "0b", "0a", "xb"]])
      expect(yield* found("0b", 1)).toEqual(["0b"])
    })
  )

  check(
    "finds within the filters of a list alone",
    Effect.gen(function* () {
      for (const [at, name] of ["a", "b", "c", "d"].entries())
        yield* said(name, "same", { kind: at < 2 ? "k" : "l", source: at % 2 === 0 ? "s" : "t" }, at)
      yield* claimed("a1")
      expect(yield* found("same", 1, { kind: "k" })).toEqual(["b", "a"])
      expect(yield* found("same", 1, { source: "t" })).toEqual(["d", "b"])
      expect(yield* found("same", 1, { kind: "l", source: "t" })).toEqual(["d"])
      expect(yield* found("same", 1, { status: ["pending"] })).toEqual(["d", "c", "b"])
      expect(yield* found("same", 1, { status: ["running", "blocked"] })).toEqual(["a"])
      expect(yield* found("a", 1, { status: ["pending"] })).toEqual([])
    })
  )

  check(
    "answers none for a cursor that it did not give for these words",
    Effect.gen(function* () {
      yield* said("aa", "one")
      yield* said("ab", "one")
      const time = text(
        (yield* Effect.flatMap(Store, (store) => store.tasks.list(filterOf({}), ANY))).pipe(
          Option.flatMap(({ tasks }) => Option.fromNullable(tasks[0]?.createdAt)),
          Option.getOrThrow
        )
      )
      const id = messageId(1)
      const given = (words: string, ...parts: ReadonlyArray<string>) =>
        Effect.map(page(words, 9, {}, Option.some(cursorOf(parts))), Option.isSome)
      expect(yield* given("one", "words", String(time), id)).toBe(true)
      expect(yield* given("one", "words", String(time), "ab")).toBe(true)
      expect(yield* given("a", "ids", "ab")).toBe(true)
      expect(yield* given(id.slice(0, 9), "ids", id)).toBe(true)
      for (const parts of [
        ["words", String(time), "nobody"],
        ["words", "2026", id],
        ["words", "2026-02-30T99:00:00.000Z", id],
        ["words", String(time)],
        ["words", String(time), id, "more"],
        ["ids", "x"],
        ["ids", id],
        ["ids", "one", id],
        [String(time), id],
        []
      ])
        expect([parts, yield* given("one", ...parts)]).toEqual([parts, false])
      for (const after of ["", "x", "ö"])
        expect(yield* page("one", 9, {}, Option.some(after))).toEqual(Option.none())
    })
  )

  check(
    "reads 10,000 rows for a page and says that there may be more, until all were read",
    Effect.gen(function* () {
      const raw = yield* Raw
      yield* raw.run(`
        WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 24999)
        INSERT INTO tasks (task_id, kind, source, subject, priority, payload_json, max_attempts, status, created_at,
          updated_at, available_at, lane, created_by_json)
        SELECT printf('t%05d', i), 'k', 's', iif(i IN (0, 12000, 24999), 'rare', 'usual'), 5, '{}', 3, 'pending',
          strftime('%Y-%m-%dT%H:%M:%fZ', 1777446000 + i / 3, 'unixepoch'), 'x', 'x', '[null,null,0]', '{}' FROM n`)
      expect(yield* walk("rare")).toEqual({ ids: ["t24999", "t12000", "t00000"], partial: 2 })
      expect(Option.getOrThrow(yield* page("usual", 500)).partial).toBe(false)
      expect(yield* walk("nowhere", 10)).toEqual({ ids: [], partial: 2 })
      expect(yield* walk("t2499", 4)).toEqual({
        ids: [9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map((n) => `t2499${n}`),
        partial: 2
      })
    }),
    30_000
  )

  check(
    "goes on after tasks with ids and times of another form, as adopted and damaged ones have",
    Effect.gen(function* () {
      const raw = yield* Raw
      for (const name of ["a b", "ä", "c"]) yield* said(name, "one")
      yield* raw.run("UPDATE tasks SET created_at = 'long ago' WHERE task_id = 'ä'")
      expect(yield* found("one", 1)).toEqual(["ä", "c", "a b"])
    })
  )
}

const ANY = { limit: 1, after: Option.none<string>() }
