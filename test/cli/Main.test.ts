import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { main } from "../../src/cli/Main.ts"
import { Terminal } from "../../src/cli/Terminal.ts"
import { it } from "../support/effect.ts"
import { fakeTerminal, type Scene } from "../support/fakeTerminal.ts"
import { sampleProgram } from "../support/sampleCommands.ts"

const run = (argv: ReadonlyArray<string>, scene: Scene = {}) => {
  const terminal = fakeTerminal({ ...scene, argv })
  return main(sampleProgram).pipe(
    Effect.provideService(Terminal, terminal.service),
    Effect.map((code) => ({ code, out: terminal.out(), err: terminal.err() }))
  )
}

describe("the program", () => {
  it.effect("prints the result alone on stdout and exits 0", () =>
    Effect.gen(function* () {
      expect(yield* run(["task-show", "a", "--dry-run"])).toEqual({
        code: 0,
        out: '{\n  "task": {\n    "id": "a",\n    "dry_run": true,\n    "note": null\n  }\n}\n',
        err: ""
      })
    })
  )

  it.effect("prints the view of the command on a terminal", () =>
    Effect.gen(function* () {
      const { out } = yield* run(["task-show", "a"], { columns: 60, env: { NO_COLOR: "1" } })
      expect(out).toBe("Task\nid       a\ndry run  no\nnote     -\n")
    })
  )

  it.effect("exits with the code that the command makes of its answer", () =>
    Effect.gen(function* () {
      expect((yield* run(["workflow-create", "--template", "none", "--instance_key", "k"])).code).toBe(1)
      expect((yield* run(["workflow-create", "--template", "t", "--instance_key", "k"])).code).toBe(0)
    })
  )

  it.effect("tells failures on stderr and leaves stdout empty", () =>
    Effect.gen(function* () {
      for (const [argv, code] of [
        [["taks-list"], 2],
        [["intake", "--json", "{"], 2],
        [["task-show", "missing"], 1],
        [["fail", "store"], 3],
        [["fail", "bug"], 1]
      ] as const) {
        const ended = yield* run(argv)
        expect([ended.code, ended.out]).toEqual([code, ""])
        expect(ended.err).toStartWith("agent-runtime: ")
        expect(ended.err.trimEnd().split("\n").length).toBeLessThanOrEqual(2)
      }
    })
  )

  it.effect(
    "tells them as one object where json was asked for, even of a line that cannot be understood",
    () =>
      Effect.gen(function* () {
        for (const argv of [
          ["task-show", "missing", "-o", "json"],
          ["--output=json", "taks-list"],
          ["fail", "x", "-ojson"]
        ]) {
          const { err } = yield* run(argv)
          expect(Object.keys(JSON.parse(err))).toEqual(["error", "code", "hint"])
        }
        expect((yield* run(["task-show", "missing"])).err).not.toStartWith("{")
      })
  )

  it.effect("shows a stack with --log-level debug alone", () =>
    Effect.gen(function* () {
      expect((yield* run(["fail", "bug"])).err).not.toContain(" at ")
      expect((yield* run(["fail", "bug", "--log-level", "debug"])).err).toContain("\n    at ")
    })
  )

  it.effect("answers help, version and completions", () =>
    Effect.gen(function* () {
      expect((yield* run([])).out).toStartWith("agent-runtime 9.8.7: the runtime of one agent on one host\n")
      expect((yield* run(["task-show", "-h"])).out).toContain("agent-runtime task-show ID [OPTIONS]")
      expect((yield* run(["--version"])).out).toBe("agent-runtime 9.8.7\n")
      expect((yield* run(["--completions", "bash"])).out).toContain("task-show")
      expect((yield* run(["-h"], { columns: 80 })).out).toContain("\u001b[1mUsage\u001b[0m")
      expect((yield* run(["-h"], { columns: 80, env: { NO_COLOR: "1" } })).out).not.toContain("\u001b")
    })
  )

  it.effect("takes a reader that went away as the end, with the code of the answer", () =>
    Effect.gen(function* () {
      const written = { _tag: "Closed" } as const
      expect(yield* run(["task-list"], { written })).toMatchObject({ code: 0, err: "" })
      expect(yield* run(["-h"], { written })).toMatchObject({ code: 0, err: "" })
      expect(yield* run(["follow"], { written })).toMatchObject({ code: 0, err: "" })
      const no = yield* run(["workflow-create", "--template=none", "--instance_key=k"], { written })
      expect(no).toMatchObject({ code: 1, err: "" })
    })
  )

  it.effect("says that stdout takes nothing", () =>
    Effect.gen(function* () {
      const ended = yield* run(["task-list"], { written: { _tag: "Failed", code: "ENOSPC" } })
      expect(ended.code).toBe(1)
      expect(ended.err).toContain("the result cannot be written to stdout (ENOSPC)")
    })
  )

  it.effect("ends by a signal after its finalizers: 0 where it is resident, else 128 and the signal", () =>
    Effect.gen(function* () {
      expect((yield* run(["wait"], { signal: "SIGINT" })).code).toBe(130)
      expect((yield* run(["wait"], { signal: "SIGTERM" })).code).toBe(143)
      expect((yield* run(["serve"], { signal: "SIGTERM" })).code).toBe(0)
    })
  )
})
