import { expect } from "bun:test"
import { Effect } from "effect"
import type { Job } from "../../src/adapter/AdapterRegistry.ts"
import { it } from "../support/effect.ts"
import { profile } from "../support/settings.ts"
import { answer, queue, ran, world } from "./world.ts"

const results = [{}, { allow_follow_up_tasks: true }, { allow_external_messages: true }]

it.effect("an adapter is told whether the profile allows results that no strict schema holds", () =>
  Effect.gen(function* () {
    const seen: Array<Job["freeFormResult"]> = []
    for (const result_schema of results)
      yield* Effect.zipRight(queue(), ran).pipe(
        Effect.provide(
          world({
            adapters: {
              local: (job) =>
                Effect.sync(() => {
                  seen.push(job.freeFormResult)
                  return answer()
                })
            },
            settings: { profiles: new Map([["lumen", profile({ result_schema })]]) }
          })
        )
      )
    expect(seen).toEqual([false, true, true])
  })
)
