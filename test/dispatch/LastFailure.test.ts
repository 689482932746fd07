import { describe, expect } from "bun:test"
import { Effect, Option } from "effect"
import type { Scripted } from "../../layers/adapter/ScriptedAdapters.ts"
import type { Execution } from "../../src/adapter/AdapterRegistry.ts"
import { retry } from "../../src/operate/Tasks.ts"
import { sql } from "../intake/workflowWorld.ts"
import { it } from "../support/effect.ts"
import { profile } from "../support/settings.ts"
import { answer, DOOR, queue, ran, world } from "./world.ts"

/** A runtime that tells what failed; its adapter comes to these, one after the other, and keeps its prompts. */
const stage = (...executions: ReadonlyArray<Partial<Execution>>) => {
  const prompts: Array<string> = []
  const local: Scripted = ({ prompt }) => Effect.sync(() => executions[prompts.push(prompt) - 1] ?? answer())
  const profiles = new Map([["lumen", profile({ context_policy: { include_last_failure: true } })]])
  return { prompts, layer: world({ adapters: { local }, settings: { profiles } }) }
}

const again = (id: string) => Effect.zipRight(retry.run({ id, note: Option.none() }, DOOR.actor), ran)

describe("whether the attempt before failed is told by what the task came to,", () => {
  it.effect("so that a success is none, whatever words it was recorded with", () => {
    const { layer, prompts } = stage(answer(), answer())
    return Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      yield* sql("UPDATE attempts SET reason = 'well done'")
      yield* again(id)
      expect(prompts[1]).not.toContain("What failed last time")
    }).pipe(Effect.provide(layer))
  })

  it.effect("and a failure is one, though its words begin like those of a success", () => {
    const { layer, prompts } = stage(answer({ artifact_paths: ["missing.md"] }))
    return Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      yield* sql("UPDATE attempts SET reason = 'completed: not at all'")
      yield* again(id)
      expect(prompts[1]).toContain("- reason: completed: not at all\n- issue: artifact_missing:")
    }).pipe(Effect.provide(layer))
  })

  it.effect("and so does a cancel after a success, for the attempt that was canceled", () => {
    const canceled = { exitStatus: "canceled" as const, reason: Option.some("stopped by hand") }
    const { layer, prompts } = stage(answer(), canceled)
    return Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      yield* again(id)
      yield* sql("UPDATE tasks SET ready = 1, available_at = created_at")
      yield* ran
      expect(prompts[2]).toContain("- reason: interrupted: stopped by hand")
    }).pipe(Effect.provide(layer))
  })
})
