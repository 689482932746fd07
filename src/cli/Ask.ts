import { Effect, Option, Schema } from "effect"
import type { Actor } from "../domain/Actor.ts"
import type { Operation } from "../operate/Operation.ts"
import { Terminal } from "./Terminal.ts"

/** The name stands in every event: an environment gone wild must not fill the history. */
const MOST_LETTERS = 200

/** Whoever typed the command, by the name that the system gives. */
const operator = Effect.map(Terminal, ({ env }): Actor => {
  const user = Option.orElse(env("USER"), () => env("LOGNAME"))
  const name = Option.getOrElse(user, () => "operator")
  return { surface: "cli", name: name.slice(0, MOST_LETTERS).toWellFormed() }
})

/**
 * Runs an operation for the person at the command line and answers its result as wire JSON. The operation is
 * loaded when it is asked for, so that a command's start costs what that command needs.
 */
export const ask = <I, O, Wire, E, R>(
  load: () => Promise<Operation<I, O, Wire, E, R>>,
  input: I
): Effect.Effect<Wire, E, R | Terminal> =>
  Effect.gen(function* () {
    const operation = yield* Effect.promise(load)
    const result = yield* operation.run(input, yield* operator)
    return yield* Effect.orDie(Schema.encode(operation.output)(result))
  })
