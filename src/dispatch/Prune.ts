import { DateTime, Duration, Effect, Option, Ref, Stream } from "effect"
import type { AuditFailed } from "../artifact/AuditFolder.ts"
import { EvidenceFiles, type Removal, type Removed } from "../artifact/EvidenceFiles.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { Worktrees } from "../context/Worktrees.ts"
import type { AttemptId } from "../domain/Ids.ts"
import { traced } from "../domain/Traced.ts"
import type { Batch, Place } from "../store/Pruning.ts"
import { Store } from "../store/Store.ts"
import type { StoreUnavailable } from "../store/StoreError.ts"
import { politely, pruneHistory } from "./PruneHistory.ts"
import { heldWorktrees, sweepUnknown } from "./PruneWorktrees.ts"

/** What a prune removed, or, as a dry run, would remove. */
export interface Pruned {
  readonly tasks: number
  readonly attempts: number
  readonly events: number
  /** Records of dispatchers that have ended. */
  readonly runners: number
  /** What became of due times of schedules. */
  readonly fates: number
  readonly bundles: number
  /** Folders of attempts. */
  readonly evidenceFolders: number
  /** Files and folders that no row names, and half-written files. */
  readonly litter: number
  /** Folders and files that no row names either, but that another database may name: they stay. */
  readonly litterLeft: number
  /** Where the first of those lie, so many as are worth naming. */
  readonly litterLeftAt: ReadonlyArray<string>
  /** Where other databases lie that keep their evidence in the same artifact root. */
  readonly sharedWith: ReadonlyArray<string>
  /** Of the files that were removed. The database keeps its size: the room in it is used again. */
  readonly bytesFreed: number
  /** Where worktrees lie that would be gone by now, but that somebody's work is in them. */
  readonly worktreesKept: ReadonlyArray<string>
  /** What could not be removed, at most 20 sentences; the next prune tries again. */
  readonly problems: ReadonlyArray<string>
}

/** What lies about without a row for so long was not left there by somebody who is still at work. */
const LITTER_AGE = "1 day"
const MOST_PROBLEMS = 20
/** So many places of what is left are named. */
const MOST_LEFT = 5
/** What is made before this is all that is ever made. */
const NEVER = DateTime.unsafeMake(8.64e15)

const nothing: Pruned = {
  tasks: 0,
  attempts: 0,
  events: 0,
  runners: 0,
  fates: 0,
  bundles: 0,
  evidenceFolders: 0,
  litter: 0,
  litterLeft: 0,
  litterLeftAt: [],
  sharedWith: [],
  bytesFreed: 0,
  worktreesKept: [],
  problems: []
}

/**
 * Applies `retention` as of a time, and sweeps what no row names and nobody has touched for a day, as far as this
 * database could know it: what was made before it stood in its place may be named by another one, and stays, and so does
 * everything where another database keeps its evidence in the same place. It goes in
 * small batches between which others write, needs little memory whatever is there, and may be interrupted or
 * die at any point: the next one goes on. What agents produced is never touched; a worktree that is kept stays until
 * an operator removes it, with the task and the evidence that tell of it.
 */
export const prune = traced("Prune.prune")(function* (
  at: DateTime.Utc,
  options: { readonly dryRun: boolean }
) {
  const { retention } = yield* RuntimeConfig
  const sum = yield* Ref.make(nothing)
  const before = (days: number) => DateTime.subtractDuration(at, Duration.days(days))
  const finishedBefore = Option.map(retention.completedDays, before)
  const endedBefore = Option.map(retention.artifactDays, before)
  const held = yield* heldWorktrees({ tasks: finishedBefore, evidence: endedBefore })
  const step = steps(sum, held.attempts, options.dryRun)
  if (Option.isSome(finishedBefore)) yield* step.tasks(finishedBefore.value)
  if (Option.isSome(endedBefore)) yield* step.evidence(endedBefore.value, finishedBefore)
  if (Option.isSome(retention.eventDays)) yield* step.history(before(retention.eventDays.value))
  yield* step.share
  const { sharedWith } = yield* Ref.get(sum)
  const since = yield* (yield* Store).maintenance.prune.since(at, options.dryRun)
  yield* step.litter({
    before: DateTime.subtractDuration(at, LITTER_AGE),
    since: sharedWith.length > 0 ? NEVER : since
  })
  yield* step.keep(held.outlived)
  return yield* Ref.get(sum)
})

