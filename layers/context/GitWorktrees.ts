import { closeSync, constants, existsSync, openSync, rmdirSync, statSync } from "node:fs"
import { basename, dirname } from "node:path"
import { DateTime, Effect, Layer, Option, Schedule } from "effect"
import { RuntimeConfig, type Settings } from "../../src/config/RuntimeConfig.ts"
import {
  type ListedWorktree,
  untoldChanges,
  type Worktree,
  WorktreeRefused,
  Worktrees,
  type WorktreeWanted
} from "../../src/context/Worktrees.ts"
import { AttemptId } from "../../src/domain/Ids.ts"
import { now } from "../../src/domain/Time.ts"
import { traced } from "../../src/domain/Traced.ts"
import { MARKER } from "../adapter/Brand.ts"
import { configuredSecrets, type Masking } from "../adapter/ConfiguredSecrets.ts"
import { bytesIn, removeTree } from "../artifact/Removing.ts"
import { readPlainText } from "../config/PlainFile.ts"
import { type GitFailed, type GitOptions, lacksRoom } from "./Git.ts"
import { baseOf, checkOut, hasFolder, lyingOf, makeAside, register } from "./WorktreeCheckout.ts"
import { changesOf, untold } from "./WorktreeDiff.ts"
import { inodeOf, isThere, standingOf } from "./WorktreeFolder.ts"
import { goneChanges } from "./WorktreeGone.ts"
import {
  makePlace,
  placeOf,
  placesIn,
  readRecord,
  type WorktreePlace,
  type WorktreeRecord,
  writeRecord
} from "./WorktreeRecord.ts"

/** Large repositories take their time to be written and compared. */
const GIT_TIMEOUT_MS = 300_000
/** All that is asked of git about one: what an agent left in its way, a pipe for an attributes file, may stop each call. */
const MOST_LOOKING_MS = 120_000

/** Worktrees of the `git` on PATH, below the state folder of the configuration. */
export const layer: Layer.Layer<Worktrees, never, RuntimeConfig> = Layer.effect(
  Worktrees,
  Effect.gen(function* () {
    const settings = yield* RuntimeConfig
    const host = { ...process.env }
    const path = host.PATH ?? "/usr/bin:/bin"
    return make(
      settings,
      { command: "git", timeoutMs: GIT_TIMEOUT_MS, path },
      yield* configuredSecrets(settings, host)
    )
  })
)

/** The same with a git of one's own choice, and secrets of one's own. */
export const make = (
  { stateDir }: Pick<Settings, "stateDir">,
  options: GitOptions,
  masking: Masking
): Worktrees["Type"] => ({
  make: traced("Worktrees.make")((wanted) => made(stateDir, markedFor(options, wanted.attemptId), wanted)),
  changes: traced("Worktrees.changes")(function* (attemptId) {
    const place = placeOf(stateDir, attemptId)
    const record = readRecord(place)
    if (Option.isNone(record)) return isThere(place.path) ? Option.some(unrecorded(place)) : Option.none()
    if (!LOOKED_AT.includes(record.value.state)) return Option.none()
    const redactor = yield* masking([])
    const most = Math.min(options.timeoutMs, MOST_LOOKING_MS)
    const marked = markedFor(options, attemptId)
    const looked =
      standingOf(place, record.value) === "there"
        ? Effect.asSome(changesOf(marked, place, record.value, redactor))
        : goneChanges(marked, place, record.value, redactor)
    return yield* looked.pipe(
      Effect.timeoutTo({
        duration: most,
        onSuccess: (changes) => changes,
        onTimeout: () =>
          Option.some(untold(place.path, record.value, `git did not tell within ${most} ms`, redactor))
      })
    )
  }),
  keep: traced("Worktrees.keep")((attemptId) => kept(placeOf(stateDir, attemptId))),
  remove: traced("Worktrees.remove")((attemptId, { dryRun } = { dryRun: false }) =>
    dryRun ? measured(placeOf(stateDir, attemptId)) : removed(placeOf(stateDir, attemptId))
  ),
  list: Effect.sync(() =>
    placesIn(stateDir)
      .flatMap((place) =>
        Option.toArray(
          Option.match(readRecord(place), {
            onNone: () => remnant(place),
            onSome: (record) => Option.some(listed(place, record))
          })
        )
      )
      .sort((a, b) => a.madeAt.epochMillis - b.madeAt.epochMillis)
  )
})

