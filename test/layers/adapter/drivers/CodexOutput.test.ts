import { expect, test } from "bun:test"
import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Option } from "effect"
import { codexReader } from "../../../../layers/adapter/drivers/CodexOutput.ts"
import { type Earlier, earlierUsage } from "../../../../layers/adapter/drivers/CodexThread.ts"
import type { End, Mark, Told } from "../../../../layers/adapter/drivers/Driver.ts"
import { temporaryFolder } from "../../../support/children/support.ts"
import { it } from "../../../support/effect.ts"

const recordings = join(import.meta.dir, "../../../../fixtures/agents/codex")
const read = (name: string): string => {
  const path = join(recordings, name)
  return existsSync(path) ? readFileSync(path, "utf8") : ""
}

const newThread = earlierUsage([], Option.none())

/** What the reader makes of a recording, or of lines, and of how the program ended. */
const reading = (
  lines: string,
  end: Partial<End> & { readonly code?: number } = {},
  earlier: Earlier = newThread
): { readonly told: Told; readonly marks: ReadonlyArray<Mark> } => {
  const reader = codexReader(earlier)
  const marks = lines.split("\n").flatMap((line) => reader.line(line))
  return {
    told: reader.told({ ending: { _tag: "Exited", code: end.code ?? 0 }, stdout: "", stderr: "", ...end }),
    marks
  }
}
const recorded = (name: string, code: number) =>
  reading(read(`${name}.jsonl`), { code, stderr: read(`${name}.stderr`) }).told
const reasonOf = (told: Told): string => Option.getOrElse(told.reason, () => "")

test("a finished turn is ok, with the last message, the thread and the usage", () => {
  const { marks, told } = reading(read("ok.jsonl"))
  expect(told).toMatchObject({ exitStatus: "ok", retryClass: "none", diagnostics: [] })
  expect(JSON.parse(told.lastMessage)).toMatchObject({ status: "completed", operator_summary: "stub did it" })
  expect(told.facts).toEqual({ session_id: "01a2046a-5fba-72e2-b3e8-2a5728cd7594" })
  expect([told.usage.inputTokens, told.usage.cachedTokens, told.usage.outputTokens]).toEqual([
    Option.some(1200),
    Option.some(200),
    Option.some(80)
  ])
  expect(Option.isNone(told.usage.costUsd)).toBe(true)
  expect(marks).toEqual([])
})

test("prose, a fence, an empty answer and a refusal are messages to be judged by others", () => {
  const message = (name: string) => recorded(name, 0).lastMessage
  expect(message("prose")).toBe("I have finished the work you asked for. Everything is in order.")
  expect(message("fenced")).toStartWith("Here is the result:\n\n```json\n{")
  expect(message("empty")).toBe("")
  expect(message("refusal")).toBe("I can't help with that.")
})

test("a command is a step that begins and ends under one id", () => {
  const { marks, told } = reading(read("tool.jsonl"))
  expect(marks).toEqual([
    { id: "item_1", tool: "shell", target: expect.stringContaining("printf 'written by the stub") },
    { id: "item_1", tool: "shell", target: expect.stringContaining("stub-tool.txt"), ok: true }
  ])
  expect(told.usage.inputTokens).toEqual(Option.some(2400))
})

