import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Option } from "effect"
import type { End, Mark, Told } from "../../../../layers/adapter/drivers/Driver.ts"
import { plainReader, recordReader } from "../../../../layers/adapter/drivers/HermesOutput.ts"
import { unknownUsage } from "../../../../src/domain/Usage.ts"

const fixtures = join(import.meta.dir, "../../../../fixtures/agents/hermes")
const recorded = (name: string): string => readFileSync(join(fixtures, name), "utf8")
const linesOf = (output: string): ReadonlyArray<string> => output.split("\n").filter((line) => line !== "")
const exit = (code: number): End => ({ ending: { _tag: "Exited", code }, stdout: "", stderr: "" })

const read = (
  name: string,
  end: Partial<End> = {}
): { readonly told: Told; readonly marks: ReadonlyArray<Mark> } => {
  const reader = recordReader([])
  const marks = linesOf(recorded(name)).flatMap(reader.line)
  return { told: reader.told({ ...exit(0), ...end }), marks }
}

const reasonOf = ({ reason }: Pick<Told, "reason">): string => Option.getOrElse(reason, () => "")
const ANSWER = '{"status":"completed","operator_summary":"the pump runs","machine_status":"ok"}'

test("the result record gives the answer, the session that it ended in, and the model", () => {
  const { told } = read("ok.jsonl")
  expect(told).toMatchObject({
    exitStatus: "ok",
    retryClass: "none",
    reason: Option.none(),
    lastMessage: ANSWER,
    diagnostics: [],
    facts: { session_id: "20261122_101500_ef34gh", model: "anthropic/claude-sonnet-4.6" }
  })
})

test("input tokens count what came from the cache and went into it; no cost is told", () => {
  expect(read("ok.jsonl").told.usage).toEqual({
    inputTokens: Option.some(9400),
    outputTokens: Option.some(80),
    cachedTokens: Option.some(8000),
    costUsd: Option.none()
  })
})

test("zeros everywhere are no figures, and strange figures cost no answer", () => {
  expect(read("unauthorized.jsonl", exit(1)).told.usage).toEqual(unknownUsage)
  const reader = recordReader([])
  reader.line('{"type":"result","exit_code":0,"text":"said","tokens":{"input":"many"}}')
  expect(reader.told(exit(0))).toMatchObject({
    lastMessage: "said",
    usage: unknownUsage,
    diagnostics: [
      expect.stringMatching(/^usage_unreadable: input \(a text\) is not a whole number of tokens/)
    ]
  })
})

test("a figure that was not told is none, and a zero that was told is zero", () => {
  const usageOf = (tokens: string) => {
    const reader = recordReader([])
    reader.line(`{"type":"result","exit_code":0,"text":"said","tokens":${tokens}}`)
    return reader.told(exit(0)).usage
  }
  expect(usageOf('{"input":10,"output":2}')).toEqual({
    ...unknownUsage,
    inputTokens: Option.some(10),
    outputTokens: Option.some(2)
  })
  expect(usageOf('{"input":10,"cache_read":0,"cache_write":5}')).toEqual({
    ...unknownUsage,
    inputTokens: Option.some(15),
    cachedTokens: Option.some(0)
  })
})

test("tool calls begin and end steps under their ids, out of order too", () => {
  expect(read("ok.jsonl").marks).toEqual([
    { id: "call_1", tool: "terminal", target: "ls -l pump" },
    { id: "call_2", tool: "read_file", target: "pump/log.txt" },
    { id: "call_2", ok: false },
    { id: "call_1", ok: true }
  ])
})

test("calls without an id are paired by name, first with first; one that was never closed stays open", () => {
  expect(read("partial.jsonl").marks).toEqual([
    { id: "call-1", tool: "terminal", target: "make" },
    { id: "call-2", tool: "terminal", target: "make test" },
    { id: "call-1", ok: true }
  ])
})

test("an incomplete turn that ends with 0 is left to its outcome, and seen", () => {
  const { told } = read("partial.jsonl")
  expect(told).toMatchObject({ exitStatus: "ok", lastMessage: "I ran out of turns." })
  expect(told.diagnostics).toEqual(["hermes reported: max turns reached"])
})

test("a refused key waits for an operator, with the remedy", () => {
  const { told } = read("unauthorized.jsonl", exit(1))
  expect([told.exitStatus, told.retryClass]).toEqual(["error", "none"])
  expect(reasonOf(told)).toStartWith(
    "exit code 1: HTTP 401: No cookie auth credentials found (the provider refused"
  )
})

