import { Effect, Either, Option, Schema } from "effect"
import { decode, Invalid } from "../config/Issues.ts"
import { text } from "../domain/Task.ts"

/** What an operator gives as a reason, a note or an answer goes into events and prompts: it has to say something, shortly. */
const MOST_CHARACTERS = 10_000

const words = text(MOST_CHARACTERS, "")

/** A reason, note or answer, checked; Invalid names it by `name`. None stays none. */
export const said = (
  name: "reason" | "note" | "text",
  given: Option.Option<string>
): Effect.Effect<Option.Option<string>, Invalid> =>
  Option.match(given, {
    onNone: () => Effect.succeedNone,
    onSome: (one) =>
      Either.match(decode(Schema.asSchema(words))(one), {
        onLeft: ({ problems }) =>
          Effect.fail(new Invalid({ problems: problems.map((problem) => ({ ...problem, path: name })) })),
        onRight: Effect.succeedSome
      })
  })
