import { JSONSchema, Schema } from "effect"
import type { JsonObject } from "../domain/Json.ts"
import { Outcome } from "../domain/Outcome.ts"

/** A node of a JSON Schema, as far as outcomes need them. */
export interface Shape {
  readonly type?: string | ReadonlyArray<string>
  readonly description?: string
  readonly enum?: ReadonlyArray<unknown>
  readonly minLength?: number
  readonly minimum?: number
  readonly format?: string
  readonly required?: ReadonlyArray<string>
  readonly items?: Shape
  readonly properties?: { readonly [name: string]: Shape }
  readonly additionalProperties?: boolean
}

/** What the generator gives beside that, for people and for brevity: references, and null for what may be absent. */
interface Generated extends Shape {
  readonly $ref?: string
  readonly $defs?: { readonly [name: string]: Generated }
  readonly allOf?: ReadonlyArray<Generated>
  readonly anyOf?: ReadonlyArray<Generated>
  readonly items?: Generated
  readonly properties?: { readonly [name: string]: Generated }
}

const inner = Schema.suspend((): Schema.Schema<Generated> => Generated)
const named = Schema.Record({ key: Schema.String, value: inner })
const key = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

const Generated: Schema.Schema<Generated> = Schema.Struct({
  type: key(Schema.Union(Schema.String, Schema.Array(Schema.String))),
  description: key(Schema.String),
  enum: key(Schema.Array(Schema.Unknown)),
  minLength: key(Schema.Number),
  minimum: key(Schema.Number),
  format: key(Schema.String),
  required: key(Schema.Array(Schema.String)),
  items: key(inner),
  properties: key(named),
  additionalProperties: key(Schema.Boolean),
  $ref: key(Schema.String),
  $defs: key(named),
  allOf: key(Schema.Array(inner)),
  anyOf: key(Schema.Array(inner))
})

const KEPT = ["type", "description", "enum", "minLength", "minimum", "format", "required"] as const

const plain = (node: Generated, defs: NonNullable<Generated["$defs"]>): Shape => {
  if (node.$ref !== undefined) {
    const { description: _, ...referred } = plain(defs[node.$ref.split("/").at(-1) ?? ""] ?? {}, defs)
    return referred
  }
  const one = node.allOf?.[0] ?? node.anyOf?.find((member) => member.type !== "null")
  if (one !== undefined) {
    const inside = plain(one, defs)
    return node.description === undefined ? inside : { ...inside, description: node.description }
  }
  return {
    ...Object.fromEntries(KEPT.flatMap((key) => (node[key] === undefined ? [] : [[key, node[key]]]))),
    ...(node.items === undefined ? {} : { items: plain(node.items, defs) }),
    ...(node.properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(node.properties).map(([name, node]) => [name, plain(node, defs)])
          ),
          additionalProperties: false
        })
  }
}

const generated = Schema.decodeUnknownSync(Generated)(JSONSchema.make(Outcome))

/** The JSON Schema of an outcome, made from the schema that decodes it, without references. */
export const outcomeShape: Shape = plain(generated, generated.$defs ?? {})

/** As `outcomeShape`, for what takes any JSON Schema. */
export const outcomeSchema: JsonObject = { ...outcomeShape }

const isFreeForm = (shape: Shape): boolean =>
  shape.type === "object"
    ? shape.properties === undefined
    : shape.items !== undefined && isFreeForm(shape.items)

const strict = (shape: Shape): Shape => {
  const { format: _, minLength: __, minimum: ___, ...rest } = shape
  if (shape.items !== undefined) return { ...rest, items: strict(shape.items) }
  if (shape.properties === undefined) return rest
  const kept = Object.entries(shape.properties).filter(([, inner]) => !isFreeForm(inner))
  return {
    ...rest,
    required: kept.map(([name]) => name),
    properties: Object.fromEntries(
      kept.map(([name, inner]) => [
        name,
        shape.required?.includes(name) === true || inner.type === "array"
          ? strict(inner)
          : { ...strict(inner), type: [String(inner.type), "null"] }
      ])
    )
  }
}

/**
 * The outcome's JSON Schema in the strict form of OpenAI's structured outputs: every key required, what may be
 * left out null instead. Lists of free-form objects (`follow_up_tasks`, `external_messages`), which that form
 * cannot hold, are not in it: it is for profiles that allow neither.
 */
export const strictOutcomeSchema: JsonObject = { ...strict(outcomeShape) }
