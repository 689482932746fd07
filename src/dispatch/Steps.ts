import { Cause, Effect, FiberRef, Option } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import { AttemptId, IdSource, TaskId } from "../domain/Ids.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { evaluateIdle, taskEnded } from "../intake/WorkflowStep.ts"
import { Scheduler } from "../schedule/Scheduler.ts"
import type { Pause } from "../store/Gates.ts"
import { Store } from "../store/Store.ts"
import { type Claim, type ClaimedTask, type Lane, MOST_LANES } from "../store/Tasks.ts"
import { setAside, tellSpent } from "./Charging.ts"
import { conditionsAt } from "./Conditions.ts"
import { type Conditions, closed, leadsTo } from "./Eligibility.ts"
import { expireQuestions } from "./Expiring.ts"
import { groundsNow } from "./Grounds.ts"
import { Runner, stampNow } from "./Runner.ts"
import { inTurn } from "./Turns.ts"

/** What `next` found to do. */
export type Next =
  | { readonly _tag: "Claimed"; readonly claimed: ClaimedTask }
  | { readonly _tag: "Idle" }
  | { readonly _tag: "Paused"; readonly pause: Pause }

/**
 * Creates the tasks that are due by the clock, lets questions run out, and takes idle workflows on; answers the
 * schedules' tasks.
 */
export const produce = traced("Steps.produce")(function* () {
  const scheduler = yield* Scheduler
  const { taskIds } = yield* scheduler.tick(yield* now)
  yield* expireQuestions()
  yield* evaluateIdle()
  return taskIds
})

/**
 * Claims the best task that may start, unless dispatch is paused. Damaged rows are set aside on the way. Nothing is
 * claimed by a fiber that was interrupted while it waited for the store.
 */
export const next = traced("Steps.next")(function* () {
  const store = yield* Store
  const { lanes } = yield* store.tasks.promote(yield* now)
  // Who has nothing to claim does not ask for the turn to write: every commit wakes it again.
  if (lanes.length === 0 && Option.isNone(yield* store.gates.pause)) return { _tag: "Idle" } satisfies Next
  while (true) {
    const found = yield* store.transact("Steps.claim", yield* readyToClaim)
    if (found._tag !== "Quarantined") return found satisfies Next
    yield* tellSetAside(found)
  }
})

/** Whether the tasks of a lane may start. A budget of the day that is spent is told once. */
const isOpen = (lane: Lane, conditions: Conditions, stamp: Stamp) =>
  Effect.gen(function* () {
    const shut = closed(lane, conditions)
    if (Option.isNone(shut)) return true
    if (shut.value._tag === "OverBudget") yield* tellSpent(shut.value.over, conditions.day.start, stamp)
    return false
  })

/** Which lanes may start. Where they are very many and none of these may, it is asked of those that come after them. */
const startable = (first: ReadonlyArray<Lane>, grounds: Conditions["grounds"], stamp: Stamp) =>
  Effect.gen(function* () {
    const store = yield* Store
    let ready = first
    while (true) {
      const conditions = yield* conditionsAt(stamp.at, ready, grounds)
      const open = yield* Effect.filter(ready, (lane) => isOpen(lane, conditions, stamp))
      const lanes = yield* inTurn(ready, open, conditions)
      const last = ready[MOST_LANES - 1]
      if (lanes.length > 0 || last === undefined) return { conditions, lanes }
      ready = yield* store.tasks.lanesAfter(last.key)
    }
  })

const meantFor = ({ task }: ClaimedTask, settings: Conditions["settings"]) => ({
  adapterId: leadsTo(task, settings),
  profileId: Option.getOrElse(task.requestedProfile, () => settings.defaultProfile)
})

/** Whether this fiber was told to end, though it cannot be interrupted now. */
const isToldToEnd = Effect.map(FiberRef.get(FiberRef.interruptedCause), (cause) => !Cause.isEmpty(cause))

/** What a claim came to. A task whose record is damaged was set aside; there may be others. */
export type Found = Next | Extract<Claim, { readonly _tag: "Quarantined" }>

/**
 * The claim of the best task that may start, to be made in a transaction, so that nothing is claimed after a pause or a
 * cool-down was committed. What it needs of the disk and the clock is read now.
 */
export const readyToClaim = Effect.gen(function* () {
  const store = yield* Store
  const runner = yield* Runner
  const ids = yield* IdSource
  const stamp = yield* stampNow
  const attemptId = AttemptId.make(yield* ids.next)
  const grounds = yield* groundsNow
  return Effect.gen(function* () {
    if (yield* isToldToEnd) return { _tag: "Idle" } satisfies Found
    const pause = yield* store.gates.pause
    if (Option.isSome(pause)) return { _tag: "Paused", pause: pause.value } satisfies Found
    const { lanes: ready } = yield* store.tasks.promote(stamp.at)
    if (ready.length === 0) return { _tag: "Idle" } satisfies Found
    const { conditions, lanes } = yield* startable(ready, grounds, stamp)
    const claim = yield* store.tasks.claim({
      lanes: lanes.map((lane) => lane.key),
      grounds: new Map(
        lanes.flatMap((lane) => {
          const ground = grounds.get(leadsTo(lane, conditions.settings))
          return ground === undefined ? [] : [[lane.key, ground] as const]
        })
      ),
      attemptId,
      runnerId: runner.runnerId,
      host: runner.host,
      stamp
    })
    // The workflow of a task that was set aside learns of it.
    if (claim._tag === "Quarantined") yield* taskEnded(claim.taskId, TaskId.make(yield* ids.next), stamp)
    // Where its task's own budget is spent the attempt will find that nothing was set aside for it, and end.
    if (claim._tag === "Claimed")
      yield* setAside(claim.claimed, meantFor(claim.claimed, conditions.settings), stamp)
    return claim._tag === "None" ? ({ _tag: "Idle" } satisfies Found) : claim
  })
})

/** Tells of a task that a claim has set aside. */
export const tellSetAside = ({ error, taskId }: Extract<Found, { readonly _tag: "Quarantined" }>) =>
  Effect.logWarning(`Task ${taskId} was set aside: ${error}`)
