import { Clock, DateTime, Duration, Effect, Fiber, Option, Queue, Ref, Stream } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { now } from "../domain/Time.ts"
import { evaluateIdle } from "../intake/WorkflowStep.ts"
import { Scheduler } from "../schedule/Scheduler.ts"
import { Store } from "../store/Store.ts"
import { Lock } from "./Lock.ts"
import { Notify } from "./Notify.ts"
import { onRecord } from "./OnRecord.ts"
import { Runner, stampNow } from "./Runner.ts"
import { makeSlots, type Slots } from "./Slots.ts"
import { type Next, next } from "./Steps.ts"
import { supervised } from "./Supervise.ts"
import { sweep } from "./Sweep.ts"

/** No loop sleeps longer: a clock that was set is noticed within this, and a sign of life is given. */
const LONGEST_SLEEP = Duration.seconds(10)

/** A loop that gave no sign for this long hangs; the service manager is then told nothing more. */
const HANGS_AFTER = Duration.seconds(60)

/**
 * The resident dispatcher: takes the dispatch lock (LockHeld at once when another process has it), puts back
 * what dead dispatchers left, and runs what is due, up to `dispatch.concurrency` attempts at once, until it is
 * interrupted. Then it claims nothing more, waits `dispatch.drainSeconds` for running attempts, stops those that
 * are left, and puts their tasks back uncounted.
 */
export const dispatch = Effect.gen(function* () {
  const lock = yield* Lock
  const settings = yield* RuntimeConfig
  const { runnerId } = yield* Runner
  const { concurrency } = settings.dispatch
  return yield* Effect.scoped(resident).pipe(
    onRecord("dispatch", concurrency),
    lock.hold(settings.lockPath, runnerId),
    Effect.annotateLogs({ runner_id: runnerId })
  )
}).pipe(Effect.withSpan("Dispatcher.dispatch"))

const resident = Effect.gen(function* () {
  const notify = yield* Notify
  const { dispatch: limits } = yield* RuntimeConfig
  yield* sweep()
  const wake = yield* makeWakes
  const slots = yield* makeSlots(limits.concurrency, wake.claim)
  const beat = yield* Ref.make(yield* Clock.currentTimeMillis)
  // Added before the loops begin: they are ended first, then this waits for the attempts.
  yield* Effect.addFinalizer(() => drain(slots))
  yield* Effect.forkScoped(supervised("wake")(waking(wake)))
  yield* Effect.forkScoped(supervised("produce")(producing(wake.produce)))
  yield* Effect.forkScoped(supervised("claim")(claiming(slots, wake.claim, beat)))
  yield* Effect.forkScoped(supervised("workflows")(repairing))
  yield* Effect.forkScoped(supervised("watchdog")(watching(beat)))
  yield* Effect.logInfo(`Dispatching, ${limits.concurrency} attempts at once`)
  yield* notify.ready
  return yield* Effect.never
})

/** What wakes the loops: a commit of any process, or an attempt's end. */
interface Wakes {
  readonly claim: Queue.Queue<void>
  readonly produce: Queue.Queue<void>
}

const makeWakes: Effect.Effect<Wakes> = Effect.all({
  claim: Queue.sliding<void>(1),
  produce: Queue.sliding<void>(1)
})

const waking = ({ claim, produce }: Wakes) =>
  Effect.gen(function* () {
    const store = yield* Store
    yield* Stream.runForEach(store.changes, () =>
      Effect.zipRight(Queue.offer(claim, undefined), Queue.offer(produce, undefined))
    )
    return yield* Effect.dieMessage("the store tells no changes any more")
  })

/** Waits for a wake, until a moment if there is one, and never for long. */
const sleep = (wake: Queue.Dequeue<void>, until: Option.Option<DateTime.Utc>) =>
  Effect.gen(function* () {
    const at = yield* now
    const left = Option.match(until, {
      onNone: () => LONGEST_SLEEP,
      onSome: (moment) => Duration.millis(Math.max(0, DateTime.distance(at, moment)))
    })
    yield* Effect.raceFirst(Queue.take(wake), Effect.sleep(Duration.min(left, LONGEST_SLEEP)))
  })

/** Creates the tasks of schedules when they are due. */
const producing = (wake: Queue.Dequeue<void>) =>
  Effect.gen(function* () {
    const scheduler = yield* Scheduler
    const due = yield* scheduler.nextDue
    const isDue = Option.exists(due, DateTime.lessThanOrEqualTo(yield* now))
    if (isDue) yield* scheduler.tick(yield* now)
    else yield* sleep(wake, due)
  }).pipe(Effect.forever)

/** Workflows that nobody takes on (of an adopted database, of a template that was away) are looked for so often. */
const BETWEEN_REPAIRS = "5 minutes"

