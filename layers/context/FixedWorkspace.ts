import { Effect, Layer, Option } from "effect"
import { RealPath } from "../../src/context/RealPath.ts"
import { type Snapshot, Workspace } from "../../src/context/Workspace.ts"

/** A file of a fixed workspace; one without text is a folder. */
export interface FixedFile {
  readonly text?: string
  readonly changedAtMs?: number
  /** Where a symlink leads; the path itself when absent. */
  readonly realPath?: string
}

export interface Fixed {
  /** By folder; a folder that is not named is no repository. */
  readonly snapshots?: Readonly<Record<string, Snapshot>>
  /** By absolute path. Read anew at every question, so that a test may change it. */
  readonly files?: Record<string, FixedFile>
}

/** A world of files as a test states it. */
export const layer = (fixed: Fixed = {}): Layer.Layer<Workspace> => {
  const at = (path: string) => Effect.sync(() => Option.fromNullable(fixed.files?.[path]))
  const textAt = (path: string) =>
    Effect.map(
      at(path),
      Option.flatMapNullable((file) => file.text)
    )
  const observe = (path: string) =>
    Effect.map(
      at(path),
      Option.map((file) => ({
        kind: file.text === undefined ? ("folder" as const) : ("file" as const),
        size: new TextEncoder().encode(file.text ?? "").length,
        changedAtMs: file.changedAtMs ?? 0,
        realPath: file.realPath ?? path
      }))
    )
  return Layer.succeed(Workspace, {
    snapshot: (dir) => Effect.succeed(fixed.snapshots?.[dir] ?? noRepository),
    observe,
    survey: () => observe,
    folders: (path, most) =>
      Effect.sync(() => {
        const below = Object.keys(fixed.files ?? {}).filter((one) => one.startsWith(`${path}/`))
        const names = below.flatMap((one) => {
          const parts = one.slice(path.length + 1).split("/")
          return parts.length > 1 && parts[0] !== undefined ? [parts[0]] : []
        })
        return [...new Set(names)].slice(0, most).sort()
      }),
    hash: (path) =>
      Effect.map(
        textAt(path),
        Option.map((text) => new Bun.CryptoHasher("sha256").update(text).digest("hex"))
      ),
    read: (path, most) =>
      Effect.map(
        textAt(path),
        Option.map((text) => text.slice(0, most))
      ),
    scan: (path, met) =>
      Effect.map(
        textAt(path),
        Option.map((text) => text !== "" && met(new TextEncoder().encode(text)))
      )
  })
}

/** Where the paths of the same world lead; one that is not named leads to itself. */
export const realPaths = (fixed: Fixed = {}): Layer.Layer<RealPath> =>
  Layer.succeed(RealPath, {
    of: (path) => Effect.sync(() => fixed.files?.[path]?.realPath ?? path)
  })

const noRepository: Snapshot = {
  repository: false,
  root: Option.none(),
  gitSha: Option.none(),
  dirty: Option.none()
}
