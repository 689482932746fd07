import { describe, expect, test } from "bun:test"
import { rm } from "node:fs/promises"
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
    ]
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

  test(
    "that holds something else is refused, in words, by all that would take it or look at it, and left as it is",
    async () => {
      const scene = await Scene.make()
      try {
        await scene.queue(1)
        await scene.place.write("state/dispatch.lock", "my notes\n")
        for (const command of ["run-once", "status"]) {
          const { code, stderr } = await scene.run([command])
          expect([command, code]).toEqual([command, 3])
          expect(stderr).toMatch(
            /the lock file .*dispatch\.lock cannot be used: it holds something else.*expected .*move it away/s
          )
        }
        const health = await scene.run(["healthcheck"])
        expect(health.code).toBe(1)
        expect(health.stdout).toContain("cannot be used: it holds something else")
        expect(await Bun.file(scene.place.path("state", "dispatch.lock")).text()).toBe("my notes\n")
        await rm(scene.place.path("state", "dispatch.lock"))
        expect(statusOf(await scene.runOnce())).toBe("completed")
      } finally {
        await scene.end()
      }
    },
    LIMIT_MS
  )
})
