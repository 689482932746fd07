import { DateTime, Effect, Layer, Option, Schema, Stream } from "effect"
import type { AuditFailed } from "../../src/artifact/AuditFolder.ts"
import { EvidenceFiles, type Removal, type Removed } from "../../src/artifact/EvidenceFiles.ts"
import { AttemptId, TaskId, timeOfId } from "../../src/domain/Ids.ts"
import { traced } from "../../src/domain/Traced.ts"
import { auditSegments, auditTaskSegment } from "./AuditPath.ts"
import { failed } from "./AuditPlace.ts"
import { type EvidencePlaces, noteDatabase, otherDatabases } from "./Databases.ts"
import { bytesIn, isEmpty, namesIn, removeEmpty, removeTree, seenIn, within } from "./Removing.ts"
import { isYoung, NOTHING, removeOne, removeUnfinished, type UnfinishedPlaces } from "./Unfinished.ts"

const PIECE = 500
const RUNS = "adapter-runs"
const BUNDLES = "bundles"

const DAY = /^\d{4}-\d{2}-\d{2}$/
const BUNDLE_FILE = /^(.{1,200}?)(\.prompt\.txt|\.json)$/

/** Whether what bears this id was made before `since`: a clock that jumped, or a copy, may have one of both wrong. */
const isOlder = (id: string, mtimeMs: number, { since }: Removal): boolean =>
  since !== undefined &&
  (mtimeMs < DateTime.toEpochMillis(since) ||
    Option.exists(timeOfId(id), (made) => DateTime.lessThan(made, since)))

/** Nothing was removed of what is older than `since`. */
const leftAt = (...names: ReadonlyArray<string>): Removed => ({ ...NOTHING, older: names.join("/") })

const taskOf = (name: string): Option.Option<TaskId> =>
  Option.filter(
    Option.flatMap(decoded(name), Schema.decodeUnknownOption(TaskId)),
    (id) => auditTaskSegment(id) === name
  )

const attemptOf = (taskId: TaskId, name: string): Option.Option<AttemptId> =>
  Option.filter(
    Option.flatMap(decoded(name), Schema.decodeUnknownOption(AttemptId)),
    (id) => auditSegments(taskId, id).at(-1) === name
  )

const decoded = (name: string): Option.Option<string> => {
  try {
    return Option.some(decodeURIComponent(name))
  } catch {
    return Option.none()
  }
}

async function* tasksOn(root: string): AsyncGenerator<TaskId> {
  for await (const name of namesIn(root, [RUNS], "folders")) yield* Option.toArray(taskOf(name))
}

async function* attemptsOn(root: string) {
  for await (const taskId of tasksOn(root))
    for await (const name of namesIn(root, [RUNS, auditTaskSegment(taskId)], "folders"))
      for (const attemptId of Option.toArray(attemptOf(taskId, name))) yield { taskId, attemptId }
}

async function* bundlesOn(root: string) {
  for await (const day of namesIn(root, [BUNDLES], "folders")) {
    if (!DAY.test(day)) continue
    for await (const name of namesIn(root, [BUNDLES, day], "files")) {
      const bundleId = BUNDLE_FILE.exec(name)?.[1]
      if (bundleId !== undefined) yield { bundleId, path: `${BUNDLES}/${day}/${name}` }
    }
  }
}

const make = (places: EvidencePlaces & UnfinishedPlaces): typeof EvidenceFiles.Service => {
  const { artifactDir } = places
  const asking = <A>(path: string, ask: () => Promise<A>): Effect.Effect<A, AuditFailed> =>
    Effect.tryPromise({ try: ask, catch: (cause) => failed(`${artifactDir}/${path}`, cause) })
  const pieces = <A>(path: string, all: () => AsyncGenerator<A>) =>
    Stream.suspend(() =>
      Stream.fromAsyncIterable(all(), (cause) => failed(`${artifactDir}/${path}`, cause))
    ).pipe(
      Stream.grouped(PIECE),
      Stream.map((piece) => [...piece])
    )
  return {
    removeAttempt: traced("EvidenceFiles.removeAttempt")(({ attemptId, taskId }, removal) => {
      const names = auditSegments(taskId, attemptId)
      const name = names.at(-1)!
      return Effect.uninterruptible(
        asking(names.join("/"), async () => {
          const removed = await within(artifactDir, names.slice(0, -1), async (folder) => {
            const found = seenIn(folder, name)
            if (found?.isDirectory() !== true) return NOTHING
            if (isOlder(attemptId, found.mtimeMs, removal)) return leftAt(artifactDir, ...names)
            if (isYoung(found.mtimeMs, removal)) return NOTHING
            const bytes = await (removal.dryRun ? bytesIn(folder, name) : removeTree(folder, name))
            return bytes === undefined ? NOTHING : { entries: 1, bytes }
          })
          return removed ?? NOTHING
        })
      )
    }),
    removeBundle: traced("EvidenceFiles.removeBundle")((path, removal) => {
      const [top = "", day = "", name = "", ...deeper] = path.split("/")
      const bundleId = BUNDLE_FILE.exec(name)?.[1]
      if (top !== BUNDLES || !DAY.test(day) || bundleId === undefined || deeper.length > 0)
        return Effect.succeed(NOTHING)
      return Effect.uninterruptible(
        asking(path, async () => {
          const removed = await within(artifactDir, [BUNDLES, day], (folder) => {
            const found = seenIn(folder, name)
            return found?.isFile() === true && isOlder(bundleId, found.mtimeMs, removal)
              ? leftAt(artifactDir, path)
              : removeOne(folder, name, removal)
          })
          return removed ?? NOTHING
        })
      )
    }),
    removeTask: traced("EvidenceFiles.removeTask")((taskId, removal) =>
      asking(`${RUNS}/${auditTaskSegment(taskId)}`, async () => {
        const gone = await within(artifactDir, [RUNS], async (folder) => {
          const name = auditTaskSegment(taskId)
          const found = seenIn(folder, name)
          if (found?.isDirectory() !== true) return false
          if (isOlder(taskId, found.mtimeMs, removal) || isYoung(found.mtimeMs, removal)) return false
          return removal.dryRun ? isEmpty(folder, name) : removeEmpty(folder, name)
        })
        return gone === true ? { entries: 1, bytes: 0 } : NOTHING
      })
    ),
    noteDatabase: Effect.sync(() => noteDatabase(places)),
    otherDatabases: asking("", async () => otherDatabases(places)),
    attempts: pieces(RUNS, () => attemptsOn(artifactDir)),
    tasks: pieces(RUNS, () => tasksOn(artifactDir)),
    bundles: pieces(BUNDLES, () => bundlesOn(artifactDir)),
    removeUnfinished: traced("EvidenceFiles.removeUnfinished")((removal) =>
      asking("", () => removeUnfinished(places, removal))
    )
  }
}

/** Evidence on disk below the artifact root. */
export const layer = (places: EvidencePlaces & UnfinishedPlaces): Layer.Layer<EvidenceFiles> =>
  Layer.succeed(EvidenceFiles, make(places))
