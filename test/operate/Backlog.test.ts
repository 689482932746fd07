import { expect } from "bun:test"
import { Effect, Schema } from "effect"
import backlog from "../../fixtures/backlog.json"
import { seed } from "../../src/operate/Backlog.ts"
import { Store } from "../../src/store/Store.ts"
import { DOOR, says, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

const quiet = { adapters: { local: says("hello") } }

const seeded = Effect.flatMap(seed.run(backlog, DOOR.actor), Schema.encode(seed.output))

it.effect("a backlog answers what it made, and what was there", () =>
  Effect.gen(function* () {
    const first = yield* seeded
    const [one, other] = first.tasks.map((task) => task.task_id)
    expect(first).toEqual({
      workflows: [{ created: true, workflow_id: 1, instance_key: "community-wiki" }],
      tasks: [
        { created: true, task_id: one!, kind: "note", source: "backlog" },
        { created: true, task_id: other!, kind: "note", source: "backlog" }
      ]
    })
    expect(yield* seeded).toEqual({
      workflows: first.workflows.map((entry) => ({ ...entry, created: false })),
      tasks: first.tasks.map((entry) => ({ ...entry, created: false }))
    })
  }).pipe(Effect.provide(world(quiet)))
)

it.effect("a backlog whose source is too crowded to be searched is refused with a remedy", () =>
  Effect.gen(function* () {
    const store = yield* Store
    const backlog = { ...store.backlog, find: () => Effect.succeed({ _tag: "Crowded" as const }) }
    const crowded = { ...store, backlog }
    const error = yield* Effect.flip(seeded.pipe(Effect.provideService(Store, crowded)))
    expect(error).toMatchObject({ _tag: "Refusal", code: "source_crowded", exitCode: 1 })
    // The ones that this run has added count: a source may have exactly 10,000 before and after.
    expect(error.message).toContain('with those of the file, source "backlog" has more than 10,000 tasks')
  }).pipe(Effect.provide(world(quiet)))
)