// Not recorded: as codex-rs/exec/src/exec_events.rs has them.
test("edits, MCP calls and searches are steps; what failed or was declined did not work", () => {
  const item = (type: string, fields: object) =>
    JSON.stringify({ type: "item.completed", item: { id: `i-${type}`, type, ...fields } })
  const { marks, told } = reading(
    [
      item("file_change", {
        changes: [
          { path: "/w/a.ts", kind: "add" },
          { path: "/w/b.ts", kind: "update" }
        ],
        status: "completed"
      }),
      item("mcp_tool_call", {
        server: "files",
        tool: "read",
        arguments: {},
        result: null,
        error: { message: "gone" },
        status: "failed"
      }),
      item("web_search", { query: "effect", action: { type: "search" } }),
      item("command_execution", {
        command: "false",
        aggregated_output: "",
        exit_code: 1,
        status: "completed"
      }),
      item("command_execution", {
        command: "rm -rf /",
        aggregated_output: "",
        exit_code: null,
        status: "declined"
      }),
      item("reasoning", { text: "hm" }),
      item("todo_list", { items: [] })
    ].join("\n")
  )
  expect(marks.map(({ ok, target, tool }) => [tool, target, ok])).toEqual([
    ["edit", "/w/a.ts, /w/b.ts", true],
    ["mcp", "files.read", false],
    ["web_search", "effect", true],
    ["shell", "false", false],
    ["shell", "rm -rf /", false]
  ])
  expect(told.diagnostics).toEqual(["codex was not allowed to use shell: rm -rf /"])
})

