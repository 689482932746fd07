import { Context, type Effect } from "effect"
import type { Redactor } from "../domain/Redactor.ts"

/** The secret values of the whole configuration, as far as they can be read at this moment. */
export class KnownSecrets extends Context.Tag("agent-runtime/KnownSecrets")<
  KnownSecrets,
  { readonly redactor: Effect.Effect<Redactor> }
>() {}
