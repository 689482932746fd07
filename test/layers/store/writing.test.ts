import { expect } from "bun:test"
import { Cause, Deferred, Effect, Exit, Fiber } from "effect"
import { Sqlite } from "../../../layers/store/Sqlite.ts"
import { memory } from "../../../layers/store/SqlStore.ts"
import { statement } from "../../../layers/store/statement.ts"
import type { Writing } from "../../../layers/store/writing.ts"
import { it } from "../../support/effect.ts"

const ADD = statement("INSERT INTO backups (path, bytes, sha256, created_at) VALUES (:path, 1, '', '')")
const PATHS = statement("SELECT path FROM backups ORDER BY id")
const WRONG = statement("INSERT INTO backups (path) VALUES (:path)")

const adding = (path: string) => (writing: Writing) => writing.inserted(ADD, { path })

const paths = Effect.flatMap(Sqlite, (sqlite) =>
  Effect.map(sqlite.rows(PATHS), (rows) => rows.map((row) => row.path))
)

const defect = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "no failure"

const inMemory = (name: string, body: Effect.Effect<unknown, unknown, Sqlite>) =>
  it.effect(name, () => Effect.provide(body, memory))

inMemory(
  "a block that fails keeps nothing, and the next one is kept",
  Effect.gen(function* () {
    const sqlite = yield* Sqlite
    const bug = sqlite.write("a bug", (writing) => {
      adding("half")(writing)
      throw new Error("in the middle")
    })
    expect(defect(yield* Effect.exit(bug))).toContain("in the middle")
    const refused = sqlite.write("refused", (writing) => {
      adding("half")(writing)
      writing.changed(WRONG, { path: "x" })
    })
    expect(yield* Effect.flip(refused)).toMatchObject({ _tag: "StoreUnavailable", isFault: true })
    expect(yield* sqlite.write("sound", adding("whole"))).toBeGreaterThan(0)
    expect(yield* paths).toEqual(["whole"])
  })
)

inMemory(
  "a block is a part of the transaction that its fiber is in",
  Effect.gen(function* () {
    const sqlite = yield* Sqlite
    const both = Effect.zipRight(sqlite.write("a", adding("a")), sqlite.write("b", adding("b")))
    yield* Effect.exit(sqlite.transact("undone", Effect.zipRight(both, Effect.fail("no"))))
    expect(yield* paths).toEqual([])
    yield* sqlite.transact("done", both)
    expect(yield* paths).toEqual(["a", "b"])
  })
)

inMemory(
  "a block that failed half way in a transaction takes the whole with it, also when that went on",
  Effect.gen(function* () {
    const sqlite = yield* Sqlite
    const part = sqlite.write("part", (writing) => {
      adding("half")(writing)
      throw new Error("in the middle")
    })
    const whole = sqlite.transact("whole", Effect.zipRight(sqlite.write("a", adding("a")), Effect.exit(part)))
    expect(defect(yield* Effect.exit(whole))).toContain("whole went on after part had failed in it")
    expect(yield* paths).toEqual([])
  })
)

inMemory(
  "a block waits for the end of a longer transaction of another fiber",
  Effect.gen(function* () {
    const sqlite = yield* Sqlite
    const [reached, go] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
    const longer = yield* Effect.fork(
      sqlite.transact(
        "longer",
        Effect.all([
          sqlite.write("first", adding("first")),
          Deferred.succeed(reached, undefined),
          Deferred.await(go),
          sqlite.write("second", adding("second"))
        ])
      )
    )
    yield* Deferred.await(reached)
    const block = yield* Effect.fork(sqlite.write("third", adding("third")))
    yield* Effect.repeatN(Effect.yieldNow(), 10)
    yield* Deferred.succeed(go, undefined)
    yield* Fiber.join(longer)
    yield* Fiber.join(block)
    expect(yield* paths).toEqual(["first", "second", "third"])
  })
)