const steps = (sum: Ref.Ref<Pruned>, held: ReadonlyArray<AttemptId>, dryRun: boolean) => {
  const add = (
    found: Partial<
      Record<
        Exclude<keyof Pruned, "problems" | "worktreesKept" | "litterLeft" | "litterLeftAt" | "sharedWith">,
        number
      >
    >
  ) =>
    Ref.update(sum, (before) => {
      const of = (key: keyof typeof found) => before[key] + (found[key] ?? 0)
      return {
        ...before,
        tasks: of("tasks"),
        attempts: of("attempts"),
        events: of("events"),
        runners: of("runners"),
        fates: of("fates"),
        bundles: of("bundles"),
        evidenceFolders: of("evidenceFolders"),
        litter: of("litter"),
        bytesFreed: of("bytesFreed")
      }
    })

  /** One folder that cannot be removed does not keep the others. */
  const onDisk = <R>(
    removal: Effect.Effect<Removed, AuditFailed, R>,
    as: "evidenceFolders" | "litter" | undefined
  ) =>
    Effect.matchEffect(removal, {
      onSuccess: ({ bytes, entries, older }) => {
        if (older !== undefined) return leave(older)
        return entries === 0
          ? Effect.void
          : add({ bytesFreed: bytes, ...(as === undefined ? {} : { [as]: entries }) })
      },
      onFailure: ({ path, reason }) => note(`${path} could not be removed: ${reason}`)
    })

  const leave = (path: string) =>
    Ref.update(sum, (before) => ({
      ...before,
      litterLeft: before.litterLeft + 1,
      litterLeftAt: [...before.litterLeftAt, path].slice(0, MOST_LEFT)
    }))

  const note = (problem: string) =>
    Effect.zipRight(
      Effect.logWarning(problem),
      Ref.update(sum, (before) => ({
        ...before,
        problems: [...before.problems, problem].slice(0, MOST_PROBLEMS)
      }))
    )

  const keep = (paths: ReadonlyArray<string>) =>
    Ref.update(sum, (before) => ({ ...before, worktreesKept: [...before.worktreesKept, ...paths] }))

  const share = Effect.flatMap(EvidenceFiles, ({ noteDatabase, otherDatabases }) =>
    Effect.matchEffect(dryRun ? otherDatabases : Effect.zipRight(noteDatabase, otherDatabases), {
      onSuccess: (sharedWith) => Ref.update(sum, (before) => ({ ...before, sharedWith })),
      // Who cannot be asked may be there.
      onFailure: ({ path, reason }) =>
        Effect.zipRight(
          note(`${path} could not be read: ${reason}`),
          Ref.update(sum, (before) => ({ ...before, sharedWith: [path] }))
        )
    })
  )

  /** Walks through a table, batch by batch; the files of a batch go when its rows are gone. */
  const walk = <E, R>(of: (after: Place) => Effect.Effect<Batch, E, R>) =>
    Effect.gen(function* () {
      const files = yield* EvidenceFiles
      const worktrees = yield* Worktrees
      let place: Place = Option.none()
      do {
        const batch: Batch = yield* politely(dryRun, of(place))
        yield* add({ tasks: batch.tasks, attempts: batch.attempts, bundles: batch.bundles })
        for (const attempt of batch.evidence)
          yield* onDisk(files.removeAttempt(attempt, { dryRun }), "evidenceFolders")
        // What is left of worktrees that are gone; of those that are there nothing is in a batch.
        if (batch.tasks > 0)
          for (const { attemptId } of batch.evidence)
            yield* Effect.flatMap(worktrees.remove(attemptId, { dryRun }), ({ bytes }) =>
              add({ bytesFreed: bytes })
            )
        for (const path of batch.bundlePaths) yield* onDisk(files.removeBundle(path, { dryRun }), undefined)
        if (batch.tasks > 0)
          for (const taskId of new Set(batch.evidence.map((one) => one.taskId)))
            yield* onDisk(files.removeTask(taskId, { dryRun }), undefined)
        place = batch.next
      } while (Option.isSome(place))
    })

  return {
    tasks: (finishedBefore: DateTime.Utc) =>
      Effect.flatMap(Store, ({ maintenance }) =>
        walk((after) => maintenance.prune.tasks({ finishedBefore, held }, after, dryRun))
      ),
    evidence: (endedBefore: DateTime.Utc, finishedBefore: Option.Option<DateTime.Utc>) =>
      Effect.flatMap(Store, ({ maintenance }) =>
        walk((after) =>
          maintenance.prune.evidence(
            { endedBefore, finishedBefore: dryRun ? finishedBefore : Option.none(), held },
            after,
            dryRun
          )
        )
      ),
    history: (before: DateTime.Utc) => Effect.flatMap(pruneHistory(before, dryRun), add),
    litter: (age: LitterAge) =>
      Effect.gen(function* () {
        yield* litter(onDisk, note, new Set(held), { ...age, dryRun })
        const { older, outlived, ...removed } = yield* sweepUnknown({ ...age, dryRun })
        yield* add(removed)
        yield* Effect.forEach(older, leave, { discard: true })
        yield* keep(outlived)
      }),
    keep,
    share
  }
}

