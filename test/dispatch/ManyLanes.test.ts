import { expect } from "bun:test"
import { DateTime, Effect, Option } from "effect"
import { RUNNER } from "../../layers/Memory.ts"
import { Sqlite } from "../../layers/store/Sqlite.ts"
import { Lock } from "../../src/dispatch/Lock.ts"
import { RunnerId } from "../../src/domain/Ids.ts"
import { now } from "../../src/domain/Time.ts"
import { waiting } from "../../src/operate/Waiting.ts"
import { Store } from "../../src/store/Store.ts"
import { MOST_LANES } from "../../src/store/Tasks.ts"
import { it } from "../support/effect.ts"
import { DOOR, queue, ran, says, taskOf, world } from "./world.ts"

const scene = { adapters: { cool: says("x"), local: says("y") } }

/** Puts beside a task so many like it, each in a lane of its own. */
const copies = (id: string, count: number) =>
  Effect.gen(function* () {
    const sqlite = yield* Sqlite
    const columns = (yield* sqlite.rows({ text: "SELECT name FROM pragma_table_info('tasks')", names: [] }))
      .map(({ name }) => String(name))
      .filter((name) => !["id", "task_id", "requested_profile", "lane"].includes(name))
      .join(", ")
    const text = `
      WITH RECURSIVE copies(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < ?2)
      INSERT INTO tasks (task_id, requested_profile, lane, ${columns})
      SELECT task_id || '-' || n, 'p' || n, json_array(requested_adapter, 'p' || n, 0), ${columns}
      FROM tasks, copies WHERE task_id = ?1`
    yield* sqlite.transact("copies", sqlite.rows({ text, names: ["id", "count"] }, { id, count }))
  })

const coolDown = Effect.gen(function* () {
  const store = yield* Store
  const at = yield* now
  const cooldown = { adapterId: "cool", reason: Option.none(), until: DateTime.add(at, { hours: 1 }) }
  yield* store.gates.coolDown(cooldown, Option.none(), { at, actor: DOOR.actor })
})

for (const count of [1_500, MOST_LANES])
  it.effect(`a task is found behind ${count} kinds of tasks that may not start`, () =>
    Effect.gen(function* () {
      yield* copies(yield* queue({ requestedAdapter: "cool", priority: 9 }), count)
      yield* coolDown
      const id = yield* queue({ priority: 1 })
      expect((yield* ran).taskId).toBe(id)
      expect((yield* taskOf(id)).status).toBe("completed")
    }).pipe(Effect.provide(world(scene)))
  )

it.effect("of more kinds than a claim sees at once the last is told what it waits for", () =>
  Effect.gen(function* () {
    const lock = yield* Lock
    const first = yield* queue({ requestedAdapter: "cool", priority: 1 })
    yield* copies(first, MOST_LANES)
    const last = yield* queue({ priority: 9 })
    const why = lock.hold(
      "/memory/dispatch.lock",
      RunnerId.make(RUNNER)
    )(Effect.flatMap(taskOf(last), waiting))
    expect(Option.getOrThrow(yield* why)).toMatchObject({
      reason: "concurrency",
      detail: expect.stringMatching(
        /^more than 10000 kinds of tasks wait .* of the first 10000 none may start$/
      )
    })
    yield* coolDown
    expect(Option.getOrThrow(yield* why).detail).toMatch(/none may start$/)
    expect((yield* ran).taskId).toBe(last)
  }).pipe(Effect.provide(world(scene)))
)
