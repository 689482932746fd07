import { Effect, Either, Option, Schema } from "effect"
import { type KnownSecrets, secretsMasked } from "../artifact/KnownSecrets.ts"
import { decode, Invalid } from "../config/Issues.ts"
import { OperatorText } from "../domain/Task.ts"

/** A reason, note or answer, checked, the secrets of the configuration masked; Invalid names it by `name`. None stays none. */
export const said = (
  name: "reason" | "note" | "text",
  given: Option.Option<string>
): Effect.Effect<Option.Option<string>, Invalid, KnownSecrets> =>
  Option.match(given, {
    onNone: () => Effect.succeedNone,
    onSome: (one) =>
      Either.match(decode(Schema.asSchema(OperatorText))(one), {
        onLeft: ({ problems }) =>
          Effect.fail(new Invalid({ problems: problems.map((problem) => ({ ...problem, path: name })) })),
        onRight: (words) => Effect.map(secretsMasked, ({ text }) => Option.some(text(words)))
      })
  })
