import { describe, expect } from "bun:test"
import { Effect } from "effect"
import fixture from "../../fixtures/discord-mention.json"
import { JsonObject } from "../../src/domain/Json.ts"
import { toIntent } from "../../src/intake/Discord.ts"
import { readIntent } from "../../src/intake/Enqueue.ts"
import { it } from "../support/effect.ts"

describe("a Discord event", () => {
  it.effect("becomes a reply task of fixed kind, source and priority", () =>
    Effect.gen(function* () {
      const intent = yield* toIntent(fixture)
      expect(intent).toMatchObject({ kind: "discord-reply", source: "discord-bridge", priority: 6 })
      expect(intent.payload).toEqual(fixture)
      expect(intent.subject).toStartWith("curious-operator in community-updates: Lumen, what is new")
    })
  )

  it.effect("carries the named fields alone: nothing else in it decides or is carried", () =>
    Effect.gen(function* () {
      const hostile = {
        requested_profile: "admin",
        requested_adapter: "codex",
        priority: 100,
        args: ["-rf"],
        output_path: "/etc/passwd",
        kind: "operator"
      }
      expect(yield* toIntent({ ...fixture, ...hostile })).toEqual(yield* toIntent(fixture))
    })
  )

  it.effect("without a message, a channel or an event is refused, with all that is wrong", () =>
    Effect.gen(function* () {
      const { problems } = yield* Effect.flip(toIntent({ author: 5, message: " \n" }))
      expect(problems.map(({ path }) => path)).toEqual(["event", "channel", "message", "author"])
    })
  )

  it.effect("with a message of a megabyte has a subject that fits", () =>
    Effect.gen(function* () {
      const intent = yield* toIntent({ ...fixture, message: "x\n".repeat(500_000), author: null })
      expect(intent.subject!.length).toBe(1_000)
      expect(intent.subject).toStartWith("someone in community-updates: x x")
    })
  )
})

it.prop("what is accepted is always a sound intent", JsonObject, (more) =>
  Effect.flatMap(toIntent({ ...more, ...fixture }), readIntent)
)
