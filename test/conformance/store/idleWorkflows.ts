import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { UNENDED } from "../../../src/domain/WorkflowStatuses.ts"
import { Store } from "../../../src/store/Store.ts"
import { Raw, stampAt } from "../../support/store.ts"
import type { Sentence } from "../store.ts"
import { keys, move, opened, rowOf, stateTask } from "./workflows.ts"

const idleKeys = (turn = 0) =>
  Effect.flatMap(Store, ({ workflows }) =>
    Effect.map(workflows.idle(turn), (rows) => rows.map(({ workflow }) => workflow.instanceKey).sort())
  )

/** Workflows that do not go on by themselves, those of outside, and damaged ones. */
export const idleWorkflows = (check: Sentence) => {
  check(
    "finds active ones whose state has no task that goes on, wherever it begins to look",
    Effect.gen(function* () {
      const { workflows } = yield* Store
      const [bare, busy, left, stalled, done] = yield* Effect.forEach(
        ["bare", "busy", "left", "stalled", "done"],
        opened
      )
      yield* stateTask("t1", busy!, "a")
      yield* stateTask("t2", left!, "z")
      yield* workflows.stall(stalled!, "x", stampAt(1))
      yield* workflows.complete(move(done!, "a", "a"), stampAt(1))
      for (const turn of [0, 1, 2, 3, 7, 2 ** 31 - 1]) expect(yield* idleKeys(turn)).toEqual(["bare", "left"])
      yield* stateTask("t3", bare!, "a")
      expect(yield* idleKeys()).toEqual(["left"])
      const raw = yield* Raw
      yield* raw.run("UPDATE tasks SET status = 'blocked', ready = 0 WHERE task_id = 't3'")
      expect(yield* idleKeys()).toEqual(["bare", "left"])
    })
  )

  check(
    "looks at a thousand active ones at a time, and with every turn at others",
    Effect.gen(function* () {
      const raw = yield* Raw
      yield* raw.run(`
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
        INSERT INTO workflows (template, instance_key, current_state, context_json, status, created_by_json, created_at, updated_at)
        SELECT 't', 'w' || i, 'a', '{}', 'active', '{"surface":"cli","name":"x"}', '2026-04-29T07:00:00.000Z', '2026-04-29T07:00:00.000Z' FROM n`)
      const { workflows } = yield* Store
      const seen = new Set<number>()
      for (const turn of [0, 1_000, 2_000]) {
        const rows = yield* workflows.idle(turn)
        expect(rows).toHaveLength(1_000)
        for (const { workflow } of rows) seen.add(workflow.id)
      }
      expect(seen.size).toBe(2_500)
    })
  )

  check(
    "is told by whom an instance was opened: what came from outside stays untrusted",
    Effect.gen(function* () {
      const { workflows } = yield* Store
      const raw = yield* Raw
      const by = (surface: "cli" | "http" | "sensor" | "bridge") =>
        Effect.gen(function* () {
          const actor = { surface, name: "x" }
          const made = yield* workflows.open(
            { template: "t", instanceKey: surface, state: "a", context: {} },
            { ...stampAt(0), actor }
          )
          return (yield* rowOf(made.workflow.id)).untrusted
        })
      expect(yield* Effect.all([by("cli"), by("http"), by("sensor"), by("bridge")])).toEqual([
        false,
        false,
        true,
        true
      ])
      yield* raw.run("UPDATE workflows SET created_by_json = 'nobody' WHERE instance_key = 'cli'")
      const found = Option.getOrThrow(yield* workflows.findByKey("cli"))
      expect(found.untrusted).toBe(true)
    })
  )

  check(
    "shows a damaged instance as stalled, and keeps its context when it is ended",
    Effect.gen(function* () {
      const { workflows } = yield* Store
      const raw = yield* Raw
      const id = yield* opened("k")
      yield* raw.run("UPDATE workflows SET context_json = '[1'")
      const row = yield* rowOf(id)
      expect(Option.getOrThrow(row.damage)).toContain("context_json")
      expect([row.workflow.status, row.workflow.currentState]).toEqual(["stalled", "a"])
      expect(yield* idleKeys()).toEqual(["k"])
      expect(yield* keys(UNENDED)).toEqual(["k"])
      yield* workflows.complete(move(id, "a", "a"), stampAt(1))
      expect(yield* raw.run("SELECT context_json, status FROM workflows")).toEqual([
        { context_json: "[1", status: "completed" }
      ])
    })
  )
}
