import { describe, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Either } from "effect"
import { configJsonSchema } from "../../src/config/ConfigJsonSchema.ts"
import { ConfigurationFile } from "../../src/config/FileSchema.ts"
import { judge } from "../../src/config/Issues.ts"
import { references } from "../../src/config/References.ts"
import { wireKeys } from "../support/badCases.ts"
import { accepts } from "../support/jsonSchema.ts"
import { fullConfig } from "./samples.ts"

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
    node.type === "object" && isObject(node.properties) && Object.keys(node.properties).length > 0
      ? [[path, node] as const]
      : []
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
      { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
      { type: "null" }
    ])
  })
})

const {
  fallbackAdapter: _,
  fallback_adapter: __,
  retry_hint_service: ___,
  ...local
} = fullConfig.adapters.local
const sound = {
  ...fullConfig,
  adapters: { local },
  identity: { identityPath: "IDENTITY.md", purposePath: "PURPOSE.md" }
}
const token = { name: "a", role: "read" }
const budget = { id: "b", per: "all", window: "day" }
const adapter = (change: object) => ({
  adapters: { local: { ...local, ...change }, other: { mode: "script", command: "x" } }
})
const endpoint = (address: string) => ({
  adapters: { local, other: { mode: "ollama-generate", endpoint: address, model: "m" } }
})

const refused: ReadonlyArray<readonly [what: string, change: object]> = [
  ["a token without a secret", { http: { tokens: [token] } }],
  ["a token with two", { http: { tokens: [{ ...token, tokenFile: "x", sha256: "a".repeat(64) }] } }],
  ["a budget without a limit", { budgets: [budget] }],
  ["a budget with two", { budgets: [{ ...budget, usd: 1, tokens: 2 }] }],
  ["a match beside per all", { budgets: [{ ...budget, match: "local", usd: 1 }] }],
  ["a reserve of two attempts", { budgets: [{ ...budget, attempts: 3, reserve: 2 }] }],
  ["both names of the identity", { identity: { identityPath: "a", soulPath: "b" } }],
  ["both names of the fallback", adapter({ fallbackAdapter: "other", fallback_adapter: "other" })],
  ["both names of the hints", adapter({ retryHintService: "hiro", retry_hint_service: "hiro" })],
  ["a blank name", { runtimeName: " " }],
  ["a blank policy", { runtimePolicy: "\n\t" }],
  ["a blank command", adapter({ command: "  " })],
  ["a NUL in a path", { stateDir: "a\0b" }],
  ["a NUL in an id", { profiles: { "a\0b": "x.json" } }],
  ["a NUL in a variable", adapter({ env: { A: "x\0y" } })],
  ["an address without a host", endpoint("http://")],
  ["an address with a path alone", endpoint("http:///?x")],
  ["an address with a blank", endpoint("http://h/a b")],
  ["a port above 65,535", endpoint("http://h:65536/v1")],
  ["a far higher one", endpoint("https://u:p@h:99999")],
  ["an integer that no number holds", { retryBackoffSeconds: 1e20 }],
  ["another", { maxAttempts: 1e16 }],
  ["a wait that ends beyond the year 9999", { retryBackoffSeconds: 1e12 }],
  ["the same of an adapter", adapter({ retry: { backoffSeconds: 1e12 } })],
  ["a cap beyond it", adapter({ retry: { maxBackoffSeconds: 9007199254740991 } })]
]

const taken: ReadonlyArray<readonly [what: string, change: object]> = [
  ["one of everything", {}],
  ["a token by its hash", { http: { tokens: [{ ...token, sha256: "A".repeat(64) }] } }],
  ["a reserve of one attempt", { budgets: [{ ...budget, attempts: 3, reserve: 1 }] }],
  ["a limit in tokens", { budgets: [{ ...budget, per: "adapter", match: "local", tokens: 3, reserve: 2 }] }],
  ["the older name of the identity", { identity: { soulPath: "b" } }],
  ["a name in another script", { runtimeName: "\u540d" }],
  ["the highest port", endpoint("http://h:65535/v1")],
  ["an address in a path", endpoint("http://h/x:99999")],
  ["a password of digits", endpoint("http://u:99999@h:1")],
  ["an address of IPv6", endpoint("http://[::1]:80/v1")],
  ["a password alone", endpoint("http://:p@h")]
]

/** What a file may say as well when it stands alone, where null leaves a key out. */
const removed: ReadonlyArray<readonly [what: string, change: object]> = [
  ["a token", { http: { tokens: [{ ...token, tokenFile: "x", sha256: null }] } }],
  ["a budget", { budgets: [{ ...budget, match: null, attempts: 3, usd: null, reserve: null }] }],
  ["the identity", { identity: { identityPath: null, soulPath: "b" } }],
  ["an adapter", adapter({ fallbackAdapter: null, fallback_adapter: "other" })]
]

describe("the JSON Schema and this program agree on", () => {
  const judged = (value: typeof sound) => [
    accepts({ ...schema }, value),
    Either.isRight(judge(ConfigurationFile)(value)) && references(value).length === 0
  ]
  for (const [what, change] of refused)
    test(`${what}, which is refused`, () => expect(judged({ ...sound, ...change })).toEqual([false, false]))
  for (const [what, change] of taken)
    test(`${what}, which is taken`, () => expect(judged({ ...sound, ...change })).toEqual([true, true]))
  for (const [what, change] of removed)
    test(`null, which leaves a key of ${what} out`, () =>
      expect(accepts({ ...schema }, { ...sound, ...change })).toBe(true))
})
