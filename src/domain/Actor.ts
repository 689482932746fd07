import { type DateTime, Schema } from "effect"

/** Who caused a change: the surface it came through, and the name there (user, token, bridge, runner). */
export const Actor = Schema.Struct({
  surface: Schema.Literal("cli", "http", "bridge", "sensor", "schedule", "workflow", "dispatch", "adopt"),
  name: Schema.String
})
export type Actor = typeof Actor.Type

/** When and by whom: what every change of state carries into its event. */
export interface Stamp {
  readonly at: DateTime.Utc
  readonly actor: Actor
}
