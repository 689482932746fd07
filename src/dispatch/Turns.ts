import { type DateTime, Effect, Option } from "effect"
import { Store } from "../store/Store.ts"
import type { Head, Lane } from "../store/Tasks.ts"
import { type Conditions, closed, leadsTo, type Place } from "./Eligibility.ts"
import { isBefore } from "./Grounds.ts"

/** A task that waits until a folder is empty; what comes after it in order does not begin there before it. */
export interface TurnOf {
  readonly head: Head
  readonly adapterId: string
  readonly dir: string
}

/**
 * Those of the open lanes that may start now, in the light of who waits for a folder. Who wants to be alone in one
 * would wait for ever where others keep coming: so its turn is kept, and whatever is behind its task in the order
 * of claims does not begin in that folder. Other folders, and adapters without hands, are not held up by it. Who looks
 * ahead of the claim tells what is due by when; a claim has made that ready before.
 */
export const inTurn = (
  ready: ReadonlyArray<Lane>,
  open: ReadonlyArray<Lane>,
  conditions: Conditions,
  dueBy?: DateTime.Utc
) =>
  Effect.gen(function* () {
    const store = yield* Store
    const turns = yield* turnsAmong(ready, open, conditions, dueBy)
    if (turns.length === 0) return open
    const heads = yield* store.tasks.heads(
      open.map(({ key }) => key),
      dueBy
    )
    return open.filter((lane) => {
      const head = heads.get(lane.key)
      return head === undefined || !turns.some((turn) => waitsFor(turn, head, lane, conditions))
    })
  })

/** The turn that a ready task of an open lane has to wait for; none where it may start. Agrees with `inTurn`. */
export const turnBefore = (
  task: Head & Place,
  ready: ReadonlyArray<Lane>,
  conditions: Conditions,
  dueBy: DateTime.Utc
) =>
  Effect.map(turnsAmong(ready, [task], conditions, dueBy), (turns) =>
    Option.fromNullable(turns.find((turn) => waitsFor(turn, task, task, conditions)))
  )

const dirOf = (lane: Place, { grounds, settings }: Conditions) => grounds.get(leadsTo(lane, settings))?.dir

const waitsFor = (turn: TurnOf, head: Head, lane: Place, conditions: Conditions): boolean =>
  dirOf(lane, conditions) === turn.dir && isBefore(turn.head, head)

/** Asks for the heads only where an exclusive lane waits for a folder that an open lane would begin in. */
const turnsAmong = (
  lanes: ReadonlyArray<Lane>,
  open: ReadonlyArray<Place>,
  conditions: Conditions,
  dueBy: DateTime.Utc | undefined
) =>
  Effect.gen(function* () {
    const store = yield* Store
    const wanted = new Set(open.map((lane) => dirOf(lane, conditions)))
    const waiting = lanes.flatMap((lane) => {
      const shut = closed(lane, conditions)
      if (Option.isNone(shut) || shut.value._tag !== "WorkspaceInUse") return []
      const { adapterId, dir } = shut.value
      const alone = conditions.grounds.get(adapterId)?.workspace === "exclusive"
      return alone && wanted.has(dir) ? [{ key: lane.key, adapterId, dir }] : []
    })
    if (waiting.length === 0) return []
    const heads = yield* store.tasks.heads(
      waiting.map(({ key }) => key),
      dueBy
    )
    return waiting.flatMap(({ adapterId, dir, key }): ReadonlyArray<TurnOf> => {
      const head = heads.get(key)
      return head === undefined ? [] : [{ head, adapterId, dir }]
    })
  })
