import { Effect } from "effect"
import type { KnownSecrets } from "../../src/artifact/KnownSecrets.ts"
import type { Settings } from "../../src/config/RuntimeConfig.ts"
import { configuredSecrets } from "./ConfiguredSecrets.ts"

/** See KnownSecrets; read with this process's environment, anew after 5 s. */
export const make = (settings: Settings): Effect.Effect<KnownSecrets["Type"]> =>
  Effect.map(configuredSecrets(settings, { ...process.env }), (masking) => ({ redactor: masking([]) }))
