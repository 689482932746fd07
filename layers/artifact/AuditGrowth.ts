import { type FSWatcher, watch } from "node:fs"
import { Effect, Queue, Schedule, type Scope, Stream } from "effect"
import type { AuditLog } from "../../src/artifact/AuditFolder.ts"
import { codeOf } from "../SystemWord.ts"
import { inFolder, type Place } from "./AuditPlace.ts"

/** Behind the watch, for file systems that tell nothing. */
const SLOW_POLL = "1 second"

/** An agent that prints letter by letter wakes its readers fifty times a second, not for each letter. */
const GATHERED = "20 millis"

/**
 * Watches for the file in the deepest folder on the way to it that is there; run again, it goes on to a deeper
 * one that has been made since. `seen` hears of the file and of the next folder. Links are not entered.
 */
const watchFor = (
  place: Place,
  file: AuditLog,
  seen: () => void
): Effect.Effect<Effect.Effect<void>, never, Scope.Scope> => {
  const way = [...place.names, file]
  const whole = place.names.length
  let depth = -1
  let watcher: FSWatcher | undefined
  let trouble = ""
  const watchAt = (next: number): boolean => {
    try {
      // The kernel follows the descriptor to the folder that was entered, whatever stands at its path by now.
      const made = inFolder({ root: place.root, names: place.names.slice(0, next) }, false, (folder) =>
        watch(`/proc/self/fd/${folder}`, (_, name) => {
          if (name === null || name === way[next]) seen()
        })
      )
      made.on("error", () => made.close())
      watcher?.close()
      watcher = made
      depth = next
      return true
    } catch (cause) {
      trouble = codeOf(cause)
      return false
    }
  }
  const deeper = (): boolean => {
    for (let next = whole; next > depth; next--) if (watchAt(next)) return true
    return false
  }
  const deepen = Effect.suspend(() => {
    trouble = ""
    // Looked for again once a watch stands: a folder that was made in between is not missed.
    while (depth < whole && deeper()) trouble = ""
    return trouble === "" || trouble === "ENOENT"
      ? Effect.void
      : Effect.logDebug(`${place.path} cannot be watched (${trouble}), it is looked at every second`)
  })
  return Effect.acquireRelease(Effect.succeed(deepen), () => Effect.sync(() => watcher?.close()))
}

/** See Audit.growth. Nothing is watched until somebody listens. */
export const growth = (place: Place, file: AuditLog): Stream.Stream<void> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      const seen = yield* Effect.acquireRelease(Queue.sliding<void>(1), Queue.shutdown)
      const deepen = yield* watchFor(place, file, () => seen.unsafeOffer(undefined))
      const watched = Stream.mapEffect(Stream.fromQueue(seen), () => Effect.sleep(GATHERED))
      // Its first element comes at once.
      const polled = Stream.repeatEffectWithSchedule(Effect.void, Schedule.spaced(SLOW_POLL))
      return Stream.mapEffect(Stream.merge(watched, polled), () => deepen)
    })
  )
