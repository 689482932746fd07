import { describe, expect } from "bun:test"
import { Effect, Schema } from "effect"
import discordEvent from "../../fixtures/discord-mention.json"
import githubEvent from "../../fixtures/github-pr-merged.json"
import type { Actor } from "../../src/domain/Actor.ts"
import { discord, github, intake } from "../../src/operate/Queue.ts"
import { DOOR, eventsOf, says, taskOf, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

const quiet = { adapters: { local: says("hello") } }
const actor: Actor = DOOR.actor

describe("intake", () => {
  it.effect("queues what an operator hands in and answers where it will run and when", () =>
    Effect.gen(function* () {
      const given = { kind: "note", source: "me", payload: {}, schedule: { delay_minutes: 1 } }
      const told = yield* intake.run(given, actor)
      expect(yield* Schema.encode(intake.output)(told)).toEqual({
        queued: true,
        task_id: told.taskId,
        profile: "lumen",
        available_at: "1970-01-01T00:01:00.000Z"
      })
      expect((yield* taskOf(told.taskId)).untrusted).toBe(false)
      expect((yield* eventsOf(told.taskId))[0]?.actor).toEqual(actor)
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("answers the task that is there already, and that it queued none", () =>
    Effect.gen(function* () {
      const given = { kind: "note", source: "me", payload: {}, dedupe_key: "k", requested_profile: "lumen" }
      const first = yield* intake.run(given, actor)
      expect(yield* intake.run(given, actor)).toEqual({ ...first, queued: false })
    }).pipe(Effect.provide(world(quiet)))
  )
})

describe("a bridge", () => {
  it.effect("queues untrusted tasks for the default profile, whatever the body says, in its own name", () =>
    Effect.gen(function* () {
      const hostile = { requested_profile: "admin", untrusted: false, priority: 100 }
      for (const [name, told] of [
        ["github", yield* github.run({ ...githubEvent, ...hostile }, actor)],
        ["discord", yield* discord.run({ ...discordEvent, ...hostile }, actor)]
      ] as const) {
        expect(told).toMatchObject({ queued: true, bridge: name, profile: "lumen" })
        const task = yield* taskOf(told.taskId)
        expect(task.untrusted).toBe(true)
        expect(task.priority).toBeLessThan(10)
        expect((yield* eventsOf(told.taskId))[0]?.actor).toEqual({ surface: "bridge", name })
      }
    }).pipe(Effect.provide(world(quiet)))
  )
})
