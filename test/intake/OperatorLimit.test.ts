import { expect } from "bun:test"
import { Effect } from "effect"
import { seed } from "../../src/operate/Backlog.ts"
import { intake } from "../../src/operate/Queue.ts"
import { Store } from "../../src/store/Store.ts"
import { answer, DOOR, detailsOf, queue, ran, says, typesOf, world, yields } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import { fillWithOperators } from "../support/operators.ts"
import { profile } from "../support/settings.ts"

const quiet = { adapters: { local: says("hello") } }

const OPERATORS = { kind: "operator", source: "operator-ui", payload: {} }

const REFUSED = { _tag: "Refusal", code: "too_many_operator_tasks", exitCode: 1 }

const queued = Effect.flatMap(Store, (store) => Effect.map(store.tasks.counts, ({ pending }) => pending))

it.effect(
  "the limit of operators' tasks holds for intents and for a backlog, of which then nothing is kept",
  () =>
    Effect.gen(function* () {
      yield* fillWithOperators
      const tasks = [
        { ...OPERATORS, source: "backlog" },
        { ...OPERATORS, subject: "one" },
        { ...OPERATORS, subject: "two" }
      ]
      const backlog = { workflows: [], tasks }
      expect(yield* Effect.flip(seed.run(backlog, DOOR.actor))).toMatchObject(REFUSED)
      expect(yield* queued).toBe(999)
      yield* intake.run(OPERATORS, DOOR.actor)
      expect(yield* Effect.flip(intake.run(OPERATORS, DOOR.actor))).toMatchObject(REFUSED)
      expect(yield* queued).toBe(1_000)
    }).pipe(Effect.provide(world(quiet)))
)

it.effect("a follow-up that is one too many of operators is dropped, and told", () =>
  Effect.gen(function* () {
    yield* fillWithOperators
    const id = yield* queue({ priority: 9 })
    yield* ran
    expect(yield* typesOf(id)).toContain("follow_up_created")
    expect(yield* detailsOf(id, "follow_up_refused")).toEqual([
      {
        reason: "too many tasks of operators are not finished, of which it would be one",
        kind: "operator"
      }
    ])
    expect(yield* queued).toBe(1_000)
  }).pipe(
    Effect.provide(
      world({
        adapters: {
          local: yields(answer({ follow_up_tasks: [OPERATORS, { ...OPERATORS, subject: "one more" }] }))
        },
        settings: {
          profiles: new Map([["lumen", profile({ result_schema: { allow_follow_up_tasks: true } })]])
        }
      })
    )
  )
)
