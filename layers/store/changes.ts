import * as fs from "node:fs"
import * as path from "node:path"
import { Effect, Schedule, type Scope, Stream } from "effect"
import { commitsOf } from "../../src/store/Commits.ts"
import type { Sqlite } from "./Sqlite.ts"

// A write to the journal is seen before its commit is visible (EFFECT-NOTES section 11): after a sight of one the
// version is asked until it has changed, every 2 ms at first; a slow disk may take longer to make it durable.
const OFTEN = { every: 2, for: 25 }
const SELDOM = { every: 10, for: 1_000 }

// Bun does not tell of a write within 2 ms of one that it told of (1.4.5, seen by running: of 40 writes 0.5 ms apart
// it told of 11, and not of the last): after each change it is asked for those that follow at once.
const FOLLOWING = { every: 5, for: 10 }

/** Where the folder cannot be watched the version is asked so often. */
const UNWATCHED_POLL = "1 second"

/** Behind the watch, for what it may not have told. */
const SLOW_POLL = "5 seconds"

/** Runs `seen` when the journal is written, for the scope; whether there is a watch at all. */
const journalWrites = (file: string, seen: () => void): Effect.Effect<boolean, never, Scope.Scope> => {
  const journal = `${path.basename(file)}-wal`
  return Effect.acquireRelease(
    Effect.try(() => {
      const watcher = fs.watch(path.dirname(file), (_, name) => {
        if (name === null || name === journal) seen()
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
}

/** Numbers that change with commits: with any, those of this process too, and with those of others alone. */
export interface Versions {
  readonly any: () => number
  readonly others: () => number
}

/** Whether a version is another one than when it was last looked at. */
const changing = (version: () => number): (() => boolean) => {
  const read = (): number => {
    try {
      return version()
    } catch {
      // A store that cannot be read just now is read by whoever is woken, who can say so.
      return Number.NaN
    }
  }
  let seen = read()
  return () => {
    const found = read()
    // Of one that cannot be read it is told once.
    const isNew = !Object.is(found, seen)
    seen = found
    return isNew
  }
}

/** Looks until what was written is visible, then for what follows; what is written meanwhile is looked for after that. */
const makeLooking = (look: () => boolean, now: () => number) => {
  let timer: NodeJS.Timeout | undefined
  let since = 0
  let isSought = false
  let again = false
  const round = (): void => {
    if (look()) {
      since = now()
      isSought = again
      again = false
    }
    const waited = now() - since
    const pace = !isSought ? FOLLOWING : waited < OFTEN.for ? OFTEN : SELDOM
    isSought &&= waited < pace.for
    if (waited < pace.for) timer = setTimeout(round, pace.every)
  }
  return {
    begin: (): void => {
      if (isSought) {
        again = true
        return
      }
      clearTimeout(timer)
      since = now()
      isSought = true
      again = false
      round()
    },
    end: (): void => clearTimeout(timer)
  }
}

/**
 * Runs `tell` after each commit of another process on a database file, for as long as the scope is open; several
 * may be told as one. A commit of this process, which has told of itself, only ends the looking for what was written.
 * `beside` is run every few seconds, so that a process that idles is woken once for both. The looks are plain functions:
 * there is one after every commit, and a fiber's steps would cost more than the rest.
 */
export const watched = (
  file: string,
  versions: Versions,
  tell: () => void,
  beside: () => void = () => undefined
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const [any, others] = [changing(versions.any), changing(versions.others)]
    const look = (): boolean => {
      const isNew = any()
      if (isNew && others()) tell()
      return isNew
    }
    const looking = yield* Effect.acquireRelease(
      Effect.map(Effect.clock, (clock) => makeLooking(look, () => clock.unsafeCurrentTimeMillis())),
      ({ end }) => Effect.sync(end)
    )
    const isWatched = yield* journalWrites(file, looking.begin)
    yield* Effect.forkScoped(
      Effect.schedule(
        Effect.sync(() => {
          beside()
          look()
        }),
        Schedule.spaced(isWatched ? SLOW_POLL : UNWATCHED_POLL)
      )
    )
  })

/** See Store.changes. */
export const changes = ({ listen }: Sqlite["Type"]): Stream.Stream<void> =>
  Stream.unwrapScoped(
    // The listener is in place from here on: what is read after the first element misses nothing.
    Effect.map(commitsOf(listen), (commits) =>
      Stream.concat(Stream.succeed<void>(undefined), Stream.fromQueue(commits))
    )
  )
