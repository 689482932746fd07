import { Effect, Either, Layer, Option } from "effect"
import { HostFacts } from "../../src/dispatch/HostFacts.ts"

/** A host on which all is well, but for what is given. */
export const hostFacts = (given: Partial<HostFacts["Type"]> = {}): Layer.Layer<HostFacts> =>
  Layer.succeed(HostFacts, {
    exposure: () => Effect.succeed(Option.none()),
    changedAt: () => Effect.succeed(Option.none()),
    serviceOf: () => Effect.succeed(Option.none()),
    token: () =>
      Effect.succeed(Either.left({ wrong: "the file cannot be read (ENOENT)", remedy: "write one" })),
    clockIsKept: Effect.succeed(Option.some(true)),
    units: Effect.succeed([]),
    installed: Effect.succeed([]),
    addresses: Effect.succeed(["127.0.0.1"]),
    ...given
  })
