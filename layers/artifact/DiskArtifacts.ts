import { closeSync, constants, openSync } from "node:fs"
import { chmod, copyFile, mkdir, realpath } from "node:fs/promises"
import { Effect, Either, Layer, Option } from "effect"
import { ArtifactFailed, ArtifactStore, PathRefused } from "../../src/artifact/ArtifactStore.ts"
import { ATTEMPT_FOLDERS } from "../../src/artifact/Declared.ts"
import { below, isInside, join, normalise, parent } from "../../src/artifact/FilePath.ts"
import { traced } from "../../src/domain/Traced.ts"
import { codeOf } from "../SystemWord.ts"
import { artifactPath, oldVersion, relativePath } from "./artifactPath.ts"
import {
  drop,
  isAbsent,
  liesInside,
  observeDisk,
  publish,
  reach,
  readStart,
  startFile,
  synced,
  withFile
} from "./DiskFile.ts"
import { hashFile, scanFile } from "./FilePieces.ts"
import { listEntries, listFiles } from "./Listing.ts"
import { withRoom } from "./Room.ts"
import { surveying } from "./Survey.ts"

/** Versions of one file that are kept; the next one is refused rather than looked for. */
const MOST_VERSIONS = 100_000

/**
 * The artifact root on disk, made when missing: folders 0700, files 0600. Symlinks inside the root that stay
 * inside it are followed; one that leaves it, or leads nowhere, is refused.
 */
export const layer = (folder: string): Layer.Layer<ArtifactStore, ArtifactFailed> =>
  Layer.effect(
    ArtifactStore,
    Effect.gen(function* () {
      const given = normalise(folder)
      const root = yield* attempt(given, async () => {
        await mkdir(given, { recursive: true, mode: 0o700 })
        return realpath(given)
      })
      return make(root, [root, given])
    })
  )

const make = (root: string, names: ReadonlyArray<string>) => {
  const resolve = traced("ArtifactStore.resolve")(function* (path: string) {
    const relative = yield* artifactPath(path, names)
    const reached = yield* withRoom(
      Effect.try({
        try: () => reach(join(root, relative)),
        catch: (cause) => new ArtifactFailed({ path, reason: codeOf(cause) })
      })
    ).pipe(
      Effect.mapError((failed) => {
        const why = NEVER_A_PATH[failed.reason]
        return why === undefined ? failed : new PathRefused({ path, why })
      })
    )
    if ("dangling" in reached) return yield* refuse(path, "goes through a symlink that leads nowhere")
    const real = join(reached.at, reached.missing.join("/"))
    return isInside(root, real)
      ? real
      : yield* refuse(path, "leads out of the artifact root through a symlink")
  })

  /** None when nothing is there, or what is there is not what `use` wants. */
  const look = <A>(path: string, use: (real: string, signal: AbortSignal) => Promise<A | undefined>) =>
    resolve(path).pipe(
      Effect.flatMap((real) => attempt(path, (signal) => use(real, signal))),
      Effect.map(Option.fromNullable),
      Effect.catchIf(
        (error) => error._tag === "ArtifactFailed" && isAbsent(error.reason),
        () => Effect.succeedNone
      )
    )

  const begin = traced("ArtifactStore.begin")(function* (path: string, text: string) {
    const real = yield* resolve(path)
    if (real === root) return yield* refuse(path, "is the artifact root itself, not a file in it")
    const first = replace(root, real, text)
    // Whoever waits for it hears of a fault; until then it is nobody's.
    first.catch(() => undefined)
    let begun: Promise<boolean> | undefined = first
    const written = attempt(path, () => {
      const replaced = begun ?? replace(root, real, text)
      begun = undefined
      return replaced
    })
    return Effect.uninterruptible(
      Effect.flatMap(written, (within) =>
        within ? Effect.void : refuse(path, "leads out of the artifact root through a symlink")
      )
    )
  }, Effect.uninterruptible)

  const keepOld = traced("ArtifactStore.keepOld")(function* (path: string) {
    const relative = yield* artifactPath(path, names)
    const real = yield* resolve(path)
    for (let n = 1; n <= MOST_VERSIONS; n++) {
      const kept = oldVersion(relative, n)
      const free = yield* resolve(kept)
      const copied = yield* attempt(path, () => copyNew(real, free))
      if (copied) return kept
    }
    return yield* new ArtifactFailed({ path, reason: `has ${MOST_VERSIONS} older versions already` })
  }, Effect.uninterruptible)

  const writableAt = (path: string) =>
    Effect.flatMap(resolve(path), (real) => attempt(path, () => tryOut(real))).pipe(
      // Who may write the root may make it there.
      Effect.catchIf(
        (error) => path !== root && error._tag === "ArtifactFailed" && error.reason === "ENOENT",
        () => Effect.void
      ),
      Effect.mapError((error) =>
        error._tag === "PathRefused" ? new ArtifactFailed({ path, reason: error.why }) : error
      )
    )

  const observe = (path: string) => look(path, observeDisk)

  const survey = () => {
    const told = surveying()
    const at = (path: string) =>
      Either.match(artifactPath(path, names), {
        onLeft: () => undefined,
        onRight: (relative) => {
          const found = told(join(root, relative))
          return found !== undefined && isInside(root, found.realPath) ? found : undefined
        }
      })
    return {
      resolve: (path: string) => {
        const found = at(path)
        return found === undefined ? resolve(path) : Effect.succeed(found.realPath)
      },
      observe: (path: string) => {
        const found = at(path)
        return found === undefined ? observe(path) : Effect.succeed(Option.fromNullable(found.observed))
      }
    }
  }

  return ArtifactStore.of({
    root,
    writable: Effect.forEach([root, ...ATTEMPT_FOLDERS], writableAt, { discard: true }),
    relative: (path) => relativePath(path, names),
    resolve,
    observe,
    survey,
    hash: (path) => look(path, (real, signal) => withFile(real, root, (file) => hashFile(file, signal))),
    read: (path, most) =>
      look(path, (real) => withFile(real, root, (file, size) => readStart(file, size, most))),
    scan: (path, met) =>
      look(path, (real, signal) => withFile(real, root, (file) => scanFile(file, met, signal))),
    files: traced("ArtifactStore.files")(function* (path, wanted) {
      const real = yield* resolve(path)
      return yield* Effect.tryPromise({
        try: (signal) => listFiles(root, below(root, real), wanted, signal),
        catch: (cause) => new ArtifactFailed({ path, reason: codeOf(cause) })
      })
    }),
    entries: (path, most) =>
      look(path, async (real) =>
        (await observeDisk(real)).kind === "folder" ? listEntries(real, most) : undefined
      ),
    write: (path, text) => Effect.uninterruptible(Effect.flatten(begin(path, text))),
    begin,
    keepOld
  })
}

