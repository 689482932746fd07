import { expect } from "bun:test"
import { Effect, Either, Option } from "effect"
import { said } from "../../src/operate/Said.ts"
import { it } from "../support/effect.ts"

it.effect("what says nothing, too much or no text at all is refused by its name", () =>
  Effect.gen(function* () {
    for (const words of ["", "  \n", "x".repeat(10_001), "half \ud83d", "nul \0"]) {
      const found = yield* Effect.either(said("note", Option.some(words)))
      expect(Either.isLeft(found) && found.left.problems[0]?.path).toBe("note")
    }
  })
)

it.effect("words are taken as they are, and none stays none", () =>
  Effect.gen(function* () {
    expect(yield* said("reason", Option.some(" lunch "))).toEqual(Option.some(" lunch "))
    expect(yield* said("reason", Option.none())).toEqual(Option.none())
  })
)
