import { JSONSchema } from "effect"
import { isObject } from "../domain/Json.ts"
import { ConfigurationFile } from "./FileSchema.ts"

type Json = { readonly [key: string]: unknown }

/**
 * The JSON Schema (draft 2020-12) of a configuration file: what `config-schema` prints. Keys that the merged
 * configuration must have are only required of files without `extends`, and null is allowed where it removes
 * a key.
 */
export const configJsonSchema = (): object => {
  const {
    $schema: dialect,
    required,
    ...rest
  } = nullable({
    ...JSONSchema.make(ConfigurationFile, { target: "jsonSchema2020-12" })
  })
  return {
    $schema: dialect,
    title: "agent-runtime configuration",
    ...rest,
    if: { not: { required: ["extends"] } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { required }
  }
}

/** Allows null beside each key that is not required, at every depth but in list items' own values. */
const nullable = (schema: Json): Json => {
  const required = Array.isArray(schema.required) ? schema.required : []
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (key === "properties" && isObject(value)) return [key, orNull(value, required)]
      if (key === "patternProperties" && isObject(value)) return [key, orNull(value, [])]
      if (key === "anyOf" && Array.isArray(value))
        return [key, value.map((member) => (isObject(member) ? nullable(member) : member))]
      return [key, isObject(value) && key === "items" ? nullable(value) : value]
    })
  )
}

const orNull = (properties: Json, required: ReadonlyArray<unknown>): Json =>
  Object.fromEntries(
    Object.entries(properties).map(([key, value]) => {
      if (!isObject(value)) return [key, value]
      const { description, ...inner } = nullable(value)
      if (required.includes(key))
        return [key, { ...inner, ...(description === undefined ? {} : { description }) }]
      const either = Array.isArray(inner.anyOf)
        ? { ...inner, anyOf: [...inner.anyOf, { type: "null" }] }
        : { anyOf: [inner, { type: "null" }] }
      return [key, description === undefined ? either : { description, ...either }]
    })
  )
