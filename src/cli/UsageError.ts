import { Schema } from "effect"

/** One thing that is wrong with a command line: `wrong` says what, `remedy` what to do (may be empty). */
export const UsageProblem = Schema.Struct({ wrong: Schema.String, remedy: Schema.String })
export type UsageProblem = typeof UsageProblem.Type

/** The command line cannot be understood; every problem that was found. */
export class UsageError extends Schema.TaggedError<UsageError>()("UsageError", {
  /** The command that was meant; empty when it is not known. */
  command: Schema.String,
  problems: Schema.Array(UsageProblem)
}) {
  override get message(): string {
    return this.problems.map(line).join("\n")
  }
}

/** A problem in one line. */
export const line = ({ wrong, remedy }: UsageProblem): string =>
  remedy === "" ? wrong : `${wrong}; ${remedy}`
