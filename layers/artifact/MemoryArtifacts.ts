import { Clock, Context, Effect, Layer, Option } from "effect"
import {
  ArtifactFailed,
  ArtifactStore,
  type Entry,
  type Observed,
  PathRefused
} from "../../src/artifact/ArtifactStore.ts"
import { join } from "../../src/artifact/FilePath.ts"
import { traced } from "../../src/domain/Traced.ts"
import { artifactPath, oldVersion, relativePath } from "./artifactPath.ts"
import { byParts } from "./Listing.ts"

const ROOT = "/memory/artifacts"

interface Held {
  readonly bytes: Uint8Array
  readonly changedAtMs: number
}

/** What tests do behind the store's back. */
export class MemoryFiles extends Context.Tag("agent-runtime/MemoryFiles")<
  MemoryFiles,
  {
    /** Puts a file in place with a change time of its own; without one it changes now. */
    readonly put: (path: string, text: string, changedAtMs?: number) => Effect.Effect<void>
    /** Removes a file; nothing happens when there is none. */
    readonly remove: (path: string) => Effect.Effect<void>
    /** Every file's path, sorted. */
    readonly list: Effect.Effect<ReadonlyArray<string>>
  }
>() {}

/** The artifact root in memory, with the contract of the one on disk. Change times come from the Clock. */
export const layer: Layer.Layer<ArtifactStore | MemoryFiles> = Layer.unwrapEffect(
  Effect.sync(() => {
    const files = new Map<string, Held>()
    return Layer.merge(
      Layer.succeed(ArtifactStore, store(files)),
      Layer.succeed(MemoryFiles, {
        put: (path, text, changedAtMs) =>
          Effect.map(Clock.currentTimeMillis, (now) => {
            files.set(path, { bytes: new TextEncoder().encode(text), changedAtMs: changedAtMs ?? now })
          }),
        remove: (path) => Effect.sync(() => void files.delete(path)),
        list: Effect.sync(() => [...files.keys()].sort())
      })
    )
  })
)

const store = (files: Map<string, Held>) => {
  const relative = (path: string) => Effect.suspend(() => artifactPath(path, [ROOT]))
  const isFolder = (path: string) =>
    path === "" || [...files.keys()].some((name) => name.startsWith(`${path}/`))
  const fileAt = (path: string) => Effect.map(relative(path), (name) => Option.fromNullable(files.get(name)))

  const observe = (path: string): Effect.Effect<Option.Option<Observed>, PathRefused> =>
    Effect.map(relative(path), (name) => {
      const realPath = join(ROOT, name)
      const file = files.get(name)
      if (file !== undefined)
        return Option.some({ kind: "file", size: file.bytes.length, changedAtMs: file.changedAtMs, realPath })
      if (!isFolder(name)) return Option.none()
      const inside = [...files].filter(([at]) => name === "" || at.startsWith(`${name}/`))
      const changedAtMs = inside.reduce((latest, [, entry]) => Math.max(latest, entry.changedAtMs), 0)
      return Option.some({ kind: "folder", size: 0, changedAtMs, realPath })
    })

  const write = traced("ArtifactStore.write")(function* (path: string, text: string) {
    const name = yield* relative(path)
    if (name === "")
      return yield* new PathRefused({ path, why: "is the artifact root itself, not a file in it" })
    if (isFolder(name)) return yield* new ArtifactFailed({ path, reason: "EISDIR" })
    const parents = name.split("/").map((_, at, parts) => parts.slice(0, at).join("/"))
    if (parents.some((one) => files.has(one))) return yield* new ArtifactFailed({ path, reason: "ENOTDIR" })
    files.set(name, { bytes: new TextEncoder().encode(text), changedAtMs: yield* Clock.currentTimeMillis })
  })

  const keepOld = traced("ArtifactStore.keepOld")(function* (path: string) {
    const name = yield* relative(path)
    const old = files.get(name)
    if (old === undefined) return yield* new ArtifactFailed({ path, reason: "ENOENT" })
    let n = 1
    while (files.has(oldVersion(name, n))) n++
    const kept = oldVersion(name, n)
    files.set(kept, { bytes: old.bytes, changedAtMs: yield* Clock.currentTimeMillis })
    return kept
  })

  const resolve = (path: string) => Effect.map(relative(path), (name) => join(ROOT, name))

  return ArtifactStore.of({
    root: ROOT,
    writable: Effect.void,
    relative: (path) => relativePath(path, [ROOT]),
    resolve,
    observe,
    survey: () => ({ resolve, observe }),
    hash: (path) =>
      Effect.map(
        fileAt(path),
        Option.map(({ bytes }) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex"))
      ),
    read: (path, most) =>
      Effect.map(
        fileAt(path),
        Option.map(({ bytes }) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.slice(0, most)))
      ),
    scan: (path, met) =>
      Effect.map(
        fileAt(path),
        Option.map(({ bytes }) => bytes.length > 0 && met(bytes))
      ),
    files: (folder, { descending, leaveOut, most }) =>
      Effect.map(relative(folder), (name) => {
        const isBelow = (path: string, at: string) => at === "" || path.startsWith(`${at}/`)
        const found = [...files.keys()]
          .filter((path) => isBelow(path, name))
          .filter((path) => !leaveOut.some((one) => path === one || isBelow(path, one)))
          .sort(byParts)
        const ordered = descending ? found.reverse() : found
        return { paths: ordered.slice(0, most), total: Option.some(found.length) }
      }),
    entries: (folder, most) =>
      Effect.map(relative(folder), (name) => {
        if (!isFolder(name)) return Option.none()
        const prefix = name === "" ? "" : `${name}/`
        const inside = [...files].filter(([path]) => path.startsWith(prefix))
        const entries = new Map<string, Entry>()
        for (const [path, { bytes, changedAtMs }] of inside) {
          const [first = "", ...rest] = path.slice(prefix.length).split("/")
          entries.set(first, {
            name: first,
            kind: rest.length === 0 ? "file" : "folder",
            size: Option.some(rest.length === 0 ? bytes.length : 0),
            changedAtMs: Option.some(changedAtMs)
          })
        }
        const all = [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
        return Option.some({ entries: all.slice(0, most), isWhole: all.length <= most })
      }),
    write,
    begin: (path, text) => Effect.as(write(path, text), Effect.void),
    keepOld
  })
}
