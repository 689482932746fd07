import { Effect, Layer } from "effect"
import type { KnownSecrets } from "../../src/artifact/KnownSecrets.ts"
import type { RuntimeConfig } from "../../src/config/RuntimeConfig.ts"
import type { IdSource } from "../../src/domain/Ids.ts"
import { tick } from "../../src/intake/Due.ts"
import { putRight } from "../../src/intake/SetBack.ts"
import { Scheduler } from "../../src/schedule/Scheduler.ts"
import { Store } from "../../src/store/Store.ts"

/** The schedules of the store. */
export const layer: Layer.Layer<Scheduler, never, Store | RuntimeConfig | IdSource | KnownSecrets> =
  Layer.effect(
    Scheduler,
    Effect.gen(function* () {
      const store = yield* Store
      const context = yield* Effect.context<Store | RuntimeConfig | IdSource | KnownSecrets>()
      return Scheduler.of({
        tick: (at) => Effect.provide(Effect.zipRight(putRight(), tick(at)), context),
        putRight: Effect.provide(putRight(), context),
        nextDue: store.schedules.nextDue
      })
    })
  )
