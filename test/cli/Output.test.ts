import { describe, expect, test } from "bun:test"
import { Effect, Option } from "effect"
import type { Answer, Globals } from "../../src/cli/Command.ts"
import { Session } from "../../src/cli/Command.ts"
import { type Doc, fields, heading, status, table, text, toned } from "../../src/cli/Doc.ts"
import { document, emit, jsonLine, session, textOf } from "../../src/cli/Output.ts"
import { style } from "../../src/cli/Style.ts"
import { render } from "../../src/cli/Table.ts"
import { Terminal } from "../../src/cli/Terminal.ts"
import { width } from "../../src/cli/Width.ts"
import { it } from "../support/effect.ts"
import { fakeTerminal, type Scene } from "../support/fakeTerminal.ts"

const none: Globals = { config: Option.none(), output: Option.none(), logLevel: Option.none() }
const asked = (output: "json" | "table"): Globals => ({ ...none, output: Option.some(output) })
const of = (scene: Scene, globals = none) => session("task-list", globals, fakeTerminal(scene).service)
const paper = (columns?: number, colour = false) => ({
  style: style(colour),
  columns: Option.fromNullable(columns)
})
const answer = (value: unknown, view?: () => Doc): Answer => ({ value, view, exitCode: 0 })

const tasks = table(
  [{ title: "task", keep: true }, "status", "subject", { title: "n", align: "right" }],
  [
    [
      "0196a1b2-0000-7000-8000-000000000001",
      status("completed"),
      "Write the story of the pull request 12",
      7
    ],
    ["0196a1b2-0000-7000-8000-000000000002", status("blocked"), "任务队列 👩‍👩‍👧 with \u001b[2J", 120]
  ]
)

describe("the form of the output", () => {
  test("is json in a pipe, table on a terminal, and what was asked for in both", () => {
    expect(of({}).output).toBe("json")
    expect(of({ columns: 80 }).output).toBe("table")
    expect(of({ columns: 80 }, asked("json")).output).toBe("json")
    expect(of({}, asked("table")).output).toBe("table")
  })

  test("has colours on a terminal alone, and not with NO_COLOR or a dumb terminal", () => {
    expect(of({ columns: 80 }).colour).toBe(true)
    expect(of({}, asked("table")).colour).toBe(false)
    expect(of({ columns: 80, env: { NO_COLOR: "1" } }).colour).toBe(false)
    expect(of({ columns: 80, env: { TERM: "dumb" } }).colour).toBe(false)
  })
})

describe("json output", () => {
  test("is one document indented by two and a newline", () =>
    expect(document({ a: [1, null] })).toBe('{\n  "a": [\n    1,\n    null\n  ]\n}\n'))

  test("keeps a terminal from being written to, and the value as it is", () => {
    const hostile = { text: "\u001b[2J \u009b2J \u007f \u202e \u2028 \ufeff 任务 👩‍👩‍👧" }
    for (const out of [document(hostile), jsonLine(hostile)]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      expect(out.replaceAll("\n", "")).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2028\ufeff]/)
      expect(JSON.parse(out)).toEqual(hostile)
    }
    expect(jsonLine(hostile)).toContain("任务")
  })

  test("of a stream is an object a line", () => expect(jsonLine({ a: "x\ny" })).toBe('{"a":"x\\ny"}\n'))
})

describe("a table", () => {
  test("stands in columns as wide as their content where there is no width to keep", () =>
    expect(render([tasks], paper())).toBe(
      [
        "task                                  status     subject                                   n",
        "0196a1b2-0000-7000-8000-000000000001  completed  Write the story of the pull request 12    7",
        "0196a1b2-0000-7000-8000-000000000002  blocked    任务队列 👩‍👩‍👧 with \\e[2J                  120",
        ""
      ].join("\n")
    ))

  test("fits the terminal by cutting the widest column, never an id", () => {
    const lines = render([tasks], paper(72)).trimEnd().split("\n")
    for (const line of lines) expect(width(line)).toBeLessThanOrEqual(72)
    expect(lines[1]).toBe("0196a1b2-0000-7000-8000-000000000001  completed  Write the story o…    7")
    expect(lines[2]).toBe("0196a1b2-0000-7000-8000-000000000002  blocked    任务队列 👩‍👩‍👧 with …  120")
  })

  test("becomes a block for each row where it cannot fit", () => {
    const out = render([tasks], paper(45))
    for (const line of out.split("\n")) expect(width(line)).toBeLessThanOrEqual(45)
    expect(out).toContain("task     0196a1b2-0000-7000-8000-000000000001\nstatus   completed\n")
    expect(out.split("\n\n")).toHaveLength(2)
  })

  test("says that it is empty", () =>
    expect(render([table(["a"], [], "no task fits")], paper())).toBe("no task fits\n"))

  test("shows what is absent, yes and no", () =>
    expect(render([table(["a", "b", "c"], [[null, true, false]])], paper())).toBe("a  b    c\n-  yes  no\n"))

  test("colours status words, and pads by what is seen", () => {
    const out = render(
      [
        table(
          ["status", "x"],
          [
            [status("blocked"), "y"],
            [toned("late", "warn"), "z"]
          ]
        )
      ],
      paper(80, true)
    )
    expect(out).toContain("\u001b[31mblocked\u001b[0m  y")
    expect(out).toContain("\u001b[33mlate   \u001b[0m  z")
  })

  test("lets no cell begin a new row or reach the terminal", () => {
    const out = render([table(["a", "b"], [["x\n0196 forged", "\u001b]0;t\u0007"]])], paper(80))
    expect(out).toBe("a               b\nx\\n0196 forged  \\e]0;t\\x07\n")
  })
})

describe("fields and text", () => {
  test("stand below each other, long values hang behind their label", () => {
    const doc = [
      heading("Task"),
      fields([
        ["id", "a1"],
        ["subject", "one two three four"]
      ]),
      text("first\nsecond", "\u001b[2J")
    ]
    expect(render(doc, paper(20))).toBe(
      [
        "Task",
        "id       a1",
        "subject  one two",
        "         three four",
        "",
        "first",
        "second",
        "\\e[2J",
        ""
      ].join("\n")
    )
  })

  test("are made from the shape of the JSON where a command has no view", () => {
    const value = {
      ok: true,
      counts: { queued: 2 },
      tasks: [{ task_id: "t1", status: "blocked", payload: { a: 1 }, note: null }],
      events: []
    }
    expect(textOf(answer(value), of({}, asked("table")))).toBe(
      [
        "ok  yes",
        "",
        "counts",
        "queued  2",
        "",
        "tasks",
        "task_id  status   payload",
        't1       blocked  {"a":1}',
        "",
        "events",
        "none",
        ""
      ].join("\n")
    )
  })

  test("are nothing for a command that has written all itself", () => {
    expect(textOf(answer(undefined), of({}))).toBe("")
    expect(textOf(answer(undefined), of({ columns: 80 }))).toBe("")
  })
})

describe("a stream", () => {
  for (const [scene, expected] of [
    [{}, '{"a":1}\n{"a":1}\n'],
    [{ columns: 80 }, "one\none\n"]
  ] as const)
    it.effect(`writes each item at once: ${JSON.stringify(scene)}`, () =>
      Effect.gen(function* () {
        const terminal = fakeTerminal(scene)
        yield* Effect.repeatN(
          emit({ a: 1 }, () => [text("one")]),
          1
        ).pipe(Effect.provideService(Terminal, terminal.service), Effect.provideService(Session, of(scene)))
        expect(terminal.out()).toBe(expected)
      })
    )
})
