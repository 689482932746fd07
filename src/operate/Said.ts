import { Effect, Either, Option, Schema } from "effect"
import { type KnownSecrets, secretsMasked } from "../artifact/KnownSecrets.ts"
import { decode, Invalid } from "../config/Issues.ts"
import { text } from "../domain/Task.ts"

/** What an operator gives as a reason, a note or an answer goes into events and prompts: it has to say something, shortly. */
const MOST_CHARACTERS = 10_000

const words = text(MOST_CHARACTERS, "")

/** A reason, note or answer, checked, the secrets of the configuration masked; Invalid names it by `name`. None stays none. */
export const said = (
  name: "reason" | "note" | "text",
  given: Option.Option<string>
): Effect.Effect<Option.Option<string>, Invalid, KnownSecrets> =>
  Option.match(given, {
    onNone: () => Effect.succeedNone,
    onSome: (one) =>
      Either.match(decode(Schema.asSchema(words))(one), {
        onLeft: ({ problems }) =>
          Effect.fail(new Invalid({ problems: problems.map((problem) => ({ ...problem, path: name })) })),
        onRight: (words) => Effect.map(secretsMasked, ({ text }) => Option.some(text(words)))
      })
  })
