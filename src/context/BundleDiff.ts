import { Effect, Option, Schema } from "effect"
import { abridged, quoted } from "../domain/Abridged.ts"
import { Bundle } from "../domain/Bundle.ts"
import type { JsonObject } from "../domain/Json.ts"
import { onFirstUse } from "../domain/Wire.ts"
import { canonicalText, sha256 } from "./Canonical.ts"

/** One input that differs. `path` is a place in the bundle's wire form; undefined stands for "not there". */
export interface Change {
  readonly path: string
  readonly before: unknown
  readonly after: unknown
}

/** A differing value as it is told: itself while it is short, else its beginning, its length and its hash. */
export interface Shortened {
  readonly text: string
  readonly characters: number
  readonly sha256: string
}

/** Lists of a bundle whose entries are told apart by what they name, whatever their order. */
const KEYS: Readonly<Record<string, ReadonlyArray<string>>> = {
  skills: ["id"],
  artifacts: ["role", "path"],
  external_inputs: ["name"],
  memory: ["task_id"]
}

/**
 * Which inputs differ between two bundles: without their ids, and without the prompt, which is made from the
 * rest and compared by `lineDiff`.
 */
export const changesBetween = (before: Bundle, after: Bundle): ReadonlyArray<Change> =>
  changesOf(inputsOf(before), inputsOf(after))

/** Like `changesBetween`, for some parts of a bundle in its wire form. */
export const changesOf = (before: JsonObject, after: JsonObject): ReadonlyArray<Change> => [
  ...compared("", before, after)
]

const encode = onFirstUse(() => Schema.encodeSync(Bundle))

const inputsOf = (bundle: Bundle): JsonObject => {
  const { bundle_id: _, prompt: __, ...inputs } = encode()(bundle)
  return inputs
}

function* compared(path: string, before: unknown, after: unknown): Generator<Change> {
  if (before === after) return
  const one = partsOf(path, before)
  const other = partsOf(path, after)
  if (Option.isNone(one) || Option.isNone(other) || Array.isArray(before) !== Array.isArray(after)) {
    if (before === undefined || after === undefined || !isSame(before, after)) yield { path, before, after }
    return
  }
  for (const key of new Set([...one.value.keys(), ...other.value.keys()])) {
    const at = Array.isArray(before) ? `${path}${key}` : path === "" ? plain(key) : joined(path, key)
    yield* compared(at, one.value.get(key), other.value.get(key))
  }
}

const isSame = (one: unknown, other: unknown): boolean => canonicalText(one) === canonicalText(other)

const PLAIN = /^[A-Za-z_][A-Za-z0-9_]*$/

/** No key is longer in a path. */
const MOST_OF_A_KEY = 80

const plain = (key: string): string =>
  PLAIN.test(key) ? abridged(key, MOST_OF_A_KEY) : `[${quoted(key, MOST_OF_A_KEY)}]`

const joined = (path: string, key: string): string =>
  PLAIN.test(key) ? `${path}.${abridged(key, MOST_OF_A_KEY)}` : `${path}[${quoted(key, MOST_OF_A_KEY)}]`

/** What a value is made of, by the name that its place has in a path; none for what is compared whole. */
const partsOf = (path: string, value: unknown): Option.Option<ReadonlyMap<string, unknown>> => {
  if (Array.isArray(value)) return listParts(path, value)
  if (typeof value !== "object" || value === null) return Option.none()
  return Option.some(new Map(Object.entries(value)))
}

// A list of words (arguments, rules) says more as a whole than word by word.
const listParts = (
  path: string,
  list: ReadonlyArray<unknown>
): Option.Option<ReadonlyMap<string, unknown>> => {
  const keys = KEYS[path]
  if (keys === undefined && list.every((one) => typeof one !== "object" || one === null)) return Option.none()
  const parts = new Map<string, unknown>()
  for (const [at, one] of list.entries()) {
    const name = keys === undefined ? String(at) : nameOf(keys, one)
    const isTaken = parts.has(`[${name}]`)
    parts.set(isTaken ? `[${name} #${at}]` : `[${name}]`, one)
  }
  return Option.some(parts)
}

const nameOf = (keys: ReadonlyArray<string>, one: unknown): string =>
  keys
    .map((key) => {
      const word: unknown = typeof one === "object" && one !== null ? Reflect.get(one, key) : undefined
      return abridged(typeof word === "string" ? word : canonicalText(word), MOST_OF_A_KEY)
    })
    .join(" ")

/** A value is shown whole while its JSON has at most so many characters. */
const MOST_SHOWN = 200
const MOST_BEGINNING = 120

/** A differing value as it is told; null stands for one that is not there. */
export const shortened = (value: unknown): Effect.Effect<unknown> => {
  if (value === undefined) return Effect.succeed(null)
  const text = typeof value === "string" ? value : canonicalText(value)
  if (text.length <= MOST_SHOWN) return Effect.succeed(value)
  return Effect.map(
    sha256(text),
    (hash): Shortened => ({
      text: abridged(text, MOST_BEGINNING),
      characters: text.length,
      sha256: hash
    })
  )
}