const failures: ReadonlyArray<readonly [name: string, retryClass: string, reason: RegExp]> = [
  ["s401", "none", /^unexpected status 401 Unauthorized: .*; check the provider's key/],
  ["s403", "none", /^unexpected status 403 Forbidden: .*; check the provider's key/],
  [
    "envkey",
    "none",
    /^Missing environment variable: `NO_SUCH`; check the provider's key: providerEnvKey .*codex login/
  ],
  ["quota", "none", /^Quota exceeded\. Check your plan and billing details; raise the account's limit/],
  ["s404", "none", /^unexpected status 404 Not Found: .*; correct the adapter's model/],
  ["s400", "none", /^the request was refused: stub error 400; check the adapter's model/],
  ["ctx", "none", /^Codex ran out of room .*; lower context_policy.max_prompt_chars/],
  ["truncated", "retryable", /^Incomplete response returned, reason: max_output_tokens; lower/],
  ["s429", "retryable", /^exceeded retry limit, last status: 429 Too Many Requests$/],
  ["s500", "retryable", /^We’re currently experiencing high demand/],
  ["s529", "retryable", /^unexpected status 529 /],
  ["drop", "retryable", /^stream disconnected before completion: Transport error/],
  ["reconnecting", "retryable", /^stream disconnected before completion: Transport error/],
  ["ssefail", "retryable", /^stream disconnected before completion: stub stream failure$/],
  ["refused", "retryable", /^Connection failed: error sending request$/],
  ["longin", "none", /^exit code 1: Error: turn\/start: .*Input exceeds the maximum length .*; lower/]
]
for (const [name, retryClass, reason] of failures)
  test(`the recorded failure ${name} is ${retryClass === "none" ? "an operator's" : "worth another attempt"}`, () => {
    const told = recorded(name, 1)
    expect([told.exitStatus, told.retryClass]).toEqual(["error", retryClass as never])
    expect(reasonOf(told)).toMatch(reason)
    expect(reasonOf(told)).not.toContain("backtrace")
    expect(Option.isNone(told.usage.inputTokens)).toBe(true)
  })

test.each([
  ['{"detail":"The model is not supported"}', /^the request was refused: The model is not supported; check/],
  ['{"error":"model x not found"}', /^the request was refused: model x not found; check/],
  ['{"message":"bad request"}', /^the request was refused: bad request; check/],
  [
    '{"error":{"code":"model_not_found"}}',
    /^the request was refused: model_not_found; correct the adapter's model/
  ],
  [
    '{"error":{"message":"Spent","code":"insufficient_quota"}}',
    /^the request was refused: Spent; raise the account/
  ],
  ['{"error":{"message":" "}}', /^the request was refused: \{"error":\{"message":" "\}\}; check/],
  ['{"error":null}', /^the request was refused: \{"error":null\}; check/]
])("a refused request is one whatever the form of its body: %s", (message, reason) => {
  const { told } = reading(JSON.stringify({ type: "turn.failed", error: { message } }), { code: 1 })
  expect([told.exitStatus, told.retryClass]).toEqual(["error", "none"])
  expect(reasonOf(told)).toMatch(reason)
})

const cannotStart: ReadonlyArray<readonly [name: string, code: number, reason: RegExp]> = [
  ["badflag", 2, /^exit code 2: error: unexpected argument '--full-auto' found$/],
  [
    "dupflag",
    2,
    /^exit code 2: error: the argument '--sandbox <SANDBOX_MODE>' cannot be used multiple times$/
  ],
  ["badcfg", 1, /^exit code 1: Error loading config\.toml: invalid type: integer `7`, expected a string/],
  ["chat", 1, /^exit code 1: Error loading config\.toml: `wire_api = "chat"` is no longer supported/],
  ["badprov", 1, /^exit code 1: Error: Model provider `nope` not found$/],
  ["badschema", 1, /^exit code 1: Failed to read output schema file/],
  ["nohome", 1, /^exit code 1: Error finding codex home: CODEX_HOME points to/],
  ["nostdin", 1, /^exit code 1: No prompt provided via stdin\.$/]
]
for (const [name, code, reason] of cannotStart)
  test(`flags and configuration are never mended by waiting: ${name}`, () => {
    const told = recorded(name, code)
    expect([told.exitStatus, told.retryClass]).toEqual(["error", "permanent"])
    expect(reasonOf(told)).toMatch(reason)
  })

test("the warning about helper binaries is no reason", () => {
  const stderr = "WARNING: proceeding, even though we could not create PATH aliases: Refusing\n"
  const { told } = reading("", { code: 1, stderr: `database is locked\n${stderr}` })
  expect([told.retryClass, reasonOf(told)]).toEqual(["retryable", "exit code 1: database is locked"])
  expect(reasonOf(reading("", { code: 1, stderr }).told)).toBe("exit code 1")
})

test("what the model writes decides nothing", () => {
  const says = (text: string) =>
    JSON.stringify({ type: "item.completed", item: { id: "m", type: "agent_message", text } })
  const prose = "unexpected status 401 Unauthorized. Quota exceeded. retry-after: 7"
  const ok = reading(`${says(prose)}\n${read("ok.jsonl").split("\n").at(-2)}`).told
  expect([ok.exitStatus, ok.lastMessage]).toEqual(["ok", prose])
  const failed = reading(`${says(prose)}\n${read("s500.jsonl")}`, { code: 1 }).told
  expect(failed.retryClass).toBe("retryable")
})

test("exit 0 without a finished turn is no success", () => {
  const half = read("ok.jsonl").split("\n").slice(0, 3).join("\n")
  for (const lines of ["", half, "not json\n{}\n[1]\nnull"]) {
    const { told } = reading(lines)
    expect([told.exitStatus, told.retryClass, reasonOf(told)]).toEqual([
      "error",
      "retryable",
      "codex ended without completing its turn"
    ])
  }
})

test("a run that was killed tells what it was about, if anything", () => {
  const killed = { ending: { _tag: "Killed", signal: "SIGKILL" } } as const
  expect(reasonOf(reading("", killed).told)).toBe("killed by SIGKILL")
  const retrying = read("reconnecting.jsonl").split("\n").slice(0, 4).join("\n")
  expect(reasonOf(reading(retrying, killed).told)).toStartWith("Reconnecting... 1/1 (stream disconnected")
})

test("warnings are told, but for the one about every model that codex does not know", () => {
  const warning = (message: string) =>
    JSON.stringify({ type: "item.completed", item: { id: "w", type: "error", message } })
  const { told } = reading(`${read("ok.jsonl")}\n${warning("unknown key")}\n${warning("unknown key")}`)
  expect(told.diagnostics).toEqual(["codex warned: unknown key"])
})

const thread = "01a2047b-f57a-71e0-b162-c68926507611"
const homeWithSession = Effect.map(temporaryFolder, (home) => {
  const day = join(home, "sessions/2026/11/22")
  mkdirSync(day, { recursive: true })
  cpSync(join(recordings, "rollout.jsonl"), join(day, `rollout-2026-11-22T18-19-22-${thread}.jsonl`))
  return Option.some(home)
})

it.live("a resumed thread's total is not counted again", () =>
  Effect.gen(function* () {
    const home = yield* homeWithSession
    for (const words of [
      ["resume", thread],
      ["fork", thread]
    ]) {
      const { told } = reading(read("resumed.jsonl"), {}, earlierUsage(words, home))
      expect([told.usage.inputTokens, told.usage.cachedTokens, told.usage.outputTokens]).toEqual([
        Option.some(1200),
        Option.some(200),
        Option.some(80)
      ])
      expect(told.diagnostics).toEqual([])
    }
  })
)

it.live("where the earlier total cannot be found the usage is not known, and that is said", () =>
  Effect.gen(function* () {
    const home = yield* homeWithSession
    const other = thread.replace("01a2", "01a3")
    for (const words of [
      ["resume", "--last"],
      ["resume", other]
    ]) {
      const { told } = reading(read("resumed.jsonl"), {}, earlierUsage(words, home))
      expect(Option.isNone(told.usage.inputTokens)).toBe(true)
      expect(told.diagnostics).toEqual([
        expect.stringMatching(/^the usage of this run alone is not known: (extraArgs|no rollout)/)
      ])
    }
    const nowhere = earlierUsage(["resume", thread], Option.some("/nowhere"))
    expect(nowhere._tag).toBe("Unknown")
  })
)

const lines = (...events: ReadonlyArray<unknown>) => events.map((one) => JSON.stringify(one)).join("\n")
const message = (text: string, more = {}) => ({
  type: "item.completed",
  item: { id: "1", type: "agent_message", text, ...more }
})
const turn = (usage: unknown) => ({ type: "turn.completed", usage })

test("a field that is not as expected costs its event nothing else: the last message stays the last", () => {
  const odd = [
    { prompt: { a: 1 } },
    { id: 7 },
    { exit_code: 1.5, changes: null, status: 4 },
    { command: ["ls"], server: [], tool: {} }
  ]
  for (const more of odd) {
    const { told } = reading(lines(message("earlier"), message("last", more), turn({ input_tokens: 1 })))
    expect([told.exitStatus, told.lastMessage]).toEqual(["ok", "last"])
  }
  const changes = [{ path: "a" }, { path: 4 }]
  const edit = { type: "item.completed", item: { id: "2", type: "file_change", changes } }
  expect(reading(lines(edit)).marks).toEqual([{ id: "2", tool: "edit", target: "a", ok: true }])
})

test("a failure that is not told in words is none the less one", () => {
  for (const error of [undefined, "words", { message: null }]) {
    const { told } = reading(lines(turn({}), { type: "turn.failed", error }), { code: 0 })
    expect([told.exitStatus, told.retryClass]).toEqual(["error", "retryable"])
  }
})

test("each figure of a use is told or not by itself, and what is no figure is named", () => {
  const used = (usage: unknown) => {
    const { diagnostics, usage: told } = reading(lines(turn(usage))).told
    const figures = [told.inputTokens, told.cachedTokens, told.outputTokens].map(Option.getOrNull)
    return [figures, diagnostics]
  }
  expect(used({ input_tokens: 10, cached_input_tokens: null, output_tokens: 3 })).toEqual([[10, null, 3], []])
  expect(used({ input_tokens: 10, output_tokens: -3 })).toEqual([
    [10, null, null],
    [expect.stringMatching(/^usage_unreadable: output_tokens -3 is not a whole number of tokens/)]
  ])
  expect(used("many")).toEqual([
    [null, null, null],
    ["usage_unreadable: usage (a text) is not an object: taken as not told"]
  ])
  expect(used(undefined)).toEqual([[null, null, null], []])
})