/** What no row names is litter when it was made at `since` or later, and not touched at `before` or later. */
interface LitterAge {
  readonly before: DateTime.Utc
  readonly since: DateTime.Utc
}

type OnDisk = <R>(
  removal: Effect.Effect<Removed, AuditFailed, R>,
  as: "evidenceFolders" | "litter" | undefined
) => Effect.Effect<void, never, R>

/** What no row names; a folder or file is younger than its row only while somebody is at work. */
const litter = (
  onDisk: OnDisk,
  note: (problem: string) => Effect.Effect<void>,
  held: ReadonlySet<AttemptId>,
  removal: Removal
) =>
  Effect.gen(function* () {
    const files = yield* EvidenceFiles
    const { known } = (yield* Store).maintenance.prune
    const swept = <A>(
      found: Stream.Stream<ReadonlyArray<A>, AuditFailed>,
      table: "attempts" | "tasks" | "bundles",
      idOf: (one: A) => string,
      remove: (one: A) => Effect.Effect<Removed, AuditFailed>
    ) =>
      Stream.runForEach(found, (piece) =>
        Effect.gen(function* () {
          const there = yield* known(table, piece.map(idOf))
          for (const one of piece) if (!there.has(idOf(one))) yield* onDisk(remove(one), "litter")
        })
      ).pipe(
        Effect.catchTag("AuditFailed", ({ path, reason }) => note(`${path} could not be read: ${reason}`))
      )
    // First, or it would find what was emptied below, and a dry run would not.
    yield* swept(
      files.tasks,
      "tasks",
      (id) => id,
      (id) => files.removeTask(id, removal)
    )
    // What tells of a worktree that is there stays with it, however long nobody has touched it.
    const staying = { ...removal, before: DateTime.unsafeMake(0) }
    yield* swept(
      files.attempts,
      "attempts",
      ({ attemptId }) => attemptId,
      (one) => files.removeAttempt(one, held.has(one.attemptId) ? staying : removal)
    )
    yield* swept(
      files.bundles,
      "bundles",
      ({ bundleId }) => bundleId,
      ({ path }) => files.removeBundle(path, removal)
    )
    yield* onDisk(files.removeUnfinished(removal), "litter")
  }) satisfies Effect.Effect<void, StoreUnavailable, Store | EvidenceFiles>
