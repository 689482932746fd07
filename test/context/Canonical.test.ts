import { describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { Effect, FastCheck as fc, Schema } from "effect"
import { bundleHash, bundleText, canonicalText, sha256 } from "../../src/context/Canonical.ts"
import { Bundle } from "../../src/domain/Bundle.ts"
import { BundleId } from "../../src/domain/Ids.ts"
import { it } from "../support/effect.ts"
import { frozen } from "./world.ts"

describe("canonical text", () => {
  test("is that of RFC 8785's own example", () => {
    const text =
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}'
    expect(canonicalText(JSON.parse(text))).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
  })

  test("sorts keys by their UTF-16 units", () => {
    const keys = ["\u20ac", "\r", "\ufb33", "1", "\ud83d\ude00", "\u0080", "\u00f6"]
    const sorted = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\ud83d\ude00", "\ufb33"]
    expect(canonicalText(Object.fromEntries(keys.map((key) => [key, 0])))).toBe(
      `{${sorted.map((key) => `${JSON.stringify(key)}:0`).join(",")}}`
    )
  })

  test("does not depend on the order in which keys were written", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse())
        expect(canonicalText(reversed)).toBe(canonicalText(value))
      })
    )
  })

  test("keeps a key that is named __proto__", () => {
    expect(canonicalText(JSON.parse('{"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1}}')
  })

  test("writes half a surrogate pair as U+FFFD, as its bytes will be", () => {
    expect(canonicalText({ a: "x\ud800" })).toBe('{"a":"x\ufffd"}')
  })
})

it.effect("a hash is lower-case hex SHA-256 of the UTF-8 bytes", () =>
  Effect.map(sha256("grün"), (hash) =>
    expect(hash).toBe(createHash("sha256").update("grün", "utf8").digest("hex"))
  )
)

it.effect("the bundle hash is that of the canonical JSON without bundle_id, and of nothing else", () =>
  Effect.gen(function* () {
    const { bundle } = yield* frozen()
    const wire: Record<string, unknown> = JSON.parse(bundleText(bundle))
    expect(wire.bundle_id).toBe(bundle.bundleId)
    const { bundle_id: _, ...rest } = wire
    const expected = createHash("sha256").update(canonicalText(rest)).digest("hex")
    expect(yield* bundleHash(bundle)).toBe(expected)
    expect(yield* bundleHash({ ...bundle, bundleId: BundleId.make("other") })).toBe(expected)
  })
)

it.effect("a bundle's text reads back as the same bundle", () =>
  Effect.gen(function* () {
    const { bundle } = yield* frozen()
    const back = yield* Schema.decodeUnknown(Bundle)(JSON.parse(bundleText(bundle)))
    expect(bundleText(back)).toBe(bundleText(bundle))
  })
)
