import type { Effect, Schema } from "effect"
import type { Actor } from "../domain/Actor.ts"

/**
 * Something that an operator may ask, whatever the surface: CLI, HTTP and later MCP bind it and add nothing.
 * `role` is what a caller needs; `output` is the wire's shape; `run` never prints.
 */
export interface Operation<I, O, Wire, E, R> {
  /** Unique, `subject.verb`. */
  readonly name: string
  readonly role: "read" | "operate"
  readonly output: Schema.Schema<O, Wire>
  readonly run: (input: I, actor: Actor) => Effect.Effect<O, E, R>
}

/** Keeps the types of an operation without naming them. */
export const operation = <I, O, Wire, E, R>(of: Operation<I, O, Wire, E, R>): Operation<I, O, Wire, E, R> =>
  of
