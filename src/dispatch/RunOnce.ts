import { Deferred, Effect, Fiber, Option } from "effect"
import type { StopReason } from "../adapter/AdapterRegistry.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { Pause } from "../store/Gates.ts"
import { Store } from "../store/Store.ts"
import type { ClaimedTask } from "../store/Tasks.ts"
import type { Attempted } from "./Finish.ts"
import { goOn, heldBackAfter } from "./HoldBack.ts"
import { Lock } from "./Lock.ts"
import { onRecord } from "./OnRecord.ts"
import { runAttempt } from "./RunAttempt.ts"
import { Runner, stampNow } from "./Runner.ts"
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
 * it is interrupted the attempt is stopped, its processes with it, and its task put back uncounted. An end that cannot
 * be recorded is tried again for a minute; after that StoreUnavailable names the attempt.
 */
export const runOnce = Effect.gen(function* () {
  const lock = yield* Lock
  const settings = yield* RuntimeConfig
  const { runnerId } = yield* Runner
  return yield* cycle.pipe(
    onRecord("run-once", 1),
    lock.hold(settings.lockPath, runnerId),
    Effect.catchTag("LockHeld", () => Effect.succeed<Cycle>({ _tag: "Locked" })),
    Effect.annotateLogs({ runner_id: runnerId })
  )
}).pipe(Effect.withSpan("RunOnce.runOnce"))

const cycle = Effect.gen(function* () {
  const store = yield* Store
  const held = yield* store.gates.pause
  if (Option.isSome(held)) yield* goOn(held.value)
  const before = Option.isNone(held) ? held : yield* store.gates.pause
  yield* sweep()
  yield* produce()
  if (Option.isSome(before)) return yield* paused(before.value)
  // Between the claim and the attempt's own fiber nothing may come: the task would be left running.
  return yield* Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const found = yield* next()
      if (found._tag === "Paused") return yield* paused(found.pause)
      if (found._tag === "Idle") {
        yield* restore(tell("dispatch_idle", {}))
        return { _tag: "Idle" } satisfies Cycle
      }
      const attempted = yield* toItsEnd(found.claimed, restore)
      yield* heldBackAfter(attempted.verdict)
      return { _tag: "Ran", attempted } satisfies Cycle
    })
  )
})

const paused = (pause: Pause) =>
  Effect.as(tell("dispatch_paused", { reason: Option.getOrNull(pause.reason) }), {
    _tag: "Paused",
    pause
  } satisfies Cycle)

const tell = (type: "dispatch_paused" | "dispatch_idle", detail: JsonObject) =>
  Effect.gen(function* () {
    const store = yield* Store
    const event = { type, taskId: Option.none(), attemptId: Option.none(), detail }
    yield* store.events.append(event, yield* stampNow)
  })

// The attempt is a fiber of its own, so that an interrupt can ask it to stop and wait until it has.
const toItsEnd = (
  claimed: ClaimedTask,
  restore: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const stop = yield* Deferred.make<StopReason>()
    const attempt = yield* Effect.forkDaemon(Effect.interruptible(runAttempt(claimed, stop)))
    return yield* restore(Fiber.join(attempt)).pipe(
      Effect.onInterrupt(() =>
        Effect.zipRight(Deferred.succeed(stop, "drain"), Fiber.join(attempt)).pipe(
          // Whoever interrupts hears of nothing else.
          Effect.catchTag("StoreUnavailable", ({ reason }) => Effect.logError(reason)),
          Effect.catchAllCause((fault) => Effect.logError("The attempt met a fault of agent-runtime", fault))
        )
      )
    )
  })
