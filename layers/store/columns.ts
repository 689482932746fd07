import { DateTime, Option, Schema } from "effect"
import type { Actor, Stamp } from "../../src/domain/Actor.ts"
import { Usage, unknownUsage } from "../../src/domain/Usage.ts"
import { onFirstUse } from "../../src/domain/Wire.ts"
import type { Value } from "./statement.ts"

/** Absence is NULL in a column. */
export const orNull = <A extends Value>(value: Option.Option<A>): Value => Option.getOrNull(value)

export const time = (at: DateTime.Utc): string => DateTime.formatIso(at)

/** After every text that begins with this, in the order of the bytes. */
export const afterAll = (prefix: string): string => `${prefix}\u{10ffff}`

/** JSON that reads back as sound Unicode: half a surrogate pair, as a cut text may end in, becomes U+FFFD. */
export const json = (value: unknown): string => {
  const text = JSON.stringify(value)
  return /\\ud[89a-f]/.test(text)
    ? JSON.stringify(value, (_, part: unknown) => (typeof part === "string" ? part.toWellFormed() : part))
    : text
}

/** The two columns that every event and every move takes from its stamp. */
export const stamped = (stamp: Stamp): { readonly at: string; readonly actor: string } => ({
  at: time(stamp.at),
  actor: actorJson(stamp.actor)
})

export const actorJson = (actor: Actor): string => json({ surface: actor.surface, name: actor.name })

/** The usage of an attempt that has told nothing yet. */
export const NO_USAGE = onFirstUse(() => JSON.stringify(Schema.encodeSync(Usage)(unknownUsage)))
