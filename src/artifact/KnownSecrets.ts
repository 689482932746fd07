import { Context, Effect } from "effect"
import type { Redactor } from "../domain/Redactor.ts"

/** The secret values of the whole configuration, as far as they can be read at this moment. */
export class KnownSecrets extends Context.Tag("agent-runtime/KnownSecrets")<
  KnownSecrets,
  { readonly redactor: Effect.Effect<Redactor> }
>() {}

/** Masks the secret values of the whole configuration, as far as they can be read now. */
export const secretsMasked: Effect.Effect<Redactor, never, KnownSecrets> = Effect.flatMap(
  KnownSecrets,
  ({ redactor }) => redactor
)