const LOOKED_AT: ReadonlyArray<WorktreeRecord["state"]> = ["ready", "kept", "gone"]

/** Of a worktree that is there and of which nothing is known any more: its agent may have written to what lies beside it. */
const unrecorded = ({ name, path }: WorktreePlace) => {
  const reason = "as its record beside it is gone or cannot be read: nobody can tell what it was made from"
  return untoldChanges(path, reason, `# worktree ${name} could not be compared with its base, ${reason}\n`)
}

/** By the mark of its attempt, what a killed dispatcher left of git is ended with the rest of the attempt. */
const markedFor = (options: GitOptions, attemptId: AttemptId): GitOptions => ({
  ...options,
  variables: { ...options.variables, [MARKER]: attemptId }
})

const listed = (place: WorktreePlace, record: WorktreeRecord): ListedWorktree => {
  const { attemptId, commonDir, madeAt, taskId } = record
  const { path } = place
  const is = stateOf(place, record)
  if (is === "spent") return { attemptId, path, madeAt, state: is }
  const told = { attemptId, taskId, path, madeAt, state: is }
  return record.state === "gone" ? { ...told, goneFrom: commonDir } : told
}

/** What lies beside a worktree that is not there, and tells nothing of it; of one that is there nothing is guessed. */
const remnant = ({ name, path, side }: WorktreePlace): Option.Option<ListedWorktree> => {
  const found = statSync(side, { throwIfNoEntry: false })
  if (found === undefined || isThere(path)) return Option.none()
  const madeAt = DateTime.unsafeMake(found.mtimeMs)
  return Option.some({ attemptId: AttemptId.make(name), path, madeAt, state: "spent" })
}

const stateOf = ({ path }: WorktreePlace, { entry, state }: WorktreeRecord): ListedWorktree["state"] => {
  if (state === "ready") return "open"
  if (state === "gone") return entry !== null && existsSync(entry) ? "kept" : "spent"
  return state === "kept" && isThere(path) ? "kept" : "spent"
}

const kept = (place: WorktreePlace) => moved(place, isThere(place.path) ? "kept" : "gone")

const made = (
  stateDir: string,
  options: GitOptions,
  { attemptId, base: wanted, dir, taskId }: WorktreeWanted
): Effect.Effect<Worktree, WorktreeRefused> =>
  Effect.gen(function* () {
    const refuse = (reason: string) => new WorktreeRefused({ reason: `${dir} ${reason}` })
    const inWords = Effect.mapError((failure: GitFailed | string) =>
      typeof failure === "string"
        ? refuse(failure)
        : new WorktreeRefused({
            reason: `${dir} cannot have a git worktree: ${failure.reason}`,
            ...(lacksRoom(failure) && failure.code !== undefined ? { lack: failure.code } : {})
          })
    )
    const { commonDir, objects, prefix } = yield* inWords(lyingOf(options, dir))
    const found = yield* baseOf(options, dir, wanted)
    if (Option.isNone(found)) return yield* refuse("is a git repository without a commit to work from")
    const base = found.value
    if (!(yield* hasFolder(options, dir, base, prefix)))
      return yield* refuse(`is not in commit ${base}: commit something in it first`)
    const madeAt = yield* now
    const place = yield* Effect.try({
      try: () => makePlace(stateDir, attemptId),
      catch: (cause) => new WorktreeRefused({ reason: `no worktree can be made: ${wordsOf(cause)}` })
    })
    const record: WorktreeRecord = {
      attemptId,
      taskId,
      state: "making",
      madeAt,
      commonDir,
      entry: null,
      inode: null,
      objects,
      base,
      prefix
    }
    const filled = Effect.gen(function* () {
      yield* onDisk(() => {
        writeRecord(place, record)
        makeAside(place, record)
      })
      const entry = yield* register(options, dir, place, record).pipe(
        Effect.tapError(() => unregistered(place, record)),
        Effect.retry(AGAIN)
      )
      const inode = Option.getOrNull(inodeOf(place))
      yield* onDisk(() => writeRecord(place, { ...record, entry, inode }))
      yield* checkOut(options, place, base, entry)
      yield* onDisk(() => writeRecord(place, { ...record, entry, inode, state: "ready" }))
    })
    yield* filled.pipe(
      inWords,
      Effect.onError(() => Effect.ignore(removed(place)))
    )
    return { path: place.path, cwd: `${place.path}/${prefix}`.replace(/\/$/, ""), base }
  })

const wordsOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

const onDisk = (write: () => void): Effect.Effect<void, string> => Effect.try({ try: write, catch: wordsOf })

// git fails when it meets the entry of another worktree that is just being made, or removed.
const AGAIN = Schedule.intersect(Schedule.exponential("50 millis"), Schedule.recurs(4))

/** Takes away what a failed registration may have left, so that the next one finds nothing in its way. */
const unregistered = (place: WorktreePlace, record: WorktreeRecord) =>
  Effect.ignore(
    Effect.zipRight(
      inFolder(place.folder, (held) => removeTree(held, place.name)),
      forgotten(place, record)
    )
  )

/** Records a worktree's state; nothing happens where there is no record. */
const moved = (place: WorktreePlace, state: WorktreeRecord["state"]): Effect.Effect<void> =>
  Effect.gen(function* () {
    const record = readRecord(place)
    if (Option.isNone(record) || record.value.state === state) return
    yield* Effect.catchAll(
      onDisk(() => writeRecord(place, { ...record.value, state })),
      (reason) => Effect.logWarning(`${place.side} could not be written: ${reason}`)
    )
  })

const measured = ({ folder, name }: WorktreePlace) =>
  inFolder(folder, (held) => bytesIn(held, name)).pipe(
    Effect.orElseSucceed(() => 0),
    Effect.map((bytes) => ({ bytes: bytes ?? 0 }))
  )

/** First the files, then the repository's entry of them, then the record that says what there is to remove. */
const removed = (place: WorktreePlace): Effect.Effect<{ readonly bytes: number }> =>
  Effect.gen(function* () {
    yield* moved(place, "removing")
    const { folder, name, side } = place
    const bytes = yield* inFolder(folder, (held) => removeTree(held, name))
    const record = readRecord(place)
    if (Option.isSome(record)) yield* forgotten(place, record.value)
    yield* inFolder(folder, (held) => removeTree(held, basename(side)))
    return { bytes: bytes ?? 0 }
  }).pipe(
    Effect.uninterruptible,
    Effect.catchAll((reason) =>
      Effect.as(Effect.logWarning(`${place.path} could not be removed: ${reason}`), { bytes: 0 })
    )
  )

const { O_DIRECTORY, O_RDONLY } = constants

const inFolder = <A>(
  folder: string,
  use: (held: number) => Promise<A>
): Effect.Effect<A | undefined, string> =>
  Effect.tryPromise({
    try: async () => {
      if (!existsSync(folder)) return undefined
      const held = openSync(folder, O_RDONLY | O_DIRECTORY)
      try {
        return await use(held)
      } finally {
        closeSync(held)
      }
    },
    catch: wordsOf
  })

/**
 * Removes the repository's entry of a worktree, as `git worktree prune` would, and of no other. Without an entry on
 * record git died before it told; then it has the name of the worktree's folder.
 */
const forgotten = ({ name, path }: WorktreePlace, { commonDir, entry }: WorktreeRecord) =>
  Effect.gen(function* () {
    const at = entry ?? `${commonDir}/worktrees/${name}`
    if (!isEntryOf(at, name, path)) return
    yield* inFolder(dirname(at), (held) => removeTree(held, basename(at)))
    yield* Effect.ignore(Effect.try(() => rmdirSync(dirname(at))))
  })

const isEntryOf = (entry: string, name: string, path: string): boolean => {
  if (basename(dirname(entry)) !== "worktrees") return false
  try {
    return readPlainText(`${entry}/gitdir`).trim() === `${path}/.git`
  } catch {
    // git died before it wrote that; it leaves the entry locked, so that its own prune would not remove it either.
    return basename(entry) === name
  }
}
