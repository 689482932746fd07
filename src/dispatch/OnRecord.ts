import { Effect } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import type { RunnerRecord } from "../store/Runners.ts"
import { Store } from "../store/Store.ts"
import { Runner, stampNow } from "./Runner.ts"

/** Keeps this process on record as a runner while a program runs. */
export const onRecord =
  (mode: RunnerRecord["mode"], concurrency: number) =>
  <A, E, R>(program: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const store = yield* Store
      const { lockPath } = yield* RuntimeConfig
      const runner = yield* Runner
      const record = { ...runner, mode, lockPath, limits: { concurrency } }
      return yield* Effect.acquireUseRelease(
        Effect.flatMap(stampNow, (stamp) => store.runners.begin(record, stamp)),
        () => program,
        () =>
          Effect.flatMap(stampNow, (stamp) => store.runners.end(runner.runnerId, stamp)).pipe(
            // The lock says who dispatches; the next holder closes the row.
            Effect.catchTag("StoreUnavailable", ({ reason }) =>
              Effect.logWarning(`The end of this runner was not recorded: ${reason}`)
            )
          )
      )
    })

/** Lets others see that this runner claims nothing more; that it could not be told stops nothing. */
export const drainOnRecord = Effect.gen(function* () {
  const store = yield* Store
  const { runnerId } = yield* Runner
  yield* store.runners.drains(runnerId, yield* stampNow)
}).pipe(
  Effect.catchTag("StoreUnavailable", ({ reason }) =>
    Effect.logWarning(`That this runner stops was not recorded: ${reason}`)
  )
)