const repairing = Effect.zipRight(evaluateIdle(), Effect.sleep(BETWEEN_REPAIRS)).pipe(Effect.forever)

const claiming = (slots: Slots, wake: Queue.Dequeue<void>, beat: Ref.Ref<number>) =>
  Effect.gen(function* () {
    const last = yield* Ref.make<Filled["_tag"]>("Claimed")
    return yield* Effect.gen(function* () {
      yield* Ref.set(beat, yield* Clock.currentTimeMillis)
      const found = yield* fill(slots)
      yield* tell(found, yield* Ref.getAndSet(last, found._tag))
      yield* sayStatus(slots, found)
      yield* sleep(wake, found._tag === "Idle" ? yield* nextMoment : Option.none())
    }).pipe(Effect.forever)
  })

type Filled = Next | { readonly _tag: "Full" }

/** Claims until there is nothing to claim, no slot is free, or dispatch is paused; answers what came last. */
const fill = (slots: Slots): Effect.Effect<Filled, NextError, NextNeeds> =>
  Effect.gen(function* () {
    while ((yield* slots.free) > 0) {
      // Between the claim and the attempt's own fiber nothing may come: the task would be left running.
      const found = yield* Effect.uninterruptible(
        Effect.tap(next(), (one) => (one._tag === "Claimed" ? slots.run(one.claimed) : Effect.void))
      )
      if (found._tag !== "Claimed") return found
    }
    return { _tag: "Full" } satisfies Filled
  })
type NextError = Effect.Effect.Error<ReturnType<typeof next>>
type NextNeeds = Effect.Effect.Context<ReturnType<typeof next>>

/** When a waiting task may start without a commit: the earliest due time, the end of a cool-down. */
const nextMoment = Effect.gen(function* () {
  const store = yield* Store
  const due = yield* store.tasks.nextDue
  const [cooldown] = yield* store.gates.cooldowns(yield* now)
  return Option.reduceCompact(
    [due, Option.map(Option.fromNullable(cooldown), ({ until }) => until)],
    Option.none<DateTime.Utc>(),
    (earliest, moment) =>
      Option.some(Option.match(earliest, { onNone: () => moment, onSome: DateTime.min(moment) }))
  )
})

/** What becomes idle or paused is told once, not again and again. */
const tell = (found: Filled, before: Filled["_tag"]) =>
  Effect.gen(function* () {
    const store = yield* Store
    if (found._tag === before || (found._tag !== "Idle" && found._tag !== "Paused")) return
    const none = { taskId: Option.none(), attemptId: Option.none() }
    const event =
      found._tag === "Idle"
        ? { type: "dispatch_idle" as const, ...none, detail: {} }
        : {
            type: "dispatch_paused" as const,
            ...none,
            detail: { reason: Option.getOrNull(found.pause.reason) }
          }
    yield* store.events.append(event, yield* stampNow)
  })

const sayStatus = (slots: Slots, found: Filled) =>
  Effect.gen(function* () {
    const notify = yield* Notify
    const running = yield* slots.running
    yield* notify.status(found._tag === "Paused" ? `paused, ${running} running` : `${running} running`)
  })

/** Gives the service manager its signs of life while the claim loop gives its own. */
const watching = (beat: Ref.Ref<number>) =>
  Effect.gen(function* () {
    const notify = yield* Notify
    if (Option.isNone(notify.watchdog)) return yield* Effect.never
    const pause = Duration.times(notify.watchdog.value, 1 / 3)
    return yield* Effect.gen(function* () {
      const silent = (yield* Clock.currentTimeMillis) - (yield* Ref.get(beat))
      if (silent < Duration.toMillis(HANGS_AFTER)) yield* notify.alive
      else yield* Effect.logError(`The claim loop has given no sign for ${Math.round(silent / 1000)} s`)
      yield* Effect.sleep(pause)
    }).pipe(Effect.forever)
  })

const drain = (slots: Slots) =>
  Effect.gen(function* () {
    const notify = yield* Notify
    const { drainSeconds } = (yield* RuntimeConfig).dispatch
    yield* notify.stopping
    const running = yield* slots.running
    if (running === 0) return
    yield* Effect.logInfo(`Stopping: ${running} running attempts have ${drainSeconds} s to end`)
    // What runs in a finalizer cannot be timed out; a fiber of its own can.
    const inTime = yield* Effect.interruptible(
      Effect.timeoutOption(slots.empty, Duration.seconds(drainSeconds))
    ).pipe(Effect.forkDaemon, Effect.flatMap(Fiber.join))
    if (Option.isSome(inTime)) return
    yield* slots.stopAll("drain")
    yield* slots.empty
  })
