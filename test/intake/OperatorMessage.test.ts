import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { readMessage, toIntent } from "../../src/intake/OperatorMessage.ts"
import { it } from "../support/effect.ts"

const subjectOf = (message: string) => Effect.map(readMessage({ message }), (read) => toIntent(read).subject)

describe("a message of an operator", () => {
  it.effect("is named by its first line in which something can be seen", () =>
    Effect.gen(function* () {
      expect(yield* subjectOf("\n  Look at it \r\nand then?")).toBe("Look at it")
      expect(yield* subjectOf("\u200b\n\u3164 \nLook at it")).toBe("Look at it")
      expect(yield* subjectOf("x".repeat(200))).toBe("x".repeat(80))
    })
  )

  it.effect("of invisible characters alone is blank, which is said with their escapes", () =>
    Effect.gen(function* () {
      const { problems } = yield* Effect.flip(readMessage({ message: "\u200b\u2060" }))
      expect(JSON.stringify(problems)).toContain(
        JSON.stringify('"\\u200b\\u2060", which is blank').slice(1, -1)
      )
    })
  )
})
