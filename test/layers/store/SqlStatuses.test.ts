import { describe, expect } from "bun:test"
import { Effect, Option } from "effect"
import { Sqlite } from "../../../layers/store/Sqlite.ts"
import { list } from "../../../layers/store/SqlTaskList.ts"
import type { TaskStatus } from "../../../src/domain/Task.ts"
import { it } from "../../support/effect.ts"
import { add, claim, inMemory } from "../../support/store.ts"

const PENDING_FIRST: ReadonlyArray<TaskStatus> = ["pending", "running", "blocked"]

/** The door to a store in which a task is claimed after each statement that is read. */
const moving = Effect.gen(function* () {
  const sqlite = yield* Sqlite
  const context = yield* Effect.context<Effect.Effect.Context<ReturnType<typeof claim>>>()
  let claims = 0
  const next = Effect.suspend(() => Effect.provide(claim(`moved-${claims++}`, 10), context))
  return Sqlite.of({ ...sqlite, rows: (of, values) => Effect.tap(sqlite.rows(of, values), () => next) })
})

describe("a page of several statuses has each task once, though tasks move from one to another meanwhile", () => {
  for (const status of [PENDING_FIRST, PENDING_FIRST.toReversed()])
    for (const kind of [Option.none<string>(), Option.some("note")])
      it.effect(`${status.join(", ")}${Option.isSome(kind) ? " of a kind" : ""}`, () =>
        Effect.gen(function* () {
          for (const name of ["a", "b", "c", "d", "e", "f"]) yield* add(name)
          const filter = { status, kind, source: Option.none() }
          const page = yield* list(yield* moving, filter, { limit: 50, after: Option.none() })
          expect(Option.getOrThrow(page).tasks.map(({ taskId }) => String(taskId))).toEqual([
            "f",
            "e",
            "d",
            "c",
            "b",
            "a"
          ])
        }).pipe(Effect.provide(inMemory()))
      )
})
