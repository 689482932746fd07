import { describe, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { configJsonSchema } from "../../src/config/ConfigJsonSchema.ts"
import { ConfigurationFile } from "../../src/config/FileSchema.ts"
import { wireKeys } from "../support/badCases.ts"

type Json = { readonly [key: string]: unknown }
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const at = (value: unknown, ...path: ReadonlyArray<string>): Json => {
  const end = path.reduce<unknown>((node, key) => (isObject(node) ? node[key] : undefined), value)
  return isObject(end) ? end : {}
}

/** Every `properties` object in a schema, with where it stands. */
const structs = (node: unknown, path: string): ReadonlyArray<readonly [string, Json]> => {
  if (Array.isArray(node)) return node.flatMap((item, index) => structs(item, `${path}/${index}`))
  if (!isObject(node)) return []
  const own =
    isObject(node.properties) && Object.keys(node.properties).length > 0 ? [[path, node] as const] : []
  return [...own, ...Object.entries(node).flatMap(([key, child]) => structs(child, `${path}/${key}`))]
}

const schema = configJsonSchema()

describe("the JSON Schema of the configuration", () => {
  test("it is the file that is kept for editors", () => {
    const golden = join(import.meta.dir, "../../fixtures/config/config.schema.json")
    expect(`${JSON.stringify(schema, null, 2)}\n`).toBe(readFileSync(golden, "utf8"))
  })

  test("it names its dialect and every key, and allows no others", () => {
    expect(at(schema).$schema).toBe("https://json-schema.org/draft/2020-12/schema")
    expect(Object.keys(at(schema, "properties"))).toEqual([...wireKeys(ConfigurationFile)])
    expect(at(schema).additionalProperties).toBe(false)
  })

  test("every key of every object has a description", () => {
    const bare = structs(schema, "").flatMap(([path, struct]) =>
      Object.entries(at(struct, "properties"))
        .filter(([, property]) => !isObject(property) || typeof property.description !== "string")
        .map(([key]) => `${path}/${key}`)
    )
    expect(bare).toEqual([])
  })

  test("keys are required of files without a parent only, and null removes the others", () => {
    expect(at(schema).required).toBeUndefined()
    expect(at(schema).if).toEqual({ not: { required: ["extends"] } })
    expect(at(schema).then).toEqual({
      required: ["runtimeName", "runtimePolicy", "defaultProfile", "defaultAdapter", "profiles", "adapters"]
    })
    expect(at(schema, "properties", "maxAttempts").anyOf).toEqual([
      { type: "integer", minimum: 1 },
      { type: "null" }
    ])
  })
})
