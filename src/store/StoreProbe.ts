import { Context, type Effect } from "effect"
import type { StoreHealth } from "./Maintenance.ts"
import type { StoreUnavailable } from "./StoreError.ts"

/** Opens the store to look at it, for a caller that goes on when it cannot be opened. */
export class StoreProbe extends Context.Tag("agent-runtime/StoreProbe")<
  StoreProbe,
  { readonly health: (deep: boolean) => Effect.Effect<StoreHealth, StoreUnavailable> }
>() {}
