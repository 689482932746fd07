import { describe, expect } from "bun:test"
import { Effect, Option } from "effect"
import { RuntimeConfig } from "../../src/config/RuntimeConfig.ts"
import type { CandidateKind } from "../../src/operate/CandidateKinds.ts"
import { candidates } from "../../src/operate/Candidates.ts"
import { cancel } from "../../src/operate/Tasks.ts"
import { answer, attemptsOf, DOOR, queue, ran, says, world, yields } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import { settings } from "../support/settings.ts"

const quiet = { adapters: { local: says("hello") } }

const offered = (kind: CandidateKind) =>
  Effect.map(candidates.run({ kind }, DOOR.actor), (found) => found.candidates.map((one) => one.value))

describe("what a shell may offer is", () => {
  it.effect("the newest tasks, of a cancel those that are open, of a retry those that have ended", () =>
    Effect.gen(function* () {
      const done = yield* queue({ priority: 9 })
      yield* ran
      const open = yield* queue({ subject: "look" })
      const canceled = yield* queue()
      yield* cancel.run({ id: canceled, reason: Option.none(), force: false }, DOOR.actor)
      expect(yield* offered("tasks")).toEqual([canceled, open, done])
      expect(yield* offered("open-tasks")).toEqual([open])
      expect(yield* offered("ended-tasks")).toEqual([canceled, done])
      expect(yield* offered("attempts")).toEqual((yield* attemptsOf(done)).map((one) => one.attemptId))
      const found = yield* candidates.run({ kind: "open-tasks" }, DOOR.actor)
      expect(found.candidates).toEqual([{ value: open, about: "pending look" }])
      yield* Effect.forEach(Array.from({ length: 60 }), () => queue())
      expect(yield* offered("tasks")).toHaveLength(50)
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("the tasks that ask something, with what they ask", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      const found = yield* candidates.run({ kind: "questions" }, DOOR.actor)
      expect(found.candidates).toEqual([{ value: id, about: "Red or blue?" }])
    }).pipe(
      Effect.provide(
        world({
          adapters: {
            local: yields(
              answer({ status: "blocked", machine_status: "blocked", question: { text: "Red or blue?" } })
            )
          }
        })
      )
    )
  )

  it.effect("what is configured, also where there is no store", () =>
    Effect.gen(function* () {
      expect(yield* offered("profiles")).toEqual(["lumen"])
      expect(yield* offered("templates")).toContain("goal-loop")
      expect(yield* offered("tasks")).toEqual([])
    }).pipe(Effect.provideService(RuntimeConfig, settings()))
  )
})
