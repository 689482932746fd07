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

/**
 * Says what keeps a parsed value from being carried without loss: a number that is not finite (JSON turns
 * it into null), a string with half a surrogate pair (UTF-8 cannot hold it), or nesting beyond
 * `MAX_DEPTH`. `undefined` when the value is sound.
 */
export const unsound = (value: unknown): string | undefined => {
  const queue: Array<{ value: unknown; path: string; depth: number }> = [{ value, path: "", depth: 0 }]
  for (let item = queue.pop(); item !== undefined; item = queue.pop()) {
    const at = item.path === "" ? "the value" : item.path
    if (item.depth > MAX_DEPTH) return `${abridged(at, 80)} is nested deeper than ${MAX_DEPTH} levels`
    if (typeof item.value === "number" && !Number.isFinite(item.value))
      return `${at} is a number that JSON cannot hold`
    if (typeof item.value === "string" && !item.value.isWellFormed())
      return `${at} is text with half a surrogate pair, which is not valid Unicode`
    if (typeof item.value !== "object" || item.value === null) continue
    for (const [key, child] of Object.entries(item.value)) {
      if (!key.isWellFormed()) return `${at} has a key with half a surrogate pair, which is not valid Unicode`
      queue.push({
        value: child,
        path: Array.isArray(item.value)
          ? `${item.path}[${key}]`
          : item.path === ""
            ? key
            : `${item.path}.${key}`,
        depth: item.depth + 1
      })
    }
  }
  return undefined
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
