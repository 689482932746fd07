import { Either } from "effect"
import { isObject } from "../domain/Json.ts"
import type { Origin } from "./Extends.ts"
import { ConfigurationFile } from "./FileSchema.ts"
import { type Finding, judge } from "./Issues.ts"

type Path = ReadonlyArray<string | number>

/**
 * The keys that null removes and nobody knows: a key that is misspelt stays as it was where its name is right, which
 * nobody would see. `value` is the merged configuration without what null removed.
 */
export const unknownRemoved = (
  origin: Origin,
  value: Readonly<Record<string, unknown>>
): ReadonlyArray<Finding> =>
  // One at a time: null in the place of a known key, as an adapter's mode, would hide what is meant by the others.
  nulls(origin, []).flatMap((path) => {
    const judged = judge(ConfigurationFile)(withNull(value, path))
    if (Either.isRight(judged)) return []
    return judged.left.filter(({ at, kind }) => kind === "unknown" && isSame(at, path))
  })

const isSame = (at: ReadonlyArray<PropertyKey>, path: Path): boolean =>
  at.length === path.length && at.every((key, index) => String(key) === String(path[index]))

const nulls = (origin: Origin, path: Path): ReadonlyArray<Path> =>
  "leaf" in origin
    ? nullsIn(origin.leaf, path)
    : [...origin.children].flatMap(([key, child]) => nulls(child, [...path, key]))

const nullsIn = (value: unknown, path: Path): ReadonlyArray<Path> => {
  if (Array.isArray(value)) return value.flatMap((item, index) => inside(item, [...path, index]))
  if (isObject(value)) return Object.entries(value).flatMap(([key, item]) => nullsIn(item, [...path, key]))
  return value === null ? [path] : []
}

// An item that is null itself removes nothing: the list is judged with it.
const inside = (item: unknown, path: Path) => (item === null ? [] : nullsIn(item, path))

const withNull = (value: unknown, [key, ...rest]: Path): unknown => {
  if (key === undefined) return null
  if (Array.isArray(value)) return value.map((item, index) => (index === key ? withNull(item, rest) : item))
  return isObject(value) ? { ...value, [key]: withNull(value[key], rest) } : value
}
