import { Deferred, Effect, Fiber, Option } from "effect"
import type { StopReason } from "../adapter/AdapterRegistry.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import type { Stamp } from "../domain/Actor.ts"
import { now } from "../domain/Time.ts"
import type { Pause } from "../store/Gates.ts"
import { Store } from "../store/Store.ts"
import type { ClaimedTask } from "../store/Tasks.ts"
import { Lock } from "./Lock.ts"
import { type Attempted, runAttempt } from "./RunAttempt.ts"
import { dispatcher, Runner } from "./Runner.ts"
import { next, produce } from "./Steps.ts"
import { sweep } from "./Sweep.ts"

/** What one cycle did. */
export type Cycle =
  | { readonly _tag: "Locked" }
  | { readonly _tag: "Idle" }
  | { readonly _tag: "Paused"; readonly pause: Pause }
  | { readonly _tag: "Ran"; readonly attempted: Attempted }

/**
 * One dispatch cycle under the dispatch lock: sweep, produce, claim at most one task, run it to its end. When
 * it is interrupted the attempt is stopped, its processes with it, and its task put back uncounted.
 */
export const runOnce = Effect.gen(function* () {
  const lock = yield* Lock
  const settings = yield* RuntimeConfig
  const { runnerId } = yield* Runner
  return yield* cycle.pipe(
    onRecord,
    lock.hold(settings.lockPath, runnerId),
    Effect.catchTag("LockHeld", () => Effect.succeed<Cycle>({ _tag: "Locked" }))
  )
}).pipe(Effect.withSpan("RunOnce.runOnce"))

/** Keeps this process on record as a runner while a program runs. */
const onRecord = <A, E, R>(program: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const store = yield* Store
    const settings = yield* RuntimeConfig
    const runner = yield* Runner
    const stamp = Effect.map(now, (at): Stamp => ({ at, actor: dispatcher(runner.runnerId) }))
    yield* store.runners.begin(
      { ...runner, mode: "run-once", lockPath: settings.lockPath, limits: { concurrency: 1 } },
      yield* stamp
    )
    const result = yield* program
    yield* store.runners.end(runner.runnerId, yield* stamp)
    return result
  })

const cycle = Effect.gen(function* () {
  yield* sweep()
  yield* produce()
  const found = yield* next(new Map())
  switch (found._tag) {
    case "Paused":
      yield* tell("dispatch_paused", { reason: found.pause.reason })
      return { _tag: "Paused", pause: found.pause } satisfies Cycle
    case "Idle":
      yield* tell("dispatch_idle", {})
      return { _tag: "Idle" } satisfies Cycle
    case "Claimed":
      return { _tag: "Ran", attempted: yield* toItsEnd(found.claimed) } satisfies Cycle
  }
})

const tell = (type: "dispatch_paused" | "dispatch_idle", detail: { readonly reason?: Pause["reason"] }) =>
  Effect.gen(function* () {
    const store = yield* Store
    const { runnerId } = yield* Runner
    yield* store.events.append(
      {
        type,
        taskId: Option.none(),
        attemptId: Option.none(),
        detail: detail.reason === undefined ? {} : { reason: Option.getOrNull(detail.reason) }
      },
      { at: yield* now, actor: dispatcher(runnerId) }
    )
  })

// The attempt is a fiber of its own, so that an interrupt can ask it to stop and wait until it has.
const toItsEnd = (claimed: ClaimedTask) =>
  Effect.gen(function* () {
    const stop = yield* Deferred.make<StopReason>()
    const attempt = yield* Effect.forkDaemon(runAttempt(claimed, stop))
    return yield* Fiber.join(attempt).pipe(
      Effect.onInterrupt(() => Effect.zipRight(Deferred.succeed(stop, "drain"), Fiber.await(attempt)))
    )
  })