test("missing credentials wait for an operator, with what stderr says of them", () => {
  const stderr = "Provider openrouter needs OPENROUTER_API_KEY\n\nsession_id: 2026_x\n"
  const { told } = read("no-credentials.jsonl", { ...exit(1), stderr })
  expect([told.exitStatus, told.retryClass]).toEqual(["error", "none"])
  expect(reasonOf(told)).toStartWith(
    "exit code 1: credentials or agent init failed: Provider openrouter needs OPENROUTER_API_KEY (no credentials"
  )
})

const ofError = (error: string, code = 1): Told => {
  const reader = recordReader([])
  reader.line(JSON.stringify({ type: "result", exit_code: code, text: "", error }))
  return reader.told(exit(code))
}

test.each([
  ["HTTP 402: Payment Required", "none"],
  ["HTTP 404: model `x` not found", "none"],
  ["HTTP 400: x is not a valid model ID", "none"],
  ["HTTP 400: bad request", "none"],
  ["HTTP 413: too large", "none"],
  ["HTTP 400: maximum context length is 8192", "none"],
  ["Context length exceeded: max compression attempts (3) reached.", "none"],
  ["HTTP 408: timeout", "retryable"],
  ["API call failed after 3 retries: HTTP 403: forbidden", "none"],
  ["HTTP 429: slow down", "retryable"],
  ["HTTP 429: insufficient_quota", "none"],
  ["HTTP 500: oops", "retryable"],
  ["the page that I fetched said HTTP 401", "retryable"],
  // The words of the SDKs that hermes calls: what it would not try again comes as they say it.
  ["Error code: 401 - {'error': {'message': 'User not found.', 'code': 401}}", "none"],
  ["API call failed after 3 retries: Error code: 403 - forbidden", "none"],
  ["Error code: 402 - {'error': {'message': 'Insufficient credits'}}", "none"],
  ["Error code: 404 - {'error': {'message': 'No endpoints found for x'}}", "none"],
  ["Error code: 429 - {'error': {'code': 'insufficient_quota'}}", "none"],
  ["Error code: 429 - {'error': {'message': 'slow down'}}", "retryable"],
  ["Error code: 500", "retryable"],
  ["Gemini HTTP 401 (UNAUTHENTICATED): API key not valid", "none"],
  ["insufficient_quota: You exceeded your current quota", "none"],
  ["Insufficient credits. Add more.", "none"],
  ["model_not_found", "none"],
  ["No API key found for provider openrouter", "none"],
  ["it printed Error code: 401", "retryable"],
  ["no API keys are needed here", "retryable"]
])("%s is %s", (error, retryClass) => {
  expect(ofError(error)).toMatchObject({ exitStatus: "error", retryClass })
})

test.each([
  ["Error: Error code: 401 - No auth credentials found\n\nsession_id: s\n", "none", "refused the key"],
  ["Error: HTTP 402: Payment Required\nRun `hermes setup` to change it.\n", "none", "credit is used up"],
  ["Error: HTTP 404: no such model\n", "none", "does not have this model"],
  ["Error: HTTP 503: busy\n", "retryable", "HTTP 503: busy"]
])("what stands on stderr alone is read as well: %j", (stderr, retryClass, why) => {
  const reader = recordReader([])
  reader.line('{"type":"result","exit_code":1,"text":""}')
  for (const told of [reader, recordReader([]), plainReader([])].map((one) =>
    one.told({ ...exit(1), stderr })
  )) {
    expect(told).toMatchObject({ exitStatus: "error", retryClass })
    expect(reasonOf(told)).toContain(why)
  }
})

test("stderr explains a record that does not say why, and gives no lie to one that does", () => {
  const of = (error: string) => {
    const reader = recordReader([])
    reader.line(JSON.stringify({ type: "result", exit_code: 1, text: "", error }))
    return reader.told({ ...exit(1), stderr: "Error: HTTP 401: bad key\n" })
  }
  expect(of("the agent failed").retryClass).toBe("none")
  expect(reasonOf(of("the agent failed"))).toContain("the agent failed: Error: HTTP 401: bad key (")
  expect(of("HTTP 500: oops")).toMatchObject({
    retryClass: "retryable",
    reason: Option.some("exit code 1: HTTP 500: oops")
  })
})

test("arguments that hermes refuses are permanent, and say so", () => {
  const stderr = "usage: hermes chat [-h]\nhermes chat: error: unrecognized arguments: --nope\n"
  const told = recordReader([]).told({ ...exit(2), stderr })
  expect(told).toMatchObject({ exitStatus: "error", retryClass: "permanent" })
  expect(reasonOf(told)).toStartWith("exit code 2: hermes chat: error: unrecognized arguments: --nope (")
})

