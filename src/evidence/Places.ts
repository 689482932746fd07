import { Effect, Option } from "effect"
import { ArtifactStore, type Observed } from "../artifact/ArtifactStore.ts"
import { isEvidencePath } from "../artifact/Declared.ts"
import { below, isInside, join, parent } from "../artifact/FilePath.ts"
import { Workspace } from "../context/Workspace.ts"
import { traced } from "../domain/Traced.ts"
import type { Scan } from "./SecretScan.ts"

/** A place that a path may mean: in the adapter's working directory or in the artifact root. */
export interface Place {
  /** Absolute. */
  readonly path: string
  /** Whether it lies inside its folder once symlinks are resolved. */
  readonly inside: boolean
  /** None when nothing is there. */
  readonly observed: Option.Option<Observed>
  /** The deepest folder above it that exists, and whether that is its own. */
  readonly above: Option.Option<{ readonly observed: Observed; readonly direct: boolean }>
  readonly hash: Effect.Effect<Option.Option<string>>
  readonly scan: Scan
}

interface Folder extends Pick<Place, "scan"> {
  readonly root: string
  readonly observe: (path: string) => Effect.Effect<Option.Option<Observed>>
}

/**
 * Finds the places that a path may mean: none when it leads out of both folders, by its text or into the
 * runtime's own evidence.
 */
export const placesOf = traced("Evidence.placesOf")(function* (
  path: string,
  workingDir: Option.Option<string>
) {
  if (path.includes("\0")) return []
  const found = [...(yield* inWorkingDir(path, workingDir)), ...(yield* inArtifacts(path, workingDir))]
  return found.filter((place, at) => found.findIndex((other) => other.path === place.path) === at)
})

/** Why a path means no place: the issue's name, and the end of a sentence about it. */
export const whyNowhere = traced("Evidence.whyNowhere")(function* (path: string) {
  if (path.includes("\0"))
    return { issue: "file_change_refused", why: "holds a NUL character, which no file name can" }
  const store = yield* ArtifactStore
  const at = yield* Effect.option(store.resolve(path))
  return Option.exists(at, isKept(store.root))
    ? { issue: "file_change_is_evidence", why: "lies in a folder that the runtime itself fills" }
    : {
        issue: "file_change_outside",
        why: "lies neither in the adapter's working directory nor in the artifact root"
      }
})

const isKept = (root: string) => (at: string) => isInside(root, at) && isEvidencePath(below(root, at))

const inWorkingDir = Effect.fnUntraced(function* (path: string, workingDir: Option.Option<string>) {
  if (Option.isNone(workingDir)) return []
  const workspace = yield* Workspace
  const seen = yield* workspace.observe(workingDir.value)
  const root = Option.match(seen, { onNone: () => workingDir.value, onSome: ({ realPath }) => realPath })
  const at = [workingDir.value, root].find((folder) => isInside(folder, join(folder, path)))
  if (at === undefined) return []
  const absolute = join(at, path)
  return [
    yield* look(
      absolute,
      { root, observe: workspace.observe, scan: (met) => workspace.scan(absolute, met) },
      workspace.hash(absolute)
    )
  ]
})

const inArtifacts = Effect.fnUntraced(function* (path: string, workingDir: Option.Option<string>) {
  const store = yield* ArtifactStore
  const resolved = yield* Effect.option(store.resolve(path))
  if (Option.isNone(resolved)) return []
  const at = resolved.value
  const ownGround = Option.exists(workingDir, (folder) => isInside(folder, at))
  if (isKept(store.root)(at) && !ownGround) return []
  const quiet = <A>(effect: Effect.Effect<Option.Option<A>, unknown>) =>
    Effect.orElseSucceed(effect, Option.none)
  return [
    yield* look(
      at,
      {
        root: store.root,
        observe: (one) => quiet(store.observe(one)),
        scan: (met) => store.scan(at, met)
      },
      quiet(store.hash(at))
    )
  ]
})

const look = Effect.fnUntraced(function* (path: string, folder: Folder, hash: Place["hash"]) {
  const observed = yield* folder.observe(path)
  const above = yield* aboveOf(path, folder)
  const real = Option.orElse(observed, () => Option.map(above, (one) => one.observed))
  const inside = Option.exists(real, ({ realPath }) => isInside(folder.root, realPath))
  return { path, inside, observed, above, hash, scan: folder.scan } satisfies Place
})

const aboveOf = Effect.fnUntraced(function* (path: string, folder: Folder) {
  for (let at = parent(path); at !== "/"; at = parent(at)) {
    const observed = yield* folder.observe(at)
    if (Option.isSome(observed)) return Option.some({ observed: observed.value, direct: at === parent(path) })
  }
  return Option.none()
})
