import { describe, expect } from "bun:test"
import { Cause, Effect, Logger } from "effect"
import { bind, command } from "../../src/cli/Command.ts"
import { main } from "../../src/cli/Main.ts"
import { Terminal } from "../../src/cli/Terminal.ts"
import { it } from "../support/effect.ts"
import { fakeTerminal, type Scene } from "../support/fakeTerminal.ts"

const talk = Effect.gen(function* () {
  yield* Effect.logDebug("details")
  yield* Effect.logInfo("news")
  yield* Effect.logWarning("trouble")
}).pipe(Effect.annotateLogs({ task_id: "t-1" }), Effect.as({}))

/** What a command that logs puts on stderr, and what a logger of its layers hears. */
const heard = (
  resident: boolean,
  { more = [], ...scene }: Scene & { readonly more?: ReadonlyArray<string> } = {},
  talking: Effect.Effect<object> = talk
) => {
  const terminal = fakeTerminal({ ...scene, argv: ["talk", ...more] })
  const file: Array<unknown> = []
  const made = command({
    name: "talk",
    group: "Test",
    summary: "logs",
    example: "agent-runtime talk",
    arguments: [],
    options: [],
    resident,
    run: () => talking
  })
  const layer = Logger.add(Logger.make(({ message }) => void file.push(message)))
  const program = {
    name: "agent-runtime",
    version: "test",
    summary: "",
    commands: [bind(made, () => layer)]
  } as const
  return main(program).pipe(
    Effect.provideService(Terminal, terminal.service),
    Effect.map(() => ({ err: terminal.err().split("\n").slice(0, -1), file: file.flat() }))
  )
}

describe("a command that logs", () => {
  it.effect("shows warnings alone, while a log file hears everything from info on", () =>
    Effect.gen(function* () {
      const { err, file } = yield* heard(false)
      expect(err).toEqual(["agent-runtime: warning: trouble (task_id t-1)"])
      expect(file).toEqual(["news", "trouble"])
    })
  )

  const faulty = Effect.gen(function* () {
    yield* Effect.logWarning("Not\nwritten", Cause.fail(new Error("disk full")))
    yield* Effect.logError("Broken", Cause.die(new Error("a bug")))
  }).pipe(Effect.as({}))

  it.effect("says in words what went wrong, and where a fault was when it is asked for details", () =>
    Effect.gen(function* () {
      const { err } = yield* heard(false, {}, faulty)
      expect(err).toEqual([
        "agent-runtime: warning: Not\\nwritten: Error: disk full",
        "agent-runtime: error: Broken: Error: a bug"
      ])
      const all = yield* heard(false, { more: ["--log-level", "debug"] }, faulty)
      expect(all.err[1]).toMatch(/^agent-runtime: error: Broken: Error: a bug\\n +at .*Logging\.test\.ts/)
    })
  )

  const levels = [
    ["debug", 3],
    ["info", 2],
    ["warning", 1],
    ["error", 0],
    ["none", 0]
  ] as const
  for (const [level, lines] of levels)
    it.effect(`shows ${lines} of three lines with --log-level ${level}`, () =>
      Effect.gen(function* () {
        const { err, file } = yield* heard(false, { more: ["--log-level", level] })
        expect(err).toHaveLength(lines)
        expect(file).toContain("news")
      })
    )

  const journaled = [
    ["and stays", heard(true)],
    ["and runs in a unit", heard(false, { stderrIsJournal: true })]
  ] as const
  for (const [title, told] of journaled)
    it.effect(`${title} gives the journal JSON lines with the ids, from info on`, () =>
      Effect.gen(function* () {
        const { err } = yield* told
        expect(err.map((line) => JSON.parse(line))).toMatchObject([
          { level: "info", message: "news", task_id: "t-1" },
          { level: "warn", message: "trouble", task_id: "t-1" }
        ])
      })
    )
})
