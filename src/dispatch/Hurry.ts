import { Context, type Effect } from "effect"

/** The second request to stop: what runs is then stopped at once, instead of being waited for. */
export class Hurry extends Context.Tag("agent-runtime/Hurry")<
  Hurry,
  { readonly asked: Effect.Effect<void> }
>() {}