test("an interrupt is judged by who made it", () => {
  expect(recordReader([]).told(exit(130))).toMatchObject({ exitStatus: "error", retryClass: "retryable" })
  const told = (ending: End["ending"]) => {
    const { exitStatus, reason, retryClass } = recordReader([]).told({ ...exit(0), ending })
    return [exitStatus, retryClass, reasonOf({ reason })]
  }
  expect(told({ _tag: "Stopped", reason: "cancel" })).toEqual(["canceled", "none", "canceled by an operator"])
  expect(told({ _tag: "TimedOut", afterMs: 5 })).toEqual(["timeout", "retryable", "timed out after 5 ms"])
  expect(told({ _tag: "Silent", forMs: 5 })).toEqual(["timeout", "retryable", "no output for 5 ms"])
  expect(told({ _tag: "Killed", signal: "SIGKILL" })).toEqual(["error", "retryable", "killed by SIGKILL"])
})

test("exit 0 without a result record is an error; what was said until then is kept", () => {
  const reader = recordReader([])
  for (const line of linesOf(recorded("ok.jsonl")).slice(0, -1)) reader.line(line)
  const told = reader.told(exit(0))
  expect(told).toMatchObject({ exitStatus: "error", retryClass: "retryable", lastMessage: ANSWER })
  expect(reasonOf(told)).toBe("hermes ended without its result record")
})

test("lines that are no records, or unknown ones, are passed over", () => {
  const reader = recordReader([])
  const lines = ["", "Warning: slow", "[1]", '{"type":"later"}', '{"type":"text"}', "{"]
  expect(lines.flatMap(reader.line)).toEqual([])
})

test("an answer beyond 1 MiB is let go of as a whole, and said to be", () => {
  const reader = plainReader([])
  for (let line = 0; line < 1025; line++) reader.line("x".repeat(1023))
  const told = reader.told(exit(0))
  expect(told.lastMessage).toBe("")
  expect(told.diagnostics).toEqual([expect.stringContaining("see stdout.log")])
})

test("a field that is not as documented costs only itself", () => {
  const reader = recordReader([])
  const use = '{"type":"tool_use","name":null,"input":[1],"tool_call_id":"c"}'
  expect(reader.line(use)).toEqual([{ id: "c", tool: "tool", target: "" }])
  reader.line('{"type":"result","exit_code":"0","session_id":null,"text":"said","error":null}')
  expect(reader.told(exit(0))).toMatchObject({
    exitStatus: "ok",
    lastMessage: "said",
    diagnostics: [],
    facts: {}
  })
})

test("a long run of empty lines is read as fast as any other", () => {
  const reader = plainReader([])
  for (let line = 0; line < 1_000_000; line++) reader.line("")
  reader.line("end")
  expect(reader.told(exit(0)).lastMessage.trim()).toBe("end")
})

test("plain output is the answer without the line of the session, wherever that stands", () => {
  const old = plainReader([])
  const stdout = recorded("plain.txt")
  for (const line of stdout.split("\n").slice(0, -1)) old.line(line)
  const told = old.told({ ...exit(0), stdout })
  expect(told.lastMessage.trim()).toBe(ANSWER)
  expect(told.facts).toEqual({ session_id: "20260401_101500_ab12cd" })
  const recent = plainReader([])
  recent.line("done")
  expect(recent.told({ ...exit(0), stdout: "done\n", stderr: "\nsession_id: s2\n" })).toMatchObject({
    exitStatus: "ok",
    lastMessage: "done\n",
    facts: { session_id: "s2" }
  })
})

test("a plain failure is named by stderr, else by the last line of stdout; what a model says is no class", () => {
  const failed = (end: Partial<End>) => plainReader([]).told({ ...exit(1), ...end })
  expect(failed({ stderr: "Error: HTTP 401: bad key\n\nsession_id: s\n" })).toMatchObject({
    retryClass: "none"
  })
  const spoken = failed({
    stdout: "API call failed after 3 retries: HTTP 500: oops\n",
    stderr: "\nsession_id: s\n"
  })
  expect(spoken.retryClass).toBe("retryable")
  expect(reasonOf(spoken)).toBe("exit code 1: API call failed after 3 retries: HTTP 500: oops")
  expect(failed({ stdout: "the site answered HTTP 401\n" }).retryClass).toBe("retryable")
})
