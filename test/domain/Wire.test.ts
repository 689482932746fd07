import { describe, expect, test } from "bun:test"
import { Option, Schema } from "effect"
import { Time } from "../../src/domain/Time.ts"
import { nullable, whenUsed, wireStruct } from "../../src/domain/Wire.ts"

describe("a schema that is made when it is used", () => {
  const counted = () => {
    let made = 0
    const schema = whenUsed(() => {
      made++
      return wireStruct({ dueAt: nullable(Time) })
    })
    return { schema, made: () => made }
  }

  test("is not made before, and once", () => {
    const { made, schema } = counted()
    expect(made()).toBe(0)
    const row = { due_at: null }
    for (let time = 0; time < 2; time++)
      expect(Schema.decodeUnknownSync(schema)(row)).toEqual({ dueAt: Option.none() })
    expect(Schema.encodeSync(schema)({ dueAt: Option.none() })).toEqual(row)
    expect(made()).toBe(1)
  })

  test("can be a part of others, and be annotated, as any schema", () => {
    const { schema } = counted()
    const list = Schema.Array(schema.annotations({ description: "what is due" }))
    expect(Schema.decodeUnknownSync(list)([{ due_at: null }])).toEqual([{ dueAt: Option.none() }])
    expect(() => Schema.decodeUnknownSync(list)([{}])).toThrow("due_at")
  })
})

test("what may be absent is one schema for all fields of a kind, and compiled once", () => {
  expect(nullable(Schema.String)).toBe(nullable(Schema.String))
  expect<unknown>(nullable(Schema.String)).not.toBe(nullable(Time))
})
