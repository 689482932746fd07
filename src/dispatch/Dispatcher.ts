import { DateTime, Duration, Effect, Either, Fiber, Option, type Queue } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { now } from "../domain/Time.ts"
import { evaluateIdle } from "../intake/WorkflowStep.ts"
import { Scheduler } from "../schedule/Scheduler.ts"
import { Store } from "../store/Store.ts"
import { claiming, nothingTold } from "./Claiming.ts"
import { expiring } from "./Expiring.ts"
import { Hurry } from "./Hurry.ts"
import { Lock } from "./Lock.ts"
import { Notify } from "./Notify.ts"
import { drainOnRecord, onRecord } from "./OnRecord.ts"
import { retaining } from "./Retention.ts"
import { Runner } from "./Runner.ts"
import { makeSlots, type Slots } from "./Slots.ts"
import { supervised } from "./Supervise.ts"
import { sweep, sweeping } from "./Sweep.ts"
import { inRounds, makeWakes, waking } from "./Wakes.ts"
import { makeWatchdog, type Watchdog } from "./Watchdog.ts"

/**
 * The resident dispatcher: takes the dispatch lock (LockHeld at once when another process has it), puts back
 * what dead dispatchers left, and runs what is due, up to `dispatch.concurrency` attempts at once, until it is
 * interrupted. Then it claims nothing more, waits `dispatch.drainSeconds` for running attempts, stops those that
 * are left, and puts their tasks back uncounted. StoreUnavailable when the store was lost under it: what runs is stopped
 * at once then, for nothing of it can be recorded.
 */
export const dispatch = Effect.gen(function* () {
  const lock = yield* Lock
  const settings = yield* RuntimeConfig
  const { runnerId } = yield* Runner
  return yield* Effect.scoped(resident).pipe(
    onRecord("dispatch", settings.dispatch.concurrency),
    lock.hold(settings.lockPath, runnerId),
    Effect.annotateLogs({ runner_id: runnerId })
  )
})

const resident = Effect.gen(function* () {
  const notify = yield* Notify
  const { concurrency } = (yield* RuntimeConfig).dispatch
  yield* sweep()
  const wakes = yield* makeWakes
  const slots = yield* makeSlots(concurrency, wakes.claim)
  const watchdog = yield* makeWatchdog
  const told = yield* nothingTold
  yield* Effect.forkScoped(supervised("watchdog")(watchdog.watching))
  // What was begun later ends earlier: first the loops, then this waits for the attempts, watched to the end.
  yield* Effect.addFinalizer(() => drain(slots, watchdog))
  yield* Effect.forkScoped(supervised("wake")(waking(wakes, slots.isFull)))
  yield* Effect.forkScoped(supervised("produce")(producing(wakes.produce)))
  yield* Effect.forkScoped(supervised("questions")(expiring(wakes.questions)))
  yield* Effect.forkScoped(supervised("workflows")(repairing))
  yield* Effect.forkScoped(supervised("retention")(retaining))
  yield* Effect.forkScoped(supervised("sweep")(sweeping))
  yield* Effect.forkScoped(
    supervised("claim")(claiming({ slots, wake: wakes.claim, told, beat: watchdog.beat }))
  )
  // Begun last, it ends first: the loop that claims may be waiting for the store when it is told to end.
  yield* slots.handingOver
  yield* Effect.logInfo(`Dispatching, ${concurrency} ${concurrency === 1 ? "attempt" : "attempts"} at once`)
  yield* notify.ready
  return yield* (yield* Store).maintenance.lost
})

/** A schedule that stays due whatever is done with it must not keep the store busy. */
const BETWEEN_TICKS = "100 millis"

/** Creates the tasks of schedules when they are due. */
const producing = (wake: Queue.Queue<void>) =>
  inRounds(
    wake,
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.putRight
      const due = yield* scheduler.nextDue
      if (!Option.exists(due, DateTime.lessThanOrEqualTo(yield* now))) return due
      yield* Effect.zipRight(scheduler.tick(yield* now), Effect.sleep(BETWEEN_TICKS))
      return yield* scheduler.nextDue
    })
  )

/** Workflows that nobody takes on (of an adopted database, of a template that was away) are looked for so often. */
const BETWEEN_REPAIRS = "5 minutes"

const repairing = Effect.zipRight(evaluateIdle(), Effect.sleep(BETWEEN_REPAIRS)).pipe(Effect.forever)

/** What has not ended so long after it was told to stop (its processes are given 15 s) is left to the next sweep. */
const STOPPED_WITHIN = Duration.seconds(30)

const drain = (slots: Slots, watchdog: Watchdog) =>
  Effect.gen(function* () {
    const notify = yield* Notify
    const { drainSeconds } = (yield* RuntimeConfig).dispatch
    yield* watchdog.rest
    yield* notify.stopping
    const running = yield* slots.running
    if (running === 0) return
    if (Either.isLeft(yield* Effect.either((yield* Store).maintenance.here))) {
      yield* Effect.logError(`Stopping what runs (${running}) at once: nothing of it can be recorded`)
      yield* slots.stopAll("drain")
      if (yield* isEmptyWithin(slots, STOPPED_WITHIN)) return
    }
    yield* Effect.logInfo(`Stopping: what runs (${running}) has ${drainSeconds} s to end`)
    yield* drainOnRecord
    const hurry = yield* Effect.serviceOption(Hurry)
    const asked = Option.match(hurry, { onNone: () => Effect.never, onSome: (one) => one.asked })
    if (yield* isEmptyWithin(slots, Duration.seconds(drainSeconds), asked)) return
    yield* slots.stopAll("drain")
    if (yield* isEmptyWithin(slots, STOPPED_WITHIN)) return
    yield* Effect.logError(`${yield* slots.running} attempts did not end; the next dispatcher puts them back`)
  })

// What runs in a finalizer cannot be timed out; a fiber of its own can.
const isEmptyWithin = (slots: Slots, limit: Duration.Duration, orElse: Effect.Effect<void> = Effect.never) =>
  Effect.raceFirst(Effect.timeoutOption(slots.empty, limit), Effect.as(orElse, Option.none<void>())).pipe(
    Effect.interruptible,
    Effect.forkDaemon,
    Effect.flatMap(Fiber.join),
    Effect.map(Option.isSome)
  )
