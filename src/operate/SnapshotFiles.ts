import { Array, Effect, Either, Option } from "effect"
import { type ArtifactFailed, ArtifactStore, type PathRefused } from "../artifact/ArtifactStore.ts"
import { isAbsolute, join, normalise } from "../artifact/FilePath.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { abridged, quoted } from "../domain/Abridged.ts"
import type { JsonObject } from "../domain/Json.ts"
import { ofSnapshotName, type SnapshotFile } from "../domain/Snapshot.ts"
import { traced } from "../domain/Traced.ts"
import { isSnapshot, recorded } from "./RecordedSnapshot.ts"
import { Refusal } from "./Refusal.ts"

/** The folder of snapshots below the artifact root. */
export const FOLDER = "snapshots"

/** No snapshot of ours comes near it; a file beyond is not read. */
const MOST_BYTES = 64 * 1024 * 1024

/** Files of the folder that are looked at, the last by name. */
const MOST_FILES = 1_000

const NOT_FOUND = "snapshot_not_found"
const UNREADABLE = "snapshot_unreadable"

/** The file of a name below the folder of snapshots. */
export const fileOf = (name: string): SnapshotFile => ({
  name,
  path: `${FOLDER}/${name}`,
  ...ofSnapshotName(name)
})

/** Of a file whose beginning is a snapshot's no more is read to list it. */
const BEGINNING = 4_096
const BEGINS = /^\s*\{\s*"captured_at"\s*:\s*"/

/** Files of the folder by what they are called, newest first, at most 1,000; what has no time in its name comes last. */
const named = Effect.gen(function* () {
  const artifacts = yield* ArtifactStore
  const { paths } = yield* artifacts
    .files(FOLDER, { most: MOST_FILES, descending: true, leaveOut: [] })
    .pipe(Effect.mapError(unusable))
  const files = paths
    .filter((path) => path.startsWith(`${FOLDER}/`) && path.endsWith(".json"))
    .map((path) => fileOf(path.slice(FOLDER.length + 1)))
  const [dated, others] = Array.partition(files, ({ capturedAt }) => Option.isNone(capturedAt))
  return [...dated, ...others]
})

/** Whether the file of a path is a snapshot; one that cannot be read is told when it is asked for. */
const holdsSnapshot = (path: string) =>
  Effect.gen(function* () {
    const artifacts = yield* ArtifactStore
    const beginning = Option.getOrElse(yield* artifacts.read(path, BEGINNING), () => "")
    const isShort = new TextEncoder().encode(beginning).length < BEGINNING
    if (!isShort && BEGINS.test(beginning)) return true
    const text = isShort ? Option.some(beginning) : yield* artifacts.read(path, MOST_BYTES)
    return Option.exists(Option.flatMap(text, objectIn), isSnapshot)
  }).pipe(Effect.orElseSucceed(() => true))

/** The snapshots, newest first, of at most 1,000 files; what has no time in its name comes last. */
export const newest = traced("Snapshots.newest")(function* () {
  return yield* Effect.filter(yield* named, ({ path }) => holdsSnapshot(path))
})

/** A snapshot that was read, with its file. */
interface Loaded {
  readonly file: SnapshotFile
  readonly snapshot: JsonObject
}

/** The two newest snapshots, or as many as there are, newest first; and the files that were passed over for them. */
export const newestTwo = traced("Snapshots.newestTwo")(function* () {
  const found: Array<Loaded> = []
  const passedOver: Array<string> = []
  for (const { name } of yield* named) {
    if (found.length === 2) break
    const read = yield* Effect.either(load(name))
    if (Either.isRight(read)) found.push(read.right)
    else if (read.left.code === UNREADABLE) passedOver.push(name)
    // One that was removed meanwhile is not there.
    else if (read.left.code !== NOT_FOUND) return yield* read.left
  }
  return { found, passedOver }
})

/** What the disk refused, as an answer. */
export const unusable = (error: PathRefused | ArtifactFailed): Refusal =>
  new Refusal({
    code: "snapshots_unusable",
    message:
      error._tag === "PathRefused"
        ? `the folder of snapshots cannot be used: it ${error.why}`
        : `the folder of snapshots cannot be used (${error.reason})`,
    hint: "check the rights and the room of the artifact folder"
  })

const refused = (given: string, why: string) =>
  new Refusal({
    code: "snapshot_path_refused",
    message: `snapshot ${quoted(given)} ${why}`,
    hint: "name a file below the folder of snapshots",
    exitCode: 2
  })

/** The name that a caller's path means: one below the folder of snapshots, or a way that leads to it. */
const nameOf = (given: string, artifactDir: string, root: string): Either.Either<string, Refusal> => {
  if (given.split("/").includes("..")) return Either.left(refused(given, "leads upwards with .."))
  const plain = normalise(given)
  // The way to the folder, as it may be written from a folder above it.
  const ways = isAbsolute(plain)
    ? [root, artifactDir].map((one) => `${normalise(one)}/${FOLDER}/`)
    : [FOLDER, ...endsOf(artifactDir).map((end) => `${end}/${FOLDER}`)].map((one) => `${one}/`)
  const way = ways.find((one) => plain.startsWith(one))
  if (way === undefined && isAbsolute(plain))
    return Either.left(refused(given, "lies outside the folder of snapshots"))
  const name = plain.slice(way?.length ?? 0)
  if (name === "" || name.includes("\0")) return Either.left(refused(given, "is the name of no file"))
  return Either.right(name.endsWith(".json") ? name : `${name}.json`)
}

/** `/a/b/c`: `c`, `b/c`, `a/b/c`. */
const endsOf = (path: string): ReadonlyArray<string> => {
  const parts = normalise(path)
    .split("/")
    .filter((part) => part !== "")
  return parts.map((_, at) => parts.slice(parts.length - at - 1).join("/"))
}

/** Reads a snapshot that a caller named; what is no file of the folder itself is refused. */
export const load = traced("Snapshots.load")(function* (given: string) {
  const artifacts = yield* ArtifactStore
  const { artifactDir } = yield* RuntimeConfig
  const file = fileOf(yield* nameOf(given, artifactDir, artifacts.root))
  const { name, path } = file
  const real = yield* artifacts.resolve(path).pipe(Effect.mapError((error) => notRead(given, error)))
  if (real !== join(artifacts.root, path)) return yield* refused(given, "leads through a symlink")
  const seen = yield* artifacts.observe(path).pipe(Effect.mapError((error) => notRead(given, error)))
  if (Option.isNone(seen) || seen.value.kind !== "file")
    return yield* new Refusal({
      code: NOT_FOUND,
      message: `there is no snapshot ${abridged(name)}`,
      hint: "agent-runtime snapshot makes one and names it"
    })
  if (seen.value.size > MOST_BYTES) return yield* unreadable(name, "it is larger than 64 MiB")
  const text = yield* artifacts.read(path, MOST_BYTES).pipe(Effect.mapError((error) => notRead(given, error)))
  const snapshot = objectIn(Option.getOrElse(text, () => ""))
  if (Option.isNone(snapshot)) return yield* unreadable(name, "it holds no JSON object")
  if (!isSnapshot(snapshot.value)) return yield* unreadable(name, "it holds nothing that a snapshot tells")
  return { file: dated(file, snapshot.value), snapshot: snapshot.value } satisfies Loaded
})

const dated = (file: SnapshotFile, snapshot: JsonObject): SnapshotFile => ({
  ...file,
  capturedAt: Option.orElse(file.capturedAt, () => recorded(snapshot).capturedAt)
})

const unreadable = (name: string, why: string) =>
  new Refusal({
    code: UNREADABLE,
    message: `snapshot ${name} cannot be read: ${why}`,
    hint: "agent-runtime snapshot makes one; remove the file, or name another"
  })

const notRead = (given: string, error: PathRefused | ArtifactFailed): Refusal =>
  error._tag === "PathRefused" ? refused(given, error.why) : unusable(error)

const objectIn = (text: string): Option.Option<JsonObject> =>
  Option.filter(
    Option.liftThrowable((source: string): unknown => JSON.parse(source))(text),
    (value): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value)
  )
