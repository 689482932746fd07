import { Option, Schema } from "effect"

/**
 * The answer of an operation is "no": nothing of that id, a move that is not legal, a limit that is reached.
 * `code` is the word for machines (snake_case: `task_not_found`), `message` says what and where in one
 * line, `hint` what to do about it (may be empty). `exitCode` is that of the command line: 1, except where
 * the input itself was wrong (2).
 */
export class Refusal extends Schema.TaggedError<Refusal>()("Refusal", {
  code: Schema.String,
  message: Schema.String,
  hint: Schema.String.pipe(
    Schema.propertySignature,
    Schema.withConstructorDefault(() => "")
  ),
  exitCode: Schema.Literal(1, 2).pipe(
    Schema.propertySignature,
    Schema.withConstructorDefault((): 1 | 2 => 1)
  )
}) {}

/** The refusal of a page's cursor that its list did not give. */
export const badCursor = (after: Option.Option<string>) =>
  new Refusal({
    code: "bad_cursor",
    message: `--after: found "${Option.getOrElse(after, () => "")}", which is not a cursor of this list`,
    hint: "use the value of next from the page before, or leave it out for the first page",
    exitCode: 2
  })
