import { describe, expect } from "bun:test"
import { Cause, Effect, Logger, Schema, TestClock } from "effect"
import { logLine } from "../../src/domain/LogLine.ts"
import { StoreUnavailable } from "../../src/store/StoreError.ts"
import { it } from "../support/effect.ts"

/** The lines that a program logs. */
const linesOf = (program: Effect.Effect<unknown>) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const logger = Logger.make((entry) => void lines.push(logLine.log(entry)))
    yield* program.pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
    return lines
  })

describe("a log line", () => {
  it.effect("is one JSON object with time, level, message and the ids", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 seconds")
      const program = Effect.logWarning("two\nlines", 7, { a: 1 }).pipe(
        Effect.annotateLogs({ task_id: "t", attempt_id: "a", runner_id: "r", level: "mine" })
      )
      const [line] = yield* linesOf(program)
      expect(line).not.toContain("\n")
      expect(JSON.parse(line!)).toEqual({
        at: "1970-01-01T00:00:01.000Z",
        level: "warn",
        message: 'two\nlines 7 {"a":1}',
        task_id: "t",
        attempt_id: "a",
        runner_id: "r"
      })
    })
  )

  it.effect("tells the cause of a fault", () =>
    Effect.gen(function* () {
      const [line] = yield* linesOf(Effect.logError("it broke", Cause.die(new Error("boom"))))
      expect(JSON.parse(line!)).toMatchObject({ level: "error", message: "it broke" })
      expect(JSON.parse(line!).cause).toMatch(/boom\n +at /)
    })
  )

  it.effect("tells an expected failure in its own words, without where it came from", () =>
    Effect.gen(function* () {
      const full = new StoreUnavailable({ path: "p", reason: "the disk is full", remedy: "free some space" })
      const [line] = yield* linesOf(Effect.logError("it waits", Cause.fail(full)))
      const { cause } = JSON.parse(line!)
      expect(cause).toStartWith("StoreUnavailable: ")
      expect(cause).toContain("the disk is full")
      expect(cause).not.toContain("\n")
    })
  )

  it.effect("holds no letter that acts on a terminal", () =>
    Effect.gen(function* () {
      const hostile = "\u001b[2J \u009b31m \u202etxet \u007f"
      const [line] = yield* linesOf(Effect.logInfo(hostile))
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
      expect(JSON.parse(line!).message).toBe(hostile)
    })
  )

  it.prop("is made of whatever is logged", Schema.Unknown, (value) =>
    Effect.gen(function* () {
      const circle: Record<string, unknown> = { value }
      circle.itself = circle
      const lines = yield* linesOf(
        Effect.logInfo(value, circle, 10n).pipe(Effect.annotateLogs({ value, circle }))
      )
      for (const line of lines) JSON.parse(line)
      expect(lines).toHaveLength(1)
    })
  )
})
