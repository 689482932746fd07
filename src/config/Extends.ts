import { Effect, Either } from "effect"
import { isObject } from "../domain/Json.ts"
import { ConfigInvalid, type FileProblem, fileRule } from "./ConfigError.ts"
import { absolute, folderOf } from "./Paths.ts"

/** A configuration file as it was read. */
export interface SourceFile {
  /** Absolute. */
  readonly path: string
  readonly value: Readonly<Record<string, unknown>>
}

/** A value of the merged configuration with the file it stands in. */
export type Origin =
  | { readonly file: string; readonly leaf: unknown }
  | { readonly file: string; readonly children: ReadonlyMap<string, Origin> }

/** A longer chain is a mistake. */
const LONGEST_CHAIN = 32

/**
 * A file and its parents, the eldest first. A cycle, and a chain of more than 32 files, fail as
 * ConfigInvalid; what `read` fails with for a parent is the caller's to word.
 */
export const chain = <E>(
  path: string,
  home: string,
  read: (path: string, askedBy: SourceFile | undefined) => Effect.Effect<SourceFile, E>
): Effect.Effect<ReadonlyArray<SourceFile>, E | ConfigInvalid> =>
  Effect.gen(function* () {
    const files: Array<SourceFile> = [yield* read(path, undefined)]
    for (let file = files[0]!; typeof file.value.extends === "string"; ) {
      const parent = absolute(folderOf(file.path), home, file.value.extends)
      const seen = files.findIndex((other) => other.path === parent)
      if (seen >= 0 || files.length >= LONGEST_CHAIN) {
        const around = [...files.slice(Math.max(seen, 0)).map((other) => other.path), parent]
        return yield* new ConfigInvalid({
          path,
          problems: [endless(file.path, file.value.extends, around, seen >= 0)]
        })
      }
      file = yield* read(parent, file)
      files.push(file)
    }
    return files.reverse()
  })

const endless = (
  file: string,
  given: string,
  around: ReadonlyArray<string>,
  cycle: boolean
): FileProblem => ({
  ...fileRule(file, "", "a chain that ends", "remove one `extends`"),
  path: "extends",
  found: cycle
    ? `${JSON.stringify(given)} closes a cycle: ${around.join(" -> ")}`
    : `${JSON.stringify(given)} makes a chain of more than ${LONGEST_CHAIN} files`
})

/** Two names of one key: the one that a child gives replaces the other of its parent. */
const TWINS: ReadonlyMap<string, string> = new Map([
  ["identity.identityPath", "soulPath"],
  ["identity.soulPath", "identityPath"]
])

const tree = (value: unknown, file: string, path: ReadonlyArray<string>): Origin =>
  isObject(value) && !(path[0] === "adapters" && path.length === 2)
    ? {
        file,
        children: new Map(
          Object.entries(value).map(([key, child]) => [key, tree(child, file, [...path, key])])
        )
      }
    : { file, leaf: value }

const over = (parent: Origin, child: Origin, path: ReadonlyArray<string>): Origin => {
  if (!("children" in parent) || !("children" in child)) return child
  const children = new Map(parent.children)
  for (const [key, value] of child.children) {
    const twin = TWINS.get([...path, key].join("."))
    if (twin !== undefined && !child.children.has(twin)) children.delete(twin)
    const present = children.get(key)
    children.set(key, present === undefined ? value : over(present, value, [...path, key]))
  }
  return { file: child.file, children }
}

/**
 * Merges files, the eldest first: the later one wins key by key through all objects; an adapter and a list
 * are replaced whole. Keys that are null stay, as null, so that merging is associative; `plain` removes them.
 */
export const merge = (files: ReadonlyArray<SourceFile>): Origin =>
  files.map((file) => tree(file.value, file.path, [])).reduce((parent, child) => over(parent, child, []))

/** The merged configuration as one value, without the keys that null removed. */
export const plain = (origin: Origin): Readonly<Record<string, unknown>> =>
  "children" in origin
    ? withoutNulls(
        [...origin.children].map(
          ([key, child]) => [key, "leaf" in child ? bare(child.leaf) : plain(child)] as const
        )
      )
    : {}

const withoutNulls = (entries: ReadonlyArray<readonly [string, unknown]>): Record<string, unknown> =>
  Object.fromEntries(entries.filter(([, value]) => value !== null))

const bare = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(bare)
  return isObject(value)
    ? withoutNulls(Object.entries(value).map(([key, child]) => [key, bare(child)] as const))
    : value
}

/** The file in which the value at a path stands; for what is not there, the file of the nearest object around it. */
export const fileOf = (origin: Origin, path: ReadonlyArray<PropertyKey>): string =>
  Either.merge(locate(origin, path)).file

/** Whether null removed exactly this key. */
export const isRemoved = (origin: Origin, path: ReadonlyArray<PropertyKey>): boolean => {
  const place = locate(origin, path)
  return Either.isRight(place) && "leaf" in place.right && place.right.leaf === null
}

/** Right: the node of exactly this path. Left: the nearest one around it. */
const locate = (origin: Origin, path: ReadonlyArray<PropertyKey>): Either.Either<Origin, Origin> => {
  let node = origin
  for (const key of path) {
    const next = "children" in node ? node.children.get(String(key)) : undefined
    if (next === undefined) return Either.left(node)
    node = next
  }
  return Either.right(node)
}
