import { expect } from "bun:test"
import { Effect, Option, Ref } from "effect"
import { Sqlite } from "../../../layers/store/Sqlite.ts"
import { list } from "../../../layers/store/SqlTaskList.ts"
import type { TaskStatus } from "../../../src/domain/Task.ts"
import { TASK_STATUSES } from "../../../src/domain/TaskStatuses.ts"
import { Store } from "../../../src/store/Store.ts"
import { it } from "../../support/effect.ts"
import { add, claimed, complete, inMemory, settle } from "../../support/store.ts"

/** A page of two tasks of a kind, one of which is moved on whenever a statement has been answered. */
const pageOf = (status: ReadonlyArray<TaskStatus>, kind: Option.Option<string>) =>
  Effect.gen(function* () {
    const sqlite = yield* Sqlite
    const store = yield* Store
    yield* add("t1", { kind: "a" })
    yield* add("t2", { kind: "a" })
    const moves = yield* Ref.make([claimed("a1", 1), settle("a1", complete, 2)])
    const moveOn = Effect.flatMap(
      Ref.modify(moves, ([next = Effect.void, ...rest]) => [next, rest]),
      (next) => next
    )
    const restless = {
      ...sqlite,
      rows: (...given: Parameters<typeof sqlite.rows>) =>
        Effect.tap(sqlite.rows(...given), () => Effect.orDie(Effect.provideService(moveOn, Store, store)))
    }
    const filter = { status, kind, source: Option.none() }
    const page = yield* list(restless, filter, { limit: 10, after: Option.none() })
    return Option.getOrThrow(page).tasks.map(({ taskId }) => String(taskId))
  }).pipe(Effect.provide(inMemory()))

const ORDERS: ReadonlyArray<readonly [string, ReadonlyArray<TaskStatus>]> = [
  ["from status to status", ["pending", "running", "completed"]],
  ["against the order in which they are asked for", ["completed", "running", "pending"]],
  ["among all statuses", TASK_STATUSES]
]

for (const [how, status] of ORDERS)
  for (const kind of [Option.none(), Option.some("a")])
    it.effect(
      `a page${Option.isSome(kind) ? " of a kind" : ""} holds each task once while they move ${how}`,
      () => Effect.map(pageOf(status, kind), (ids) => expect(ids).toEqual(["t2", "t1"]))
    )
