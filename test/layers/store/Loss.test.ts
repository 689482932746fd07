import { Database } from "bun:sqlite"
import { describe, expect } from "bun:test"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { Context, Effect, Exit, Fiber, Layer, Option, Scope, TestClock } from "effect"
import { file } from "../../../layers/store/SqlStore.ts"
import { commitsOf } from "../../../src/store/Commits.ts"
import { Store } from "../../../src/store/Store.ts"
import { StoreUnavailable } from "../../../src/store/StoreError.ts"
import { it } from "../../support/effect.ts"
import { newTask, stampAt } from "../../support/store.ts"

const fresh = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => fs.mkdtempSync(join(tmpdir(), "agent-runtime-loss-"))),
    (made) => Effect.sync(() => fs.rmSync(made, { recursive: true, force: true }))
  ),
  (folder) => join(folder, "state", "runtime.db")
)

const open = (filename: string) =>
  Effect.map(Layer.build(file({ filename, durability: "full" })), (context) => Context.get(context, Store))

const add = (store: Store["Type"], id: string) => store.tasks.add(newTask(id), stampAt(0))

const pending = (store: Store["Type"]) => Effect.map(store.tasks.counts, (counts) => counts.pending)

/** The tasks of a database file that nobody has open. */
const tasksIn = (filename: string): number => {
  const db = new Database(filename, { readonly: true })
  try {
    expect(db.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" })
    return Number(db.query("SELECT count(*) AS n FROM tasks").values()[0]?.[0])
  } finally {
    db.close()
  }
}

/** Puts a copy of the store as it was with its first task in its place, as an operator would. */
const copyOf = (filename: string): string => {
  const db = new Database(filename, { readonly: true })
  db.run("VACUUM INTO ?", [`${filename}.copy`])
  db.close()
  return `${filename}.copy`
}

/** Moves a database elsewhere and puts a link to it in its place. */
const link = (filename: string, to: string): void => {
  fs.renameSync(filename, join(dirname(filename), to))
  fs.symlinkSync(to, filename)
}

const on = (what: string, body: (filename: string) => Effect.Effect<unknown, unknown, Scope.Scope>) =>
  it.live(what, () => Effect.scoped(Effect.flatMap(fresh, body)), 20_000)

describe("a store that is open", () => {
  const losses: ReadonlyArray<readonly [what: string, lose: (filename: string) => void]> = [
    ["removed", (filename) => fs.rmSync(filename)],
    ["moved away", (filename) => fs.renameSync(filename, `${filename}.old`)],
    ["removed with all that lies beside it", (filename) => fs.rmSync(dirname(filename), { recursive: true })]
  ]
  for (const [what, lose] of losses)
    on(`and whose file is ${what} takes no more, and saves what it took`, (filename) =>
      Effect.gen(function* () {
        const store = yield* open(filename)
        yield* add(store, "a")
        expect(yield* Effect.exit(store.maintenance.here)).toEqual(Exit.void)
        lose(filename)
        const refused = yield* Effect.flip(add(store, "b"))
        const saved = `${filename}.rescued`
        expect(refused).toMatchObject({
          path: filename,
          reason: expect.stringContaining("removed, or moved away"),
          remedy: expect.stringContaining(`agent-runtime restore --from ${saved}`),
          isLost: true
        })
        for (const asked of [pending(store), store.maintenance.here, store.maintenance.lost])
          expect(yield* Effect.flip(asked as Effect.Effect<unknown, StoreUnavailable>)).toEqual(refused)
        const transact = store.transact("more", add(store, "c"))
        expect(yield* Effect.flip(transact)).toEqual(refused)
        expect(tasksIn(saved)).toBe(1)
        // Nobody begins with an empty queue as if nothing had been there.
        expect(yield* Effect.flip(Effect.scoped(open(filename)))).toMatchObject({
          reason: expect.stringContaining(saved)
        })
        fs.renameSync(saved, filename)
        expect(yield* pending(yield* open(filename))).toBe(1)
      })
    )

  on("and in whose place another file is put leaves that one alone, and no journal for it", (filename) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const store = yield* Scope.extend(open(filename), scope)
      yield* add(store, "a")
      const copy = copyOf(filename)
      yield* add(store, "b")
      const bytes = fs.readFileSync(copy)
      fs.renameSync(copy, filename)
      const refused = yield* Effect.flip(add(store, "c"))
      expect(refused).toMatchObject({
        reason: expect.stringContaining("another file was put in its place"),
        isLost: true
      })
      expect(fs.existsSync(`${filename}-wal`)).toBe(false)
      yield* Scope.close(scope, Exit.void)
      expect(fs.readFileSync(filename).equals(bytes)).toBe(true)
      expect(tasksIn(`${filename}.rescued`)).toBe(2)
      // Nobody goes on without the second task unawares.
      expect(yield* Effect.flip(Effect.scoped(open(filename)))).toMatchObject({
        reason: expect.stringContaining(`${filename}.rescued`),
        remedy: expect.stringContaining(`agent-runtime restore --from ${filename}.rescued`)
      })
      fs.renameSync(`${filename}.rescued`, `${filename}.old`)
      expect(yield* pending(yield* open(filename))).toBe(1)
    })
  )

  on("and moved away is not opened when it is back without what was saved of it", (filename) =>
    Effect.gen(function* () {
      yield* Effect.scoped(
        Effect.gen(function* () {
          const store = yield* open(filename)
          yield* add(store, "a")
          fs.renameSync(filename, `${filename}.old`)
          yield* Effect.flip(add(store, "b"))
        })
      )
      fs.renameSync(`${filename}.old`, filename)
      expect(yield* Effect.flip(Effect.scoped(open(filename)))).toMatchObject({
        reason: `it lacks what a process saved when this database was lost beneath it: ${filename}.rescued`
      })
      expect(tasksIn(`${filename}.rescued`)).toBe(1)
    })
  )

  const splits: ReadonlyArray<readonly [what: string, reason: string, lose: (filename: string) => void]> = [
    ["is moved behind a link", "a link to it was put in its place", (filename) => link(filename, "real.db")],
    [
      "is moved to another folder behind a link",
      "a link to it was put in its place",
      (filename) => link(filename, "../real.db")
    ],
    ["loses its journal", "its journal (-wal)", (filename) => fs.rmSync(`${filename}-wal`)],
    [
      "loses the index of its journal",
      "or the index of that (-shm)",
      (filename) => fs.rmSync(`${filename}-shm`)
    ],
    [
      "loses both",
      "its journal (-wal)",
      (filename) => {
        for (const part of ["-wal", "-shm"]) fs.rmSync(filename + part)
      }
    ]
  ]
  for (const [what, reason, lose] of splits)
    on(`and that ${what} takes no more, and is whole when it is opened again`, (filename) =>
      Effect.gen(function* () {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const store = yield* open(filename)
            yield* add(store, "a")
            lose(filename)
            expect(yield* Effect.flip(add(store, "b"))).toMatchObject({
              reason: expect.stringContaining(reason),
              remedy: expect.stringContaining(`agent-runtime restore --from ${filename}.rescued`),
              isLost: true
            })
            expect(tasksIn(`${filename}.rescued`)).toBe(1)
          })
        )
        expect(tasksIn(filename)).toBe(1)
        expect(yield* pending(yield* open(filename))).toBe(1)
      })
    )

  for (const [what, , lose] of splits.filter(([one]) => one !== "loses its journal"))
    on(`and that ${what} leaves alone what another process wrote by a journal of its own`, (filename) =>
      Effect.gen(function* () {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const store = yield* open(filename)
            yield* add(store, "a")
            lose(filename)
            // One that does not ask who has it open: agent-runtime would not open it.
            const script = `new (require("bun:sqlite").Database)(${JSON.stringify(filename)}).run("CREATE TABLE mine (id)")`
            expect(Bun.spawnSync([process.execPath, "-e", script]).exitCode).toBe(0)
            yield* Effect.flip(add(store, "b"))
          })
        )
        expect(tasksIn(`${filename}.rescued`)).toBe(1)
        const isWhole = what === "loses the index of its journal"
        expect(tasksIn(filename)).toBe(isWhole ? 1 : 0)
        const db = new Database(filename, { readonly: true })
        expect(db.query("SELECT name FROM sqlite_schema WHERE name = 'mine'").all()).toHaveLength(1)
        db.close()
        expect(yield* Effect.exit(Effect.scoped(open(filename)))).toMatchObject({
          _tag: isWhole ? "Success" : "Failure"
        })
      })
    )

  on("and that is stopped before it notices has saved what it took", (filename) =>
    Effect.gen(function* () {
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* add(yield* open(filename), "a")
          fs.rmSync(filename)
        })
      )
      expect(tasksIn(`${filename}.rescued`)).toBe(1)
    })
  )

  on("by a folder that is moved, with a link in its place, goes on", (filename) =>
    Effect.gen(function* () {
      const store = yield* open(filename)
      const folder = dirname(filename)
      fs.renameSync(folder, `${folder}.moved`)
      fs.symlinkSync(`${folder}.moved`, folder)
      yield* add(store, "a")
      expect(yield* pending(store)).toBe(1)
    })
  )

  on("by a link from the beginning goes on until its file is moved behind another one", (filename) =>
    Effect.gen(function* () {
      const linked = join(dirname(dirname(filename)), "link.db")
      yield* Effect.scoped(open(filename))
      fs.symlinkSync(filename, linked)
      const store = yield* open(linked)
      yield* add(store, "a")
      fs.rmSync(linked)
      link(filename, "real.db")
      fs.symlinkSync(join(dirname(filename), "real.db"), linked)
      expect(yield* Effect.flip(add(store, "b"))).toMatchObject({ isLost: true })
    })
  )

  on("by several processes, as by two stores here, is saved once", (filename) =>
    Effect.gen(function* () {
      const [store, other] = [yield* open(filename), yield* open(filename)]
      yield* add(store, "a")
      fs.rmSync(filename)
      const refused = yield* Effect.flip(add(store, "b"))
      expect(yield* Effect.flip(add(other, "b"))).toEqual(refused)
      const saved = fs.readdirSync(dirname(filename)).filter((name) => name.includes(".rescued"))
      expect(saved).toEqual(["runtime.db.rescued"])
      // Another store that is lost later has a copy of its own.
      fs.renameSync(`${filename}.rescued`, filename)
      fs.copyFileSync(filename, `${filename}.rescued`)
      const next = yield* open(filename)
      yield* add(next, "c")
      fs.rmSync(filename)
      yield* Effect.flip(add(next, "d"))
      expect([tasksIn(`${filename}.rescued`), tasksIn(`${filename}.rescued-2`)]).toEqual([1, 2])
    })
  )

  it.effect("is found lost within seconds by whoever waits for it, though nothing is written", () =>
    Effect.gen(function* () {
      const filename = yield* fresh
      const store = yield* open(filename)
      const waiting = yield* Effect.fork(Effect.flip(store.maintenance.lost))
      const commits = yield* commitsOf(store.listen)
      yield* TestClock.adjust("5 seconds")
      expect(yield* Fiber.poll(waiting)).toEqual(Option.none())
      fs.rmSync(filename)
      yield* TestClock.adjust("5 seconds")
      expect(yield* Fiber.join(waiting)).toBeInstanceOf(StoreUnavailable)
      // Whoever listens is woken, and learns it by reading.
      yield* commits.take
      expect(yield* Effect.flip(pending(store))).toMatchObject({ isLost: true })
    })
  )

  on("and cannot be saved is not let go of until it can", (filename) =>
    Effect.gen(function* () {
      const store = yield* open(filename)
      yield* add(store, "a")
      fs.rmSync(dirname(filename), { recursive: true })
      fs.writeFileSync(dirname(filename), "in the way")
      expect(yield* Effect.flip(add(store, "b"))).toMatchObject({
        remedy: expect.stringContaining("leave this process running")
      })
      const waiting = yield* Effect.fork(Effect.flip(store.maintenance.lost))
      yield* Effect.sleep("50 millis")
      expect(yield* Effect.map(Fiber.poll(waiting), (found) => found._tag)).toBe("None")
      yield* Fiber.interrupt(waiting)
      fs.rmSync(dirname(filename))
      expect(yield* Effect.flip(store.maintenance.lost)).toMatchObject({
        remedy: expect.stringContaining("restore --from")
      })
      expect(tasksIn(`${filename}.rescued`)).toBe(1)
    })
  )

  on("by a link that is turned to another store stays whole where it is", (filename) =>
    Effect.gen(function* () {
      const link = join(dirname(dirname(filename)), "link.db")
      const elsewhere = join(dirname(filename), "elsewhere.db")
      yield* Effect.scoped(Effect.zipRight(open(filename), open(elsewhere)))
      fs.symlinkSync(filename, link)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const store = yield* open(link)
          yield* add(store, "a")
          fs.rmSync(link)
          fs.symlinkSync(elsewhere, link)
          expect(yield* Effect.flip(add(store, "b"))).toMatchObject({
            isLost: true,
            remedy: expect.stringContaining(`in ${filename}, as it was`)
          })
        })
      )
      expect(fs.readdirSync(dirname(filename)).sort()).toEqual(["elsewhere.db", "runtime.db"])
      expect(tasksIn(filename)).toBe(1)
    })
  )

  on("and whose path cannot be looked at for a while goes on", (filename) =>
    Effect.gen(function* () {
      const link = join(dirname(dirname(filename)), "link.db")
      yield* Effect.scoped(open(filename))
      fs.symlinkSync(filename, link)
      const store = yield* open(link)
      fs.rmSync(link)
      fs.symlinkSync(link, link)
      yield* add(store, "a")
      expect(yield* pending(store)).toBe(1)
    })
  )
})
