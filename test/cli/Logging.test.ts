import { describe, expect } from "bun:test"
import { Effect, Logger } from "effect"
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
  { more = [], ...scene }: Scene & { readonly more?: ReadonlyArray<string> } = {}
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
    run: () => talk
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
      expect(err).toHaveLength(1)
      expect(err[0]).toContain("message=trouble task_id=t-1")
      expect(file).toEqual(["news", "trouble"])
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
