import { Effect, Layer } from "effect"
import { KnownSecrets } from "../../src/artifact/KnownSecrets.ts"
import { RuntimeConfig } from "../../src/config/RuntimeConfig.ts"
import { configuredSecrets } from "./ConfiguredSecrets.ts"

/** See KnownSecrets; read with this process's environment, anew after 5 s. */
export const layer = Layer.effect(
  KnownSecrets,
  Effect.gen(function* () {
    const masking = yield* configuredSecrets(yield* RuntimeConfig, { ...process.env })
    return KnownSecrets.of({ redactor: masking([]) })
  })
)
