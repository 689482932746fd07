import { describe, expect, test } from "bun:test"
import { Effect, Option } from "effect"
import { MOST_BYTES, readDocument, type Sources } from "../../src/cli/Input.ts"
import { Terminal } from "../../src/cli/Terminal.ts"
import { it } from "../support/effect.ts"
import { fakeTerminal, type Scene } from "../support/fakeTerminal.ts"

const none: Required<Sources> = { json: Option.none(), file: Option.none(), stdin: Option.none() }
const read = (sources: Sources, scene: Scene = {}) =>
  readDocument({ ...none, ...sources }).pipe(Effect.provideService(Terminal, fakeTerminal(scene).service))
const complaint = (sources: Sources, scene: Scene = {}) =>
  Effect.map(Effect.flip(read(sources, scene)), (error) => error.message)
const file = (path: string): Sources => ({ file: Option.some(path) })
const stdin: Sources = { stdin: Option.some("-") }

describe("a document is read", () => {
  const sources: ReadonlyArray<readonly [string, Sources, Scene]> = [
    ["from --json", { json: Option.some('{"a":[1]}') }, {}],
    ["from a file", file("a.json"), { files: { "a.json": '{"a":[1]}' } }],
    ["from stdin by -", stdin, { stdin: '{"a":[1]}\n' }],
    ["from stdin by --file -", file("-"), { stdin: '{"a":[1]}' }],
    ["from a file with a byte order mark", file("a.json"), { files: { "a.json": '\ufeff{"a":[1]}' } }]
  ]
  for (const [name, from, scene] of sources)
    it.effect(name, () => Effect.map(read(from, scene), (value) => void expect(value).toEqual({ a: [1] })))
})

describe("a document is refused", () => {
  const cases: ReadonlyArray<readonly [string, Sources, Scene, string]> = [
    [
      "that nothing names",
      {},
      {},
      "the document: nothing names it; expected --json JSON or --file PATH or - for stdin"
    ],
    [
      "that is named twice",
      { json: Option.some("{}"), file: Option.some("a.json") },
      {},
      "the document: it is named 2 times: --json, --file a.json; expected one of"
    ],
    [
      "from a file that is absent",
      file("a.json"),
      {},
      "--file a.json: there is no such file; expected a file"
    ],
    [
      "on a terminal, at which nobody types",
      stdin,
      { stdinIsTerminal: true },
      "stdin: it is a terminal; expected a document; pipe one in"
    ],
    ["that is empty", stdin, { stdin: "" }, "stdin, line 1, column 1:"],
    [
      "that is not JSON, with the place",
      file("a.json"),
      { files: { "a.json": '{\n  "a": 1,\n  b: 2\n}' } },
      '--file a.json, line 3, column 3: found "b"; expected a key in double quotes'
    ],
    ["that follows JSON", { json: Option.some("{} {}") }, {}, "--json, line 1, column 4:"],
    [
      "that is not UTF-8",
      file("a"),
      { files: { a: new Uint8Array([0x22, 0xff, 0x22]) } },
      "--file a: it is not UTF-8 text"
    ],
    [
      "that is UTF-16",
      file("a"),
      { files: { a: new Uint8Array([0xff, 0xfe, 0x7b, 0]) } },
      "--file a: it is UTF-16 text; expected UTF-8"
    ],
    [
      "from a file whose name writes to the terminal",
      file("\u001b[2J"),
      {},
      "--file \\e[2J: there is no such file"
    ]
  ]
  for (const [name, sources, scene, says] of cases)
    it.effect(name, () =>
      Effect.map(complaint(sources, scene), (message) => void expect(message).toContain(says))
    )

  it.effect("with a key that stands twice, told with both places", () =>
    Effect.map(
      complaint({ json: Option.some('{"a":1,"a":2}') }),
      (message) => void expect(message).toContain('the key "a" stands twice')
    )
  )

  it.effect("in words that offer only what the command takes", () =>
    readDocument({ file: Option.none() }).pipe(
      Effect.flip,
      Effect.tap((error) => expect(error.message).toContain("expected --file PATH or - for stdin")),
      Effect.provideService(Terminal, fakeTerminal().service)
    )
  )

  for (const [why, says] of [
    ["folder", "it is a folder; expected a file; name a file in it"],
    ["denied", "it cannot be read (EACCES); expected a file that this user may read"],
    ["too_large", "it is larger than 64 MiB (EACCES)"],
    ["failed", "it cannot be read (EACCES)"]
  ] as const)
    it.effect(`that the system does not give: ${why}`, () => {
      const terminal = fakeTerminal().service
      return readDocument(file("x")).pipe(
        Effect.provideService(
          Terminal,
          Terminal.of({
            ...terminal,
            readFile: () => Effect.succeed({ _tag: "Unreadable", why, detail: "EACCES" })
          })
        ),
        Effect.flip,
        Effect.tap((error) => expect(error.message).toStartWith(`--file x: ${says}`))
      )
    })

  test("beyond 64 MiB", () => expect(MOST_BYTES).toBe(67_108_864))
})
