import { Effect, Option } from "effect"
import { ArtifactStore, type Surveyor } from "../artifact/ArtifactStore.ts"
import { declared } from "../artifact/Declared.ts"
import { isInside, join } from "../artifact/FilePath.ts"
import type { AdapterSettings } from "../config/AdapterSettings.ts"
import type { Placed } from "../config/RuntimeConfig.ts"
import type { Bundle } from "../domain/Bundle.ts"
import { counted } from "../domain/Figure.ts"
import type { KnownFile, Task } from "../domain/Task.ts"
import { traced } from "../domain/Traced.ts"
import { reportCandidates } from "./Phase.ts"
import { stringsIn } from "./Plain.ts"
import { Workspace } from "./Workspace.ts"

/** Bytes of IDENTITY.md and PURPOSE.md that enter a prompt; their hash is of the whole file. */
export const MOST_DOCUMENT_BYTES = 256 * 1024

/** External inputs that are looked at; the rest is one uncached entry that tells how many. */
export const MOST_EXTERNAL_INPUTS = 100

export interface Document {
  readonly sha256: Option.Option<string>
  readonly text: Option.Option<string>
}

/** A file of the configuration, identity or purpose; both none where it is not configured or not there. */
export const document = traced("Inputs.document")(function* (place: Option.Option<Placed>) {
  const workspace = yield* Workspace
  if (Option.isNone(place)) return { sha256: Option.none(), text: Option.none() } satisfies Document
  return {
    sha256: yield* workspace.hash(place.value.path),
    text: yield* workspace.read(place.value.path, MOST_DOCUMENT_BYTES)
  } satisfies Document
})

type BundleArtifact = Bundle["artifacts"][number]

/**
 * What the task declares, products and inputs, and the latest reports of its goal loop, as they lie on disk
 * now. Fails as PathRefused where a declared path leaves the artifact root.
 */
export const artifacts = traced("Inputs.artifacts")(function* (task: Task) {
  const { products, inputs } = declared(task)
  const survey = (yield* ArtifactStore).survey()
  const artifact = (role: string, path: string) => artifactAt(role, path, survey)
  const named = yield* Effect.forEach([...products, ...inputs], ({ role, path }) => artifact(role, path))
  const reports = yield* Effect.forEach(reportCandidates(task), ({ role, paths }) =>
    Effect.forEach(paths, (path) => artifact(role, path)).pipe(
      Effect.map((found) => found.filter(({ exists }) => exists).slice(0, 1))
    )
  )
  return [...named, ...reports.flat()]
})

/** The declared artifacts as the round's baseline: each path once. */
export const knownFiles = (found: ReadonlyArray<BundleArtifact>): ReadonlyArray<KnownFile> =>
  [...Map.groupBy(found, ({ path }) => path).values()].flatMap(([first]) =>
    first === undefined ? [] : [{ path: first.path, sha256: first.sha256 }]
  )

const artifactAt = Effect.fnUntraced(function* (role: string, path: string, survey: Surveyor) {
  const store = yield* ArtifactStore
  const exists = Option.isSome(yield* survey.observe(path))
  const sha256 = exists ? yield* store.hash(path) : Option.none<string>()
  return { role, path, exists, sha256 } satisfies BundleArtifact
})

/**
 * What the task reads beside its artifacts: `payload.sources` (paths, looked for below the artifact root, then
 * below the adapter's working directory) and `payload.external_inputs` (`{ name, cached_path }`, or a name),
 * looked for below the artifact root. Cached means that the file is there and its hash is in the bundle; an
 * address, a file that is missing or cannot be read, and a path that leads out are uncached.
 */
export const externalInputs = traced("Inputs.external")(function* (task: Task, adapter: AdapterSettings) {
  const all = [...sources(task), ...external(task)]
  const more = all.length - MOST_EXTERNAL_INPUTS
  const looked = yield* Effect.forEach(all.slice(0, MOST_EXTERNAL_INPUTS), ({ name, path, inWorkspace }) =>
    Effect.map(
      Option.match(path, {
        onNone: () => Effect.succeedNone,
        onSome: (at) => hashOf(at, inWorkspace ? workingDir(adapter) : Option.none())
      }),
      (sha256) => ({ name, cached: Option.isSome(sha256), sha256 })
    )
  )
  return more > 0
    ? [...looked, { name: `${counted(more)} more`, cached: false, sha256: Option.none<string>() }]
    : looked
})

interface Wanted {
  readonly name: string
  readonly path: Option.Option<string>
  readonly inWorkspace: boolean
}

const isAddress = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(text)

const sources = (task: Task): ReadonlyArray<Wanted> =>
  stringsIn(task.payload.sources).map((name) => ({
    name,
    path: isAddress(name) ? Option.none() : Option.some(name),
    inWorkspace: true
  }))

const external = (task: Task): ReadonlyArray<Wanted> => {
  const listed: unknown = task.payload.external_inputs
  return (Array.isArray(listed) ? listed : []).flatMap((item: unknown): ReadonlyArray<Wanted> => {
    if (typeof item === "string") return [{ name: item, path: Option.none(), inWorkspace: false }]
    if (typeof item !== "object" || item === null) return []
    const name: unknown = Reflect.get(item, "name")
    const path: unknown = Reflect.get(item, "cached_path")
    if (typeof name !== "string") return []
    return [{ name, path: typeof path === "string" ? Option.some(path) : Option.none(), inWorkspace: false }]
  })
}

const hashOf = Effect.fnUntraced(function* (path: string, dir: Option.Option<Placed>) {
  const store = yield* ArtifactStore
  const below = yield* Effect.catchTags(store.hash(path), {
    PathRefused: () => Effect.succeedNone,
    ArtifactFailed: () => Effect.succeedNone
  })
  if (Option.isSome(below) || Option.isNone(dir)) return below
  const place = join(dir.value.path, path)
  return isInside(dir.value.path, place) && !path.includes("\0")
    ? yield* (yield* Workspace).hash(place)
    : Option.none()
})

/** The folder in which the adapter's program runs, where the configuration names one. */
export const workingDir = (adapter: AdapterSettings): Option.Option<Placed> =>
  adapter.mode === "script" || adapter.mode === "agent-cli" ? adapter.workingDir : Option.none()

/** The state of the adapter's working directory in version control; the explicit marker where there is none. */
export const workspacePart = traced("Inputs.workspace")(function* (adapter: AdapterSettings) {
  const dir = workingDir(adapter)
  if (Option.isNone(dir)) return NO_WORKSPACE
  const seen = yield* (yield* Workspace).snapshot(dir.value.path)
  return {
    path: Option.some(dir.value.given),
    repository: seen.repository,
    gitSha: seen.gitSha,
    // A worktree of the attempt's own has what was committed, and nothing else.
    dirty: adapter.workspace === "worktree" ? Option.map(seen.gitSha, () => false) : seen.dirty
  } satisfies Bundle["workspace"]
})

const NO_WORKSPACE: Bundle["workspace"] = {
  path: Option.none(),
  repository: false,
  gitSha: Option.none(),
  dirty: Option.none()
}
