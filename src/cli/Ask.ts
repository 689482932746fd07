import { Effect, Option, Schema } from "effect"
import type { Actor } from "../domain/Actor.ts"
import type { Operation } from "../operate/Operation.ts"
import { Terminal } from "./Terminal.ts"

/** Whoever typed the command, by the name that the system gives. */
const operator = Effect.map(
  Terminal,
  ({ env }): Actor => ({
    surface: "cli",
    name: Option.getOrElse(
      Option.orElse(env("USER"), () => env("LOGNAME")),
      () => "operator"
    )
  })
)

/** Runs an operation for the person at the command line and answers its result as wire JSON. */
export const ask = <I, O, Wire, E, R>(
  operation: Operation<I, O, Wire, E, R>,
  input: I
): Effect.Effect<Wire, E, R | Terminal> =>
  Effect.gen(function* () {
    const result = yield* operation.run(input, yield* operator)
    return yield* Effect.orDie(Schema.encode(operation.output)(result))
  })
