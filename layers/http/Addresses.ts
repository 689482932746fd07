import { networkInterfaces } from "node:os"
import { Effect } from "effect"

/** The addresses of this host's interfaces. */
export const addresses: Effect.Effect<ReadonlyArray<string>> = Effect.sync(() =>
  Object.values(networkInterfaces()).flatMap((found) => (found ?? []).map(({ address }) => address))
)
