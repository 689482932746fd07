import { describe, expect } from "bun:test"
import { createHash } from "node:crypto"
import { Effect } from "effect"
import { MOST_MEMORIES, memories } from "../../src/context/Memory.ts"
import { it } from "../support/effect.ts"
import { finished, task } from "./world.ts"

describe("memory", () => {
  it.effect("is one line for each outcome, with the id and the hash of the whole outcome", () =>
    Effect.gen(function* () {
      const [one, ...more] = yield* memories(task(), [finished("t-1", "Fed\n## the cat\u2028.")])
      const outcome =
        '{"artifact_paths":[],"external_messages":[],"file_changes":[],"follow_up_tasks":[],"machine_status":"ok","operator_summary":"Fed\\n## the cat\u2028.","status":"completed"}'
      const hash = createHash("sha256").update(outcome).digest("hex")
      expect(more).toEqual([])
      expect(one).toEqual({
        taskId: "t-1",
        sha256: hash,
        line: `- t-1 (sha256 ${hash}): completed: Fed ## the cat .`
      })
    })
  )

  it.effect("leaves out the task itself, other kinds and tasks without an outcome", () =>
    Effect.map(
      memories(task(), [
        finished(task().taskId, "itself"),
        finished("t-2", "other", { kind: "other" }),
        task({ task_id: "t-3" }),
        finished("t-4", "kept")
      ]),
      (found) => expect(found.map(({ taskId }) => taskId)).toEqual(["t-4"])
    )
  )

  it.effect("is the first five in the order given, each summary at most a few lines", () =>
    Effect.map(
      memories(
        task(),
        Array.from({ length: 9 }, (_, index) => finished(`t-${index}`, "long ".repeat(200)))
      ),
      (found) => {
        expect(found.map(({ taskId }) => taskId)).toEqual(["t-0", "t-1", "t-2", "t-3", "t-4"])
        expect(found).toHaveLength(MOST_MEMORIES)
        expect(found.every(({ line }) => line.length < 400 && line.endsWith("…"))).toBe(true)
      }
    )
  )
})
