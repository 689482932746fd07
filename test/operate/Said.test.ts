import { expect } from "bun:test"
import { Effect, Either, Option } from "effect"
import { KnownSecrets } from "../../src/artifact/KnownSecrets.ts"
import { redactorOf } from "../../src/domain/Redactor.ts"
import { said } from "../../src/operate/Said.ts"
import { it } from "../support/effect.ts"

/** Words of an operator where the configuration has one secret. */
const heard = (name: "reason" | "note", words: Option.Option<string>) =>
  Effect.provideService(said(name, words), KnownSecrets, {
    redactor: Effect.succeed(redactorOf(["sk-0123456789"]))
  })

it.effect("what says nothing, too much or no text at all is refused by its name", () =>
  Effect.gen(function* () {
    for (const words of ["", "  \n", "x".repeat(10_001), "half \ud83d", "nul \0"]) {
      const found = yield* Effect.either(heard("note", Option.some(words)))
      expect(Either.isLeft(found) && found.left.problems[0]?.path).toBe("note")
    }
  })
)

it.effect("words are taken as they are, and none stays none", () =>
  Effect.gen(function* () {
    expect(yield* heard("reason", Option.some(" lunch "))).toEqual(Option.some(" lunch "))
    expect(yield* heard("reason", Option.none())).toEqual(Option.none())
  })
)

it.effect("a secret of the configuration is masked in them", () =>
  Effect.gen(function* () {
    expect(yield* heard("note", Option.some("use sk-0123456789 for it"))).toEqual(
      Option.some("use [redacted] for it")
    )
  })
)
