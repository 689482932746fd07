import * as fs from "node:fs"
import * as path from "node:path"
import { Effect, PubSub, Queue, Schedule, type Scope, Stream } from "effect"
import type { StoreUnavailable } from "../../src/store/StoreError.ts"
import type { Sqlite } from "./Sqlite.ts"

// A write to the journal is seen before its commit is visible (EFFECT-NOTES section 11): after a sight of one the
// version is asked until it has changed, every 2 ms at first; a slow disk may take longer to make it durable.
const untilVisible = Schedule.spaced("2 millis").pipe(
  Schedule.upTo("25 millis"),
  Schedule.andThen(Schedule.spaced("10 millis").pipe(Schedule.upTo("1 second")))
)

/** Where the folder cannot be watched the version is asked so often. */
const UNWATCHED_POLL = "1 second"

/** Behind the watch, for what it may not have told. */
const SLOW_POLL = "5 seconds"

/**
 * A sight of the journal being written, several may be one element; and whether there is a watch at all. It is
 * watched from the return on.
 */
const journalWrites = (file: string) =>
  Effect.gen(function* () {
    const seen = yield* Effect.acquireRelease(Queue.sliding<void>(1), Queue.shutdown)
    const journal = `${path.basename(file)}-wal`
    const isWatched = yield* Effect.acquireRelease(
      Effect.try(() => {
        const watcher = fs.watch(path.dirname(file), (_, name) => {
          if (name === null || name === journal) seen.unsafeOffer(undefined)
        })
        watcher.on("error", () => watcher.close())
        return watcher
      }),
      (watcher) => Effect.sync(() => watcher.close())
    ).pipe(
      Effect.as(true),
      Effect.catchAll((error) =>
        Effect.as(
          Effect.logDebug(`the folder of the store cannot be watched, it is asked every second: ${error}`),
          false
        )
      )
    )
    return { seen, isWatched }
  })

/** Numbers that change with commits: with any, those of this process too, and with those of others alone. */
export interface Versions {
  readonly any: Effect.Effect<number, StoreUnavailable>
  readonly others: Effect.Effect<number, StoreUnavailable>
}

/** Whether a version is another one than when it was last looked at. */
const changing = (version: Effect.Effect<number, StoreUnavailable>) =>
  Effect.gen(function* () {
    let seen = yield* Effect.orElseSucceed(version, () => -1)
    return version.pipe(
      Effect.map((found) => {
        const isNew = found !== seen
        seen = found
        return isNew
      }),
      // A store that cannot be read just now is read by whoever was woken, who can say so.
      Effect.orElseSucceed(() => true)
    )
  })

/**
 * Runs `tell` after each commit of another process on a database file, for as long as the scope is open; several
 * may be told as one. A commit of this process, which has told of itself, only ends the looking for what was written.
 */
export const watched = (
  file: string,
  versions: Versions,
  tell: Effect.Effect<unknown>
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { isWatched, seen: written } = yield* journalWrites(file)
    const [any, others] = [yield* changing(versions.any), yield* changing(versions.others)]
    const look = Effect.tap(any, (isNew) =>
      isNew ? Effect.if(others, { onTrue: () => tell, onFalse: () => Effect.void }) : Effect.void
    )
    const soon = Effect.zipRight(
      Queue.take(written),
      Effect.repeat(look, { until: (isNew) => isNew, schedule: untilVisible })
    )
    yield* Effect.forkScoped(Effect.forever(soon))
    yield* Effect.forkScoped(Effect.schedule(look, Schedule.spaced(isWatched ? SLOW_POLL : UNWATCHED_POLL)))
  })

/** See Store.changes. Nothing is watched until somebody listens, and all who listen share one watch. */
export const changes = (sqlite: Sqlite["Type"]): Stream.Stream<void> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      const commits = yield* PubSub.subscribe(sqlite.commits)
      yield* sqlite.listening
      // The listener is in place from here on: what is read after the first element misses nothing.
      return Stream.concat(Stream.succeed<void>(undefined), Stream.fromQueue(commits))
    })
  )
