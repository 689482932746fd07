import { DateTime, Effect, Either, Option } from "effect"
import { RuntimeConfig } from "../../config/RuntimeConfig.ts"
import type { Unit } from "../../dispatch/HostFacts.ts"
import { Lock } from "../../dispatch/Lock.ts"
import type { Pause } from "../../store/Gates.ts"
import type { OpenRunner } from "../../store/Runners.ts"
import { elsewhere, outdated } from "./Configured.ts"
import { check } from "./Finding.ts"
import { lockProblems } from "./Writing.ts"

/** What the records say of the work at hand. */
export interface AtHand {
  readonly waiting: number
  readonly running: number
  readonly pause: Option.Option<Pause>
  readonly runners: ReadonlyArray<OpenRunner>
}

const isTimer = ({ name }: Unit): boolean => name.endsWith(".timer")

const counted = (count: number, verb: string): string =>
  count === 1
    ? `1 task ${verb === "wait" ? "waits" : "is running"}`
    : `${count} tasks ${verb === "wait" ? "wait" : "are running"}`

const pauseWarnings = (pause: Option.Option<Pause>): ReadonlyArray<string> =>
  Option.match(pause, {
    onNone: () => [],
    onSome: ({ actor, reason, since }) => {
      const why = Option.match(reason, { onNone: () => "", onSome: (text) => ` (${text})` })
      return [
        `dispatch is paused since ${DateTime.formatIso(since)} by ${actor.name} (${actor.surface})${why}; agent-runtime resume`
      ]
    }
  })

/** Whether somebody takes what waits: the lock, the pause, and what a dispatcher that died has left. */
export const dispatcher = ({ pause, runners, running, waiting }: AtHand, units: ReadonlyArray<Unit>) =>
  Effect.gen(function* () {
    const { lockPath } = yield* RuntimeConfig
    const unusable = yield* lockProblems
    if (unusable.length > 0) return check("dispatcher", unusable)
    const held = yield* Effect.either((yield* Lock).holder(lockPath))
    if (Either.isLeft(held))
      return check("dispatcher", [
        `the lock file ${lockPath} cannot be used: ${held.left.reason}; ${held.left.remedy}`
      ])
    const others = Option.isNone(held.right) ? yield* elsewhere(runners, units, running) : []
    const isFree = Option.isNone(held.right) && others.length === 0
    // Between two turns of a timer nobody holds the lock.
    const isTimed = units.some((unit) => isTimer(unit) && unit.active === "active")
    return check(
      "dispatcher",
      [],
      [
        ...pauseWarnings(pause),
        ...others,
        ...(Option.isSome(held.right) ? yield* outdated(held.right.value, runners, units) : []),
        ...(isFree && running > 0
          ? [
              `${counted(running, "run")} by the records, but the dispatcher is gone; agent-runtime dispatch (or run-once) takes up what it left`
            ]
          : []),
        ...(isFree && !isTimed && waiting > 0
          ? [`${counted(waiting, "wait")} and no dispatcher is running; agent-runtime dispatch`]
          : [])
      ]
    )
  })