const NEVER_A_PATH: Readonly<Record<string, string>> = {
  ELOOP: "goes through a loop of symlinks",
  ENAMETOOLONG: "is longer than the file system allows"
}

const refuse = (path: string, why: string) => Effect.fail(new PathRefused({ path, why }))

const attempt = <A>(
  path: string,
  run: (signal: AbortSignal) => Promise<A>
): Effect.Effect<A, ArtifactFailed> =>
  withRoom(
    Effect.tryPromise({ try: run, catch: (cause) => new ArtifactFailed({ path, reason: codeOf(cause) }) })
  )

/** About what an attempt of few words leaves. */
const TRIAL = "\n".repeat(32 * 1024)

const tryOut = async (root: string): Promise<void> => {
  const temporary = temporaryIn(root)
  const fd = startFile(temporary, TRIAL)
  try {
    await synced(fd)
  } finally {
    closeSync(fd)
    drop(temporary)
  }
}

/** A name in a folder that nobody reads. */
const temporaryIn = (folder: string): string => join(folder, `.${crypto.randomUUID()}.tmp`)

const { O_DIRECTORY, O_RDONLY } = constants

/** The folder open; it and those above it are made when missing. */
const openFolder = async (folder: string): Promise<number> => {
  try {
    return openSync(folder, O_RDONLY | O_DIRECTORY)
  } catch (cause) {
    if (codeOf(cause) !== "ENOENT") throw cause
  }
  await makeFolders(folder)
  return openSync(folder, O_RDONLY | O_DIRECTORY)
}

/**
 * Puts a new file in the place of `path`; false when its folder turns out to lie outside the root. Only the disk is
 * waited for: what the kernel answers from memory costs less than a turn of the event loop.
 */
const replace = async (root: string, path: string, text: string): Promise<boolean> => {
  const folder = parent(path)
  const held = await openFolder(folder)
  try {
    if (!liesInside(held, root, folder)) return false
    const temporary = temporaryIn(folder)
    const fd = startFile(temporary, text)
    try {
      await publish(held, [{ fd, temporary, path }])
    } finally {
      closeSync(fd)
    }
    return true
  } finally {
    closeSync(held)
  }
}

/** Makes a folder and those above it; what holds a new one is synced, so that the new name survives. */
const makeFolders = async (folder: string): Promise<void> => {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let at = folder; isInside(first, at); at = parent(at)) await syncAt(parent(at))
}

const syncAt = async (path: string): Promise<void> => {
  const fd = openSync(path, O_RDONLY)
  try {
    await synced(fd)
  } finally {
    closeSync(fd)
  }
}

/** Copies durably to a path that must be free; false when it is not. */
const copyNew = async (from: string, to: string): Promise<boolean> => {
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL)
  } catch (cause) {
    if (codeOf(cause) === "EEXIST") return false
    throw cause
  }
  await chmod(to, 0o600)
  await syncAt(to)
  await syncAt(parent(to))
  return true
}
