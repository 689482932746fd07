import { DateTime, Effect, Option } from "effect"
import { HostFacts, type InstalledUnit, type Unit } from "../../dispatch/HostFacts.ts"
import { now } from "../../domain/Time.ts"
import type { Store } from "../../store/Store.ts"
import { StoreProbe } from "../../store/StoreProbe.ts"
import { type AtHand, dispatcher } from "./Dispatching.ts"
import { type Check, check, systemctl } from "./Finding.ts"
import { listening } from "./Listening.ts"
import { permissions } from "./Permissions.ts"
import { doubled, type Produced } from "./Producers.ts"

/** What the records say, read in one opening of the store. */
interface Recorded extends AtHand {
  readonly newest: Option.Option<DateTime.Utc>
  /** When the task with the latest time was made: after a clock was set back, no longer the newest one. */
  readonly latest: Option.Option<DateTime.Utc>
  readonly produced: ReadonlyArray<Produced>
}

const TASKS_OF_A_KIND = 50
const LATEST = [
  { status: [], kind: Option.none(), source: Option.none() },
  { limit: 1, after: Option.none() },
  "none"
] as const
const MOST_SCHEDULES = 200

const recorded = (store: Store["Type"]) =>
  Effect.gen(function* () {
    const newest = (yield* store.events.newest(1))[0]
    const latest = yield* store.tasks.list(...LATEST)
    const counts = yield* store.tasks.counts
    const schedules = (yield* store.schedules.list).filter(({ enabled }) => enabled).slice(0, MOST_SCHEDULES)
    const produced = yield* Effect.forEach(schedules, (schedule) => {
      const kind = String(schedule.task.kind)
      const filter = { status: [], kind: Option.some(kind), source: Option.none() }
      return Effect.map(
        store.tasks.list(filter, { limit: TASKS_OF_A_KIND, after: Option.none() }, "none"),
        (page): Produced => ({
          schedule,
          kind,
          tasks: Option.match(page, { onNone: () => [], onSome: ({ tasks }) => tasks })
        })
      )
    })
    return {
      newest: Option.map(Option.fromNullable(newest), ({ createdAt }) => createdAt),
      latest: Option.flatMap(latest, ({ tasks }) =>
        Option.map(Option.fromNullable(tasks[0]), ({ createdAt }) => createdAt)
      ),
      waiting: counts.pending + counts.retryable_failure,
      running: counts.running,
      pause: yield* store.gates.pause,
      runners: yield* store.runners.open,
      produced
    } satisfies Recorded
  })

const unknown: Recorded = {
  newest: Option.none(),
  latest: Option.none(),
  waiting: 0,
  running: 0,
  pause: Option.none(),
  runners: [],
  produced: []
}

// Clocks of a host are steered by less than the first; by the second, work that is due waits.
const BEHIND_IS_NOTHING_SECONDS = 2
const BEHIND_IS_WRONG_SECONDS = 60

const SET_CLOCK = "timedatectl set-ntp true"

const secondsAhead = (time: Option.Option<DateTime.Utc>, at: DateTime.Utc): number =>
  Option.match(time, { onNone: () => 0, onSome: (one) => Math.floor(DateTime.distance(at, one) / 1000) })

const clock = ({ latest, newest }: Recorded) =>
  Effect.gen(function* () {
    const at = yield* now
    const kept = yield* (yield* HostFacts).clockIsKept
    const behind = secondsAhead(newest, at)
    const setBack = behind > BEHIND_IS_NOTHING_SECONDS ? 0 : secondsAhead(latest, at)
    const sentence = `the clock (${DateTime.formatIso(at)}) is ${behind} s behind the newest record; set it right: ${SET_CLOCK}`
    return check("clock", behind > BEHIND_IS_WRONG_SECONDS ? [sentence] : [], [
      ...(behind > BEHIND_IS_NOTHING_SECONDS && behind <= BEHIND_IS_WRONG_SECONDS ? [sentence] : []),
      ...(setBack > BEHIND_IS_WRONG_SECONDS
        ? [
            `the clock (${DateTime.formatIso(at)}) was set back: a task was made ${setBack} s ahead of it, and what was put off by the clock of then (delayed tasks, retries, rate limits, cool-downs) waits as much longer; agent-runtime task-list --status pending,retryable_failure shows such tasks, and task-show ID until when one waits; if the clock is wrong now: ${SET_CLOCK}`
          ]
        : []),
      ...(Option.contains(kept, false) ? [`no time service keeps this host's clock; ${SET_CLOCK}`] : [])
    ])
  })

const unitRows = (units: ReadonlyArray<Unit>, installed: ReadonlyArray<InstalledUnit>): Check => {
  const journal = ({ manager, name }: Unit) => `journalctl ${manager === "user" ? "--user " : ""}-u ${name}`
  return check(
    "units",
    units.flatMap((unit) =>
      unit.load !== "loaded" && unit.load !== "not-found"
        ? [
            `${unit.name} cannot be loaded (${unit.load}); ${systemctl(unit)} daemon-reload, and see ${journal(unit)}`
          ]
        : unit.active === "failed"
          ? [
              `${unit.name} has failed; see ${journal(unit)}, then: ${systemctl(unit)} reset-failed ${unit.name} && ${systemctl(unit)} start ${unit.name}`
            ]
          : []
    ),
    [
      ...units.flatMap((unit) =>
        unit.sub === "auto-restart"
          ? [`${unit.name} is being started again and again; see ${journal(unit)}`]
          : []
      ),
      ...installed.flatMap(({ isThere, path, program }) =>
        isThere
          ? []
          : [
              `${path} starts ${program}, which this user cannot run; agent-runtime install-units --force --program PATH`
            ]
      )
    ]
  )
}

/** The checks of the host and of the records, each finding with what mends it. */
export const checks = Effect.gen(function* () {
  const probe = yield* StoreProbe
  const facts = yield* HostFacts
  const units = yield* facts.units
  // That the store cannot be opened is told in its own row.
  const records = yield* Effect.orElseSucceed(probe.look(recorded), () => unknown)
  return [
    yield* permissions,
    yield* clock(records),
    yield* dispatcher(records, units),
    unitRows(units, yield* facts.installed),
    check("producers", [], doubled(records.produced, yield* now)),
    yield* listening
  ]
})
