import { Context, type DateTime, type Effect } from "effect"
import type { Attempts } from "./Attempts.ts"
import type { Cooldown } from "./Gates.ts"
import type { StoreHealth } from "./Maintenance.ts"
import type { Store } from "./Store.ts"
import type { StoreUnavailable } from "./StoreError.ts"

/** Opens the store to look at it, for a caller that goes on when it cannot be opened. */
export class StoreProbe extends Context.Tag("agent-runtime/StoreProbe")<
  StoreProbe,
  {
    readonly health: (deep: boolean) => Effect.Effect<StoreHealth, StoreUnavailable>
    /** Adapters that cool down at a time. */
    readonly cooldowns: (now: DateTime.Utc) => Effect.Effect<ReadonlyArray<Cooldown>, StoreUnavailable>
    /** See Attempts.lastOf. */
    readonly lastOf: Attempts["lastOf"]
    /** Runs a program that only reads on the store, which is opened for it. */
    readonly look: <A>(
      program: (store: Store["Type"]) => Effect.Effect<A, StoreUnavailable>
    ) => Effect.Effect<A, StoreUnavailable>
  }
>() {}
