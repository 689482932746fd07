import { Database } from "bun:sqlite"
import { afterAll, beforeAll, describe, expect } from "bun:test"
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { layer } from "../../../layers/adopt/Original.ts"
import { file as fileStore } from "../../../layers/store/SqlStore.ts"
import { Original } from "../../../src/store/Original.ts"
import { Store } from "../../../src/store/Store.ts"
import { it } from "../../support/effect.ts"
import { addRows, EXAMPLE, makeOriginal, originalTask } from "../../support/original.ts"

let folder = ""
let count = 0
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "agent-runtime-original-"))
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

const place = (): string => {
  const made = join(folder, `${count++}`)
  fs.mkdirSync(made)
  return made
}

const state = () => join(folder, "state")
const open = (file: string) =>
  Effect.flatMap(Original, (original) => original.open(file, state(), () => Effect.void)).pipe(
    Effect.provide(layer)
  )

/** Every byte of a folder, by name. */
const bytesOf = (where: string) =>
  fs
    .readdirSync(where)
    .sort()
    .map((name) => [
      name,
      createHash("sha256")
        .update(fs.readFileSync(join(where, name)))
        .digest("hex")
    ])

describe("a database of the original", () => {
  it.live("is read with what only its journal holds, and no byte of it or beside it changes", () =>
    Effect.gen(function* () {
      const made = place()
      const [live, left] = [join(made, "live.db"), join(made, "left")]
      makeOriginal(live)
      const writer = new Database(live, { readwrite: true, create: false })
      writer.run("PRAGMA journal_mode = WAL")
      writer.run("PRAGMA wal_autocheckpoint = 0")
      addRows(live, { tasks: [originalTask("in the journal")] })
      // As a process that was killed leaves it: a journal, and nobody who has it open.
      fs.mkdirSync(left)
      for (const suffix of ["", "-wal"]) fs.copyFileSync(live + suffix, join(left, `o.db${suffix}`))
      writer.close()
      const before = bytesOf(left)
      const found = yield* Effect.scoped(
        Effect.gen(function* () {
          const source = yield* open(join(left, "o.db"))
          const [row] = yield* source.page("tasks", 0)
          return { id: row?.cells.task_id, found: source.found.tasks, same: yield* source.isUnchanged }
        })
      )
      expect(found).toEqual({ id: "in the journal", found: 1, same: true })
      expect(bytesOf(left)).toEqual(before)
      expect(fs.readdirSync(state())).toEqual([])
    })
  )

  it.live("tells when it was written meanwhile", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const file = join(place(), "o.db")
        makeOriginal(file)
        const source = yield* open(file)
        addRows(file, { tasks: [originalTask("late")] })
        expect(yield* source.isUnchanged).toBe(false)
        expect(source.found.tasks).toBe(0)
      })
    )
  )

  it.live("of an earlier version has no schedules, and tables of others are told", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const file = join(place(), "o.db")
        makeOriginal(file, {
          schema: [
            "DROP TABLE schedules",
            "DROP TABLE sensor_events",
            "DELETE FROM schema_migrations WHERE id LIKE '0002%'",
            "CREATE TABLE notes (n)",
            "INSERT INTO notes VALUES (1)"
          ]
        })
        const source = yield* open(file)
        expect(source.found).toMatchObject({ schedules: 0, sensor_events: 0 })
        expect(source.remarks).toEqual([
          "table notes is not known here: its 1 rows stay in the original database"
        ])
      })
    )
  )
})

const ours = (file: string) =>
  Effect.asVoid(Effect.provide(Store, fileStore({ filename: file, durability: "normal" })))

const cut = (file: string) => {
  const bytes = fs.readFileSync(EXAMPLE)
  bytes.fill(0x5a, 8192, 40_960)
  fs.writeFileSync(file, bytes)
}

const cases: ReadonlyArray<
  readonly [what: string, make: (file: string) => unknown, tag: string, says: RegExp]
> = [
  ["no file", () => undefined, "OriginalRefused", /there is no file/],
  ["a folder", (file) => fs.mkdirSync(file), "OriginalRefused", /it is a folder/],
  ["an empty file", (file) => fs.writeFileSync(file, ""), "OriginalRefused", /it is empty/],
  ["a text", (file) => fs.writeFileSync(file, "x".repeat(500)), "OriginalRefused", /no SQLite database/],
  [
    "another program's database",
    (file) => new Database(file).run("CREATE TABLE tasks (a)"),
    "OriginalRefused",
    /it has no table task_attempts, run_events, schema_migrations/
  ],
  [
    "a database whose tables have the names alone",
    (file) => {
      const db = new Database(file)
      for (const columns of [
        "tasks (task_id)",
        "task_attempts (attempt_id)",
        "run_events (id)",
        "schema_migrations (id)"
      ])
        db.run(`CREATE TABLE ${columns}`)
      db.close()
    },
    "OriginalRefused",
    /its tables are not the original's \(no such column: \w+\)/
  ],
  [
    "a newer original",
    (file) => makeOriginal(file, { schema: ["INSERT INTO schema_migrations VALUES ('0003_x', '', '')"] }),
    "OriginalRefused",
    /migration 0003_x, which is not known here/
  ],
  ["a damaged one", cut, "StoreUnavailable", /it is damaged/]
]

describe("what is not one is refused by its reason and stays as it is", () => {
  for (const [what, make, tag, says] of cases)
    it.live(what, () =>
      Effect.gen(function* () {
        const made = place()
        const file = join(made, "o.db")
        make(file)
        const before = what === "a folder" ? [] : bytesOf(made)
        const error = yield* Effect.flip(Effect.scoped(open(file)))
        expect([error._tag, error.reason]).toEqual([tag as "OriginalRefused", expect.stringMatching(says)])
        if (what !== "a folder") expect(bytesOf(made)).toEqual(before)
      })
    )

  it.live("a database of this runtime", () =>
    Effect.gen(function* () {
      const file = join(place(), "o.db")
      yield* ours(file)
      const error = yield* Effect.flip(Effect.scoped(open(file)))
      expect(error.reason).toMatch(/one of this agent-runtime; put it in place with agent-runtime restore/)
    })
  )
})

it.live("a copy that the limit on the size of files cuts off is a want of room, and leaves nothing", () =>
  Effect.sync(() => {
    const child = join(import.meta.dir, "../../support/children/adopt-original.ts")
    const command = ["-c", 'ulimit -f 4; exec "$0" "$@"', process.execPath, child, EXAMPLE, state()]
    const error: unknown = JSON.parse(execFileSync("bash", command).toString())
    expect(error).toMatchObject({
      _tag: "StoreUnavailable",
      path: state(),
      reason: `there is no room in this folder for a copy of ${EXAMPLE} (EFBIG)`,
      remedy: expect.stringMatching(/^raise the limit on the size of files .*; nothing was changed$/)
    })
    expect(fs.readdirSync(state())).toEqual([])
  })
)
