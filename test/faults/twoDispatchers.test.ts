import { describe, expect, test } from "bun:test"
import { race } from "./Race.ts"
import { Scene, statusOf } from "./Scene.ts"

const LIMIT_MS = 60_000

describe("two dispatchers that start together", () => {
  test(
    "run each task once",
    async () => {
      const results = await race(10)
      expect(results.flatMap((result) => result.violations)).toEqual([])
    },
    LIMIT_MS
  )
})

describe("the lock file", () => {
  const garbage: ReadonlyArray<readonly [what: string, text: string]> = [
    ["nothing", ""],
    ["zeros", "\0".repeat(64)],
    ["half an answer", '{"runner_id":"host:1:'],
    [
      "the name of a process that is alive",
      `{"runner_id":"host:${process.pid}:2026-01-01T00:00:00.000Z","since":"2026-01-01T00:00:00.000Z"}`
    ],
    ["a megabyte", "x".repeat(1_048_576)]
  ]

  for (const [what, text] of garbage)
    test(
      `keeps nobody out when it holds ${what}`,
      async () => {
        const scene = await Scene.make()
        try {
          await scene.queue(1)
          await scene.place.write("state/dispatch.lock", text)
          expect(statusOf(await scene.runOnce())).toBe("completed")
          expect(scene.check()).toEqual([])
        } finally {
          await scene.end()
        }
      },
      LIMIT_MS
    )
})
