import * as fs from "node:fs"
import * as path from "node:path"
import { Effect, PubSub, Queue, Schedule, Stream } from "effect"
import type { Sqlite } from "./Sqlite.ts"

// A write to the journal is seen before its commit is visible (EFFECT-NOTES section 11): after a sight of
// one the version is asked every 2 ms until it has changed, for at most 25 ms.
const untilVisible = Schedule.spaced("2 millis").pipe(Schedule.upTo("25 millis"))

/** Behind the watch, for file systems that tell nothing. */
const SLOW_POLL = "1 second"

/** A sight of the journal being written; several may be one element. It is watched from the return on. */
const journalWrites = (file: string) =>
  Effect.gen(function* () {
    const seen = yield* Effect.acquireRelease(Queue.sliding<void>(1), Queue.shutdown)
    const journal = `${path.basename(file)}-wal`
    yield* Effect.acquireRelease(
      Effect.try(() => {
        const watcher = fs.watch(path.dirname(file), (_, name) => {
          if (name === null || name === journal) seen.unsafeOffer(undefined)
        })
        watcher.on("error", () => watcher.close())
        return watcher
      }),
      (watcher) => Effect.sync(() => watcher.close())
    ).pipe(
      Effect.catchAll((error) =>
        Effect.logDebug(`the folder of the store cannot be watched, it is asked every second: ${error}`)
      )
    )
    return seen
  })

/** See Store.changes. Nothing is watched until somebody listens. */
export const changes = (sqlite: Sqlite["Type"]): Stream.Stream<void> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      const own = yield* PubSub.subscribe(sqlite.commits)
      // The listener is in place from here on: what is read after the first element misses nothing.
      const ours = Stream.concat(Stream.succeed<void>(undefined), Stream.fromQueue(own))
      if (sqlite.path === ":memory:") return ours
      const written = yield* journalWrites(sqlite.path)
      let seen = yield* sqlite.dataVersion.pipe(Effect.orElseSucceed(() => -1))
      const changed = sqlite.dataVersion.pipe(
        Effect.map((version) => {
          const isNew = version !== seen
          seen = version
          return isNew
        }),
        // A store that cannot be read just now is read by whoever was woken, who can say so.
        Effect.orElseSucceed(() => true)
      )
      const watched = Stream.fromQueue(written).pipe(
        Stream.mapEffect(() => Effect.repeat(changed, { until: (isNew) => isNew, schedule: untilVisible }))
      )
      const polled = Stream.repeatEffectWithSchedule(changed, Schedule.spaced(SLOW_POLL)).pipe(
        Stream.filter((isNew) => isNew)
      )
      return Stream.mergeAll(
        [ours, Stream.map(watched, () => undefined), Stream.map(polled, () => undefined)],
        {
          concurrency: 3,
          bufferSize: 1
        }
      )
    })
  )
