import { opendir } from "node:fs/promises"
import { Effect, Layer, Option } from "effect"
import { normalise } from "../../src/artifact/FilePath.ts"
import { type Snapshot, Workspace } from "../../src/context/Workspace.ts"
import { traced } from "../../src/domain/Traced.ts"
import { observeDisk, readStart, withFile } from "../artifact/DiskFile.ts"
import { hashFile, scanFile } from "../artifact/FilePieces.ts"
import { surveying } from "../artifact/Survey.ts"
import { flaggedIn, withoutFlags } from "./FlaggedFiles.ts"
import { type GitOptions, git, withoutFilters } from "./Git.ts"

const noRepository: Snapshot = {
  repository: false,
  root: Option.none(),
  gitSha: Option.none(),
  dirty: Option.none()
}

/**
 * The disk and the `git` on PATH. A folder that is no repository of its own but lies in a larger one counts
 * as that one: its root is the larger one's, and `dirty` speaks of all of it. `dirty` is none when git did
 * not answer in 10 s, or when the repository's configuration is too large to be made harmless.
 */
export const layer: Layer.Layer<Workspace> = Layer.suspend(() =>
  layerWith({ command: "git", timeoutMs: 10_000, path: process.env.PATH ?? "/usr/bin:/bin" })
)

/** The same with a git of one's own choice. */
export const layerWith = (options: GitOptions): Layer.Layer<Workspace> =>
  Layer.succeed(Workspace, {
    snapshot: (dir) => snapshot(options, dir),
    observe,
    survey: () => {
      const told = surveying()
      return (path) => {
        const found = path === normalise(path) ? told(path) : undefined
        return found === undefined ? observe(path) : Effect.succeed(Option.fromNullable(found.observed))
      }
    },
    folders: (path, most) =>
      Effect.map(
        look(() => foldersIn(path, most)),
        Option.getOrElse(() => [])
      ),
    hash: (path) =>
      regular(path, (real, signal) => withFile(real, undefined, (file) => hashFile(file, signal))),
    read: (path, most) =>
      regular(path, (real) => withFile(real, undefined, (file, size) => readStart(file, size, most))),
    scan: (path, met) =>
      regular(path, (real, signal) => withFile(real, undefined, (file) => scanFile(file, met, signal)))
  })

const observe = (path: string) => look(() => observeDisk(path))

const snapshot = traced("Workspace.snapshot")(function* (options: GitOptions, dir: string) {
  const root = yield* git(options, dir, ["rev-parse", "--show-toplevel"])
  if (Option.isNone(root)) return noRepository
  const sha = yield* git(options, dir, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])
  const top = root.value.text.replace(/\n$/, "")
  return {
    repository: true,
    root: Option.some(top),
    gitSha: Option.map(sha, ({ text }) => text.trim()),
    dirty: yield* dirty(options, top)
  }
})

const dirty = traced("Workspace.dirty")(function* (options: GitOptions, root: string) {
  const guarded = yield* withoutFilters(options, root)
  if (Option.isNone(guarded)) return Option.none<boolean>()
  const plain = yield* differs(guarded.value, root)
  if (!Option.contains(plain, false)) return plain
  const flagged = yield* flaggedIn(guarded.value, root)
  if (Option.isNone(flagged)) return Option.none<boolean>()
  if (flagged.value.length === 0) return plain
  return yield* withoutFlags(guarded.value, root, flagged.value, (inside) => differs(inside, root))
})

const differs = (options: GitOptions, root: string): Effect.Effect<Option.Option<boolean>> => {
  // A submodule's own status would run with the submodule's own configuration.
  const flags = ["--porcelain", "-z", "--untracked-files=normal", "--ignore-submodules=dirty"]
  return Effect.map(
    git(options, root, ["status", ...flags]),
    Option.map(({ text }) => text.length > 0)
  )
}

const foldersIn = async (path: string, most: number): Promise<ReadonlyArray<string>> => {
  const names: Array<string> = []
  // A symlink may lead to one.
  for await (const entry of await opendir(path))
    if (entry.isDirectory() || entry.isSymbolicLink()) {
      names.push(entry.name)
      if (names.length >= most) break
    }
  return names.sort()
}

const look = <A>(run: (signal: AbortSignal) => Promise<A>): Effect.Effect<Option.Option<NonNullable<A>>> =>
  Effect.tryPromise(run).pipe(
    Effect.map(Option.fromNullable),
    Effect.orElseSucceed(() => Option.none())
  )

/** By its real path: a symlink is followed once, here, and not again when the file is opened. */
const regular = <A>(path: string, use: (real: string, signal: AbortSignal) => Promise<A>) =>
  observe(path).pipe(
    Effect.flatMap((seen) =>
      Option.isSome(seen) && seen.value.kind === "file"
        ? look((signal) => use(seen.value.realPath, signal))
        : Effect.succeedNone
    )
  )
