import { Effect, Option } from "effect"
import { ArtifactStore, type Observed, type Surveyor } from "../artifact/ArtifactStore.ts"
import { isEvidencePath } from "../artifact/Declared.ts"
import { below, isInside, join, normalise, parent } from "../artifact/FilePath.ts"
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
  /** What was found above the places in each folder. */
  readonly above: Map<string, Place["above"]>
  readonly observe: (path: string) => Effect.Effect<Option.Option<Observed>>
}

/** Finds the places that a path may mean. */
export type FindPlaces = (
  path: string
) => Effect.Effect<ReadonlyArray<Place>, never, ArtifactStore | Workspace>

/**
 * What finds the places that a path may mean, for many paths: none when it leads out of both folders, by its text or
 * into the runtime's own evidence. What was found once is what is told again.
 */
export const placesIn = traced("Evidence.placesIn")(function* (workingDir: Option.Option<string>) {
  const store = yield* ArtifactStore
  const workspace = yield* Workspace
  const observe = workspace.survey()
  const artifacts = { ...store.survey(), above: new Map<string, Place["above"]>() }
  const working = yield* Effect.transposeMapOption(workingDir, (given) =>
    Effect.map(observe(given), (seen): WorkingDir => {
      const root = Option.match(seen, { onNone: () => given, onSome: ({ realPath }) => realPath })
      return { given, root, observe, above: new Map() }
    })
  )
  const found = new Map<string, ReadonlyArray<Place>>()
  const find: FindPlaces = Effect.fnUntraced(function* (path) {
    if (path.includes("\0")) return []
    const name = normalise(path)
    const before = found.get(name)
    if (before !== undefined) return before
    const [own, other] = [yield* inWorkingDir(name, working), yield* inArtifacts(name, workingDir, artifacts)]
    const places = [...Option.toArray(own), ...Option.toArray(other)]
    const told = places.filter((place, at) => at === 0 || place.path !== places[0]?.path)
    found.set(name, told)
    return told
  })
  return find
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

interface WorkingDir extends Pick<Folder, "root" | "above" | "observe"> {
  /** By the name that the claim has for it. */
  readonly given: string
}

const inWorkingDir = Effect.fnUntraced(function* (path: string, workingDir: Option.Option<WorkingDir>) {
  if (Option.isNone(workingDir)) return Option.none<Place>()
  const workspace = yield* Workspace
  const { above, given, observe, root } = workingDir.value
  const at = [given, root].find((folder) => isInside(folder, join(folder, path)))
  if (at === undefined) return Option.none<Place>()
  const absolute = join(at, path)
  return Option.some(
    yield* look(
      absolute,
      { root, above, observe, scan: (met) => workspace.scan(absolute, met) },
      workspace.hash(absolute)
    )
  )
})

const inArtifacts = Effect.fnUntraced(function* (
  path: string,
  workingDir: Option.Option<string>,
  { above, observe, resolve }: Surveyor & Pick<Folder, "above">
) {
  const store = yield* ArtifactStore
  const resolved = yield* Effect.option(resolve(path))
  if (Option.isNone(resolved)) return Option.none<Place>()
  const at = resolved.value
  const ownGround = Option.exists(workingDir, (folder) => isInside(folder, at))
  if (isKept(store.root)(at) && !ownGround) return Option.none<Place>()
  const quiet = <A>(effect: Effect.Effect<Option.Option<A>, unknown>) =>
    Effect.orElseSucceed(effect, Option.none)
  return Option.some(
    yield* look(
      at,
      {
        root: store.root,
        above,
        observe: (one) => quiet(observe(one)),
        scan: (met) => store.scan(at, met)
      },
      quiet(store.hash(at))
    )
  )
})

const look = Effect.fnUntraced(function* (path: string, folder: Folder, hash: Place["hash"]) {
  const observed = yield* folder.observe(path)
  const above = folder.above.get(parent(path)) ?? (yield* aboveOf(path, folder))
  folder.above.set(parent(path), above)
  const real = Option.orElse(observed, () => Option.map(above, (one) => one.observed))
  const inside = Option.exists(real, ({ realPath }) => isInside(folder.root, realPath))
  // Several entries may name one file.
  const asked = yield* Effect.cached(hash)
  return { path, inside, observed, above, hash: asked, scan: folder.scan } satisfies Place
})

const aboveOf = Effect.fnUntraced(function* (path: string, folder: Folder) {
  for (let at = parent(path); at !== "/"; at = parent(at)) {
    const observed = yield* folder.observe(at)
    if (Option.isSome(observed)) return Option.some({ observed: observed.value, direct: at === parent(path) })
  }
  return Option.none()
})
