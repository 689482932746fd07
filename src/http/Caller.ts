import { Context, Effect, Option } from "effect"
import type { Actor } from "../domain/Actor.ts"

export type Role = "read" | "operate"

/** Who sent a request: the name of the token, and what it allows. */
export interface CallerShape {
  readonly name: string
  readonly role: Role
}

/** The sender of the request that is being answered; Access gives it to every handler. */
export class Caller extends Context.Tag("agent-runtime/http/Caller")<Caller, CallerShape>() {}

/** The caller as the history names who did something. */
export const actor: Effect.Effect<Actor> = Effect.flatMap(Effect.serviceOption(Caller), (caller) =>
  Option.match(caller, {
    onNone: () => Effect.dieMessage("a request was answered without asking who sent it"),
    onSome: ({ name }) => Effect.succeed({ surface: "http" as const, name })
  })
)
