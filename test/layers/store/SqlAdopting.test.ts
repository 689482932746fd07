import { describe, expect } from "bun:test"
import { join } from "node:path"
import { Effect, Option } from "effect"
import * as OriginalFiles from "../../../layers/adopt/Original.ts"
import { TaskId } from "../../../src/domain/Ids.ts"
import { Original } from "../../../src/store/Original.ts"
import { Store } from "../../../src/store/Store.ts"
import { temporaryFolder } from "../../support/children/support.ts"
import { it } from "../../support/effect.ts"
import { change, makeOriginal, originalTask } from "../../support/original.ts"
import { at, find, inMemory, stampAt, text } from "../../support/store.ts"

/** Adopts a file, so many seconds after the tests' beginning. */
const taking = (file: string, folder: string) => (seconds: number) =>
  Effect.gen(function* () {
    const original = yield* Original
    const source = yield* original.open(file, join(folder, "state"), () => Effect.void)
    return yield* (yield* Store).adoption.take(source, stampAt(seconds))
  }).pipe(Effect.scoped, Effect.provide(OriginalFiles.layer))

describe("a second adoption", () => {
  it.live("says which tasks have gone on there, and nothing of what was done here", () =>
    Effect.provide(
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const file = join(folder, "original.db")
        const take = taking(file, folder)
        const ids = ["done", "still", "stopped", "both", ...Array.from({ length: 9 }, (_, n) => `more ${n}`)]
        const tasks = ids.map((id) => originalTask(id))
        const queued = originalTask("queued", { status: "queued" })
        const held = ["x", "y"].map((id) => originalTask(id, { dedupe_key: "k" }))
        makeOriginal(file, {
          schema: ["ALTER TABLE tasks ADD COLUMN dedupe_key TEXT"],
          rows: { tasks: [...tasks, queued, ...held] }
        })
        const first = yield* take(100)
        const store = yield* Store
        for (const id of ["stopped", "both", "queued", "x"])
          yield* store.tasks.cancel(TaskId.make(id), Option.none(), stampAt(101))
        expect((yield* take(200)).remarks).toEqual([])

        // By hand, and as the original does it.
        change(file, "UPDATE tasks SET status = 'completed' WHERE task_id = 'done'")
        change(
          file,
          `UPDATE tasks SET status = 'completed', updated_at = '${text(at(150))}' WHERE task_id = 'both'`
        )
        const there = yield* take(300)
        expect(there.remarks).toEqual([
          "2 rows of tasks differ from what was adopted and stay as they are here: task done is pending here and completed there, task both is operator_canceled here and completed there; agent-runtime task-cancel ID ends what is done there already"
        ])
        expect((yield* find("done")).task.status).toBe("pending")
        for (const { adopted } of Object.values(there.counts)) expect(adopted).toBe(0)

        change(file, "UPDATE tasks SET status = 'blocked' WHERE task_id LIKE 'more %' OR task_id = 'queued'")
        const many = yield* take(400)
        expect(many.remarks[0]).toStartWith("12 rows of tasks differ from what was adopted")
        expect(many.remarks[0]).toContain(", ...; agent-runtime")
        expect(first.remarks).toHaveLength(2)
      }),
      inMemory()
    )
  )
})
