import { Schema } from "effect"
import { abridged } from "./Abridged.ts"

/** A JSON object: what payloads, event details and workflow contexts are. */
export type JsonObject = { readonly [key: string]: unknown }

/** Whether a value is an object of JSON, which a list is not. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Whether a value is a list of texts, which an empty one is too. */
export const isTexts = (value: unknown): value is ReadonlyArray<string> =>
  Array.isArray(value) && value.every((one) => typeof one === "string")

/** The object that a value is; an empty one where it is none. */
export const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : {})

/** Nesting beyond this is refused: no honest payload needs it, and recursive readers overflow on more. */
export const MAX_DEPTH = 100

/** A list or object within a value, by the way that leads to it. */
interface Place {
  readonly value: object
  readonly key: string | number | undefined
  readonly within: Place | undefined
  readonly depth: number
}

const pathTo = (key: Place["key"], within: Place | undefined): string => {
  if (key === undefined || within === undefined) return ""
  const before = pathTo(within.key, within.within)
  if (typeof key === "number") return `${before}[${key}]`
  return before === "" ? key : `${before}.${key}`
}

const named = (path: string): string => (path === "" ? "the value" : path)

const unsoundScalar = (value: unknown): string | undefined => {
  if (typeof value === "number" && !Number.isFinite(value)) return "is a number that JSON cannot hold"
  return typeof value === "string" && !value.isWellFormed()
    ? "is text with half a surrogate pair, which is not valid Unicode"
    : undefined
}

/**
 * Says what keeps a parsed value from being carried without loss: a number that is not finite (JSON turns
 * it into null), a string with half a surrogate pair (UTF-8 cannot hold it), or nesting beyond
 * `MAX_DEPTH`. `undefined` when the value is sound.
 */
export const unsound = (value: unknown): string | undefined => {
  const queue: Array<Place> = []
  // A body holds half a million numbers: only what holds others has a place of its own, and a path only what is told.
  const problemOf = (child: unknown, key: Place["key"], within: Place | undefined): string | undefined => {
    const depth = within === undefined ? 0 : within.depth + 1
    if (depth > MAX_DEPTH)
      return `${abridged(pathTo(key, within), 80)} is nested deeper than ${MAX_DEPTH} levels`
    if (typeof child !== "object" || child === null) {
      const problem = unsoundScalar(child)
      return problem === undefined ? undefined : `${named(pathTo(key, within))} ${problem}`
    }
    queue.push({ value: child, key, within, depth })
    return undefined
  }
  const problemIn = (place: Place): string | undefined => {
    if (Array.isArray(place.value)) {
      for (let index = 0; index < place.value.length; index++) {
        const problem = problemOf(place.value[index], index, place)
        if (problem !== undefined) return problem
      }
      return undefined
    }
    for (const [key, child] of Object.entries(place.value)) {
      if (!key.isWellFormed())
        return `${named(pathTo(place.key, place.within))} has a key with half a surrogate pair, which is not valid Unicode`
      const problem = problemOf(child, key, place)
      if (problem !== undefined) return problem
    }
    return undefined
  }
  let problem = problemOf(value, undefined, undefined)
  for (let place = queue.pop(); problem === undefined && place !== undefined; place = queue.pop())
    problem = problemIn(place)
  return problem
}

/** Whether two sound values are the same JSON, in whatever order their keys stand. */
export const isSameJson = (one: unknown, other: unknown): boolean => {
  if (one === other) return true
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false
  if (Array.isArray(one) !== Array.isArray(other)) return false
  const [left, right] = [Object.entries(one), new Map<string, unknown>(Object.entries(other))]
  return left.length === right.size && left.every(([key, value]) => isSameJson(value, right.get(key)))
}

const AnyObject = Schema.declare(
  (input: unknown): input is JsonObject =>
    typeof input === "object" && input !== null && !Array.isArray(input),
  {
    identifier: "JsonObject",
    description: "an object",
    jsonSchema: { type: "object" },
    arbitrary: () => (fc) =>
      fc
        .dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 })
        // JSON's text knows no -0.
        .map((made): JsonObject => JSON.parse(JSON.stringify(made)))
  }
)

/** A JSON object that can be stored and read back without loss. */
export const JsonObject: Schema.Schema<JsonObject> = AnyObject.pipe(
  Schema.filter((value) => unsound(value) ?? true, { description: "an object" })
)
