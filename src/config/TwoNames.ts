import { type Finding, finding } from "./Issues.ts"

/** A key, and an older name of it. */
type Names = readonly [name: string, older: string]

export const IDENTITY: Names = ["identityPath", "soulPath"]
export const FALLBACK: Names = ["fallbackAdapter", "fallback_adapter"]
export const RETRY_HINT: Names = ["retryHintService", "retry_hint_service"]

/** What is wrong with an object at a place that has a key by both of its names. */
export const twoNames = (
  at: ReadonlyArray<PropertyKey>,
  value: Readonly<Record<string, unknown>>,
  [name, older]: Names
): ReadonlyArray<Finding> =>
  name in value && older in value
    ? [
        finding(
          "rule",
          [...at, older],
          `it stands beside \`${name}\`, which means the same`,
          "one of the two",
          `remove \`${older}\``
        )
      ]
    : []

/** That an object has a key, as JSON Schema; null removes one. */
export const has = (key: string): object => ({
  required: [key],
  properties: { [key]: { not: { type: "null" } } }
})

/** The annotation of a struct for what `twoNames` finds in it, for each of its keys with two names. */
export const oneNameEach = (...names: ReadonlyArray<Names>): { readonly jsonSchema: object } => ({
  jsonSchema: { allOf: names.map((both) => ({ not: { allOf: both.map(has) } })) }
})
