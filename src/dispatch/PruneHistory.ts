import { type DateTime, Effect, Option } from "effect"
import { EventId } from "../domain/Ids.ts"
import { steadyMillis } from "../domain/Time.ts"
import type { Place } from "../store/Pruning.ts"
import { Store } from "../store/Store.ts"

/** Between two transactions others get as long as the last one took, and never less than this. */
const SHORTEST_PAUSE_MS = 5

/** Runs a transaction and then leaves the database to others for as long. */
export const politely = <A, E, R>(dryRun: boolean, batch: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const began = steadyMillis(clock)
    const done = yield* batch
    const took = steadyMillis(clock) - began
    // Reads hold nobody up, but the fibers of this process.
    yield* dryRun ? Effect.yieldNow() : Effect.sleep(Math.max(SHORTEST_PAUSE_MS, took))
    return done
  })

/** Removes in batches what only tells of what was before a time: events, runners that have ended, fates of due times. */
export const pruneHistory = (before: DateTime.Utc, dryRun: boolean) =>
  Effect.gen(function* () {
    const events = yield* eventsBefore(before, dryRun)
    const runners = yield* pastBefore("runners", before, dryRun)
    const fates = yield* pastBefore("schedule_fates", before, dryRun)
    return { events, runners, fates }
  })

const eventsBefore = (before: DateTime.Utc, dryRun: boolean) =>
  Effect.gen(function* () {
    const { prune } = (yield* Store).maintenance
    let count = 0
    let last: Option.Option<EventId> = Option.some(EventId.make(0))
    while (Option.isSome(last)) {
      const batch: { readonly count: number; readonly last: Option.Option<EventId> } = yield* politely(
        dryRun,
        prune.events(before, last.value, dryRun)
      )
      count += batch.count
      last = batch.last
    }
    return count
  })

const pastBefore = (table: "runners" | "schedule_fates", before: DateTime.Utc, dryRun: boolean) =>
  Effect.gen(function* () {
    const { prune } = (yield* Store).maintenance
    let count = 0
    let place: Place = Option.none()
    do {
      const batch: { readonly count: number; readonly next: Place } = yield* politely(
        dryRun,
        prune.past(table, before, place, dryRun)
      )
      count += batch.count
      place = batch.next
    } while (Option.isSome(place))
    return count
  })
