import { Context, Effect, Option } from "effect"
import type { Actor } from "../domain/Actor.ts"

export type Role = "read" | "operate"

/** Who sent a request: the name of the token, or of those who need none, and what is allowed. */
export interface CallerShape {
  readonly name: string
  readonly role: Role
  readonly hasToken: boolean
}

/** The sender of the request that is being answered; Access gives it to every handler. */
export class Caller extends Context.Tag("agent-runtime/http/Caller")<Caller, CallerShape>() {}

/** Who sent the request that is being answered. */
export const caller: Effect.Effect<CallerShape> = Effect.flatMap(
  Effect.serviceOption(Caller),
  Option.match({
    onNone: () => Effect.dieMessage("a request was answered without asking who sent it"),
    onSome: Effect.succeed
  })
)

/** The caller as the history names who did something. */
export const actor: Effect.Effect<Actor> = Effect.map(caller, ({ name }) => ({ surface: "http", name }))
