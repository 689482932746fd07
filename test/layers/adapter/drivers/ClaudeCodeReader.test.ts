import { describe, expect, test } from "bun:test"
import { Option } from "effect"
import { linesOf, reading, recordings, replay } from "./ClaudeCodeRecordings.ts"

const OUTCOME = {
  status: "completed",
  operator_summary: "stub did it",
  machine_status: "ok",
  file_changes: [],
  artifact_paths: [],
  follow_up_tasks: [],
  external_messages: []
}

const exit = (code: number) => ({ ending: { _tag: "Exited" as const, code } })
const init = { type: "system", subtype: "init", session_id: "s", model: "m" }
const json = (...lines: ReadonlyArray<unknown>) => lines.map((line) => JSON.stringify(line))
const seconds = (read: ReturnType<typeof replay>) => Option.getOrNull(read.told.retryAfterSeconds)

describe("the answer", () => {
  test("is the structured output, with the session, the model and the turns", () => {
    const { told } = replay("ok")
    expect([told.exitStatus, told.retryClass, told.reason]).toEqual(["ok", "none", Option.none()])
    expect(JSON.parse(told.lastMessage)).toEqual(OUTCOME)
    expect(told.facts).toEqual({
      session_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      model: "claude-sonnet-4-5",
      turns: 2
    })
    expect(told.diagnostics).toEqual([])
  })

  test("keeps integers of the structured output that JSON readers would round, as text", () => {
    const id = '"external_messages":[{"id":1180473628374618193}]'
    const lines = linesOf("ok").map((line) => {
      const at = line.indexOf('"structured_output"')
      return at === -1 ? line : line.slice(0, at) + line.slice(at).replace('"external_messages":[]', id)
    })
    const { told } = reading(lines, exit(0))
    expect(JSON.parse(told.lastMessage).external_messages).toEqual([{ id: "1180473628374618193" }])
    expect(told.diagnostics).toEqual([
      expect.stringMatching(/^outcome_number_kept_as_text: .* at "external_messages\[0\]\.id"; /)
    ])
  })

  test("is the text where the model did not use the schema", () => {
    expect(replay("prose").told.lastMessage).toBe(
      "I have finished the work you asked for. Everything is in order."
    )
    expect(replay("fenced").told.lastMessage).toContain("```json\n")
    expect(replay("empty").told.lastMessage).toBe("")
  })

  test("comes through a stream that broke, which claude asks for again", () => {
    for (const name of ["drop", "ssefail", "x429"]) {
      const { told } = replay(name)
      expect([told.exitStatus, JSON.parse(told.lastMessage)]).toEqual(["ok", OUTCOME])
    }
  })

  test("is not the program's own text about a failure", () => {
    for (const name of ["s500", "refusal", "truncated", "interrupted"])
      expect(replay(name).told.lastMessage).toBe("")
  })

  test("does not depend on the order of keys, and lines that are none of the protocol are passed over", () => {
    const turned = linesOf("ok").map((line) =>
      JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(line)).reverse()))
    )
    const { told } = reading(["a warning", "{", "[]", '{"type":"new"}', ...turned], exit(0))
    expect(told).toEqual(replay("ok").told)
  })

  test("survives fields of another kind than expected", () => {
    const lines = json(init, {
      type: "result",
      subtype: "success",
      is_error: false,
      result: "done",
      num_turns: "two",
      usage: { input_tokens: "many", output_tokens: 4 },
      model_usage_since_last_result: [],
      permission_denials: {}
    })
    const { told } = reading(lines, exit(0))
    expect([told.exitStatus, told.lastMessage]).toEqual(["ok", "done"])
    expect(told.usage.outputTokens).toEqual(Option.some(4))
  })

  test("is the last one where a run gives several", () => {
    const one = (result: string) => ({ type: "result", subtype: "success", is_error: false, result })
    expect(reading(json(init, one("first"), one("second")), exit(0)).told.lastMessage).toBe("second")
  })
})

describe("steps", () => {
  test("are a tool, what it was used on, and whether it worked", () => {
    const { marks } = replay("tool")
    const [begun] = marks
    expect(marks).toEqual([
      { id: begun?.id ?? "", tool: "Bash", target: "printf 'by the stub\\n' > made.txt && echo done" },
      { id: begun?.id ?? "", ok: true }
    ])
    expect(replay("write").marks[0]).toMatchObject({ tool: "Write", target: "/tmp/ccrec/w/report.md" })
  })

  test("fail where claude was not permitted or was interrupted", () => {
    for (const name of ["denied", "interrupted"]) expect(replay(name).marks[1]?.ok).toBe(false)
  })

  test("do not hold the handing over of the answer", () => {
    expect(replay("ok").marks).toEqual([])
  })

  test("name their target by what the tool is given, uncut", () => {
    const call = (input: unknown) =>
      reading(
        json(init, {
          type: "assistant",
          message: {
            content: [
              { type: "text", text: "x" },
              { type: "tool_use", id: "1", name: "T", input }
            ]
          }
        }),
        exit(0)
      ).marks.map(({ target }) => target)
    expect(call({ description: "d", command: "ls -l" })).toEqual(["ls -l"])
    expect(call({ path: "/src", pattern: "TODO" })).toEqual(["TODO"])
    expect(call({ url: "http://x" })).toEqual(["http://x"])
    expect(call({ todos: [1] })).toEqual(['{"todos":[1]}'])
    expect(call({})).toEqual([""])
    expect(call("odd")).toEqual([""])
    expect(call({ command: "x".repeat(5000) })[0]).toHaveLength(5000)
  })

  test("are remembered up to a thousand open ones", () => {
    const begun = Array.from({ length: 1001 }, (_, n) => ({
      type: "assistant",
      message: { content: [{ type: "tool_use", id: `t${n}`, name: "T" }] }
    }))
    const ended = (id: string) => ({
      type: "user",
      message: { content: [{ type: "tool_result", tool_use_id: id }] }
    })
    const { marks } = reading(json(init, ...begun, ended("t0"), ended("t1")), exit(0))
    expect(marks.slice(1001)).toEqual([{ id: "t1", ok: true }])
  })

  test("end only where they began", () => {
    const lines = json(init, {
      type: "user",
      message: { content: [{ type: "tool_result", tool_use_id: "unknown" }] }
    })
    expect(reading(lines, exit(0)).marks).toEqual([])
  })
})

describe("denied permissions", () => {
  test("are findings of an attempt that is not failed by them", () => {
    const { told } = replay("denied")
    expect(told.exitStatus).toBe("ok")
    expect(told.diagnostics).toEqual([
      "permission_denied: Bash: printf 'by the stub\\n' > made.txt && echo done"
    ])
  })

  const denials = (...inputs: ReadonlyArray<unknown>) =>
    reading(
      json(init, {
        type: "result",
        subtype: "success",
        is_error: false,
        permission_denials: inputs.map((tool_input, n) => ({
          tool_name: "Bash",
          tool_use_id: `t${n}`,
          tool_input
        }))
      }),
      exit(0)
    ).told.diagnostics

  test("stand on one line each, and nothing is cut off that could be a part of a secret", () => {
    expect(denials({ command: "a\nb" }, {}, { command: "c".repeat(1001) })).toEqual([
      "permission_denied: Bash: a\\nb",
      "permission_denied: Bash",
      "permission_denied: Bash: (1001 characters, see stdout.log)"
    ])
  })

  test("are told once, though two results of a run name them", () => {
    const result = {
      type: "result",
      permission_denials: Array.from({ length: 50 }, (_, n) => ({
        tool_name: "Write",
        tool_use_id: `t${n}`,
        tool_input: { file_path: `/${n}` }
      }))
    }
    const { diagnostics } = reading(json(init, result, result), exit(0)).told
    expect(diagnostics).toHaveLength(50)
    expect(diagnostics.at(-1)).toBe("permission_denied: Write: /49")
  })

  test("are counted beyond fifty", () => {
    const told = denials(...Array.from({ length: 60 }, (_, n) => ({ command: `c${n}` })))
    expect(told).toHaveLength(51)
    expect(told.at(-1)).toBe("permission_denied: 10 more, see stdout.log")
  })
})

describe("the time that a server asks to wait", () => {
  test("is the delay of the last retry, where it is longer than claude's own", () => {
    // Retry-After was 7; claude adds up to a quarter.
    expect(seconds(replay("s429"))).toBe(8)
    expect(seconds(replay("s529"))).toBe(8)
  })

  test("is not claude's own back-off, nor that of a request that went well afterwards", () => {
    for (const name of ["s500", "t500", "connection", "s401", "x429"])
      expect(seconds(replay(name))).toBeNull()
  })

  const retry = (attempt: number, retry_delay_ms: number, error_status = 429) => ({
    type: "system",
    subtype: "api_retry",
    attempt,
    retry_delay_ms,
    error_status
  })
  const stamp = "2026-11-22T18:00:00.000Z"
  const failure = { type: "assistant", error: "rate_limit", timestamp: stamp, message: { content: [] } }
  const result = { type: "result", subtype: "success", is_error: true, api_error_status: 429, result: "no" }
  const wish = (...lines: ReadonlyArray<unknown>) => seconds(reading(json(init, ...lines), exit(1)))

  test("is told from claude's own by the attempt", () => {
    expect(wish(retry(1, 625), failure, result)).toBeNull()
    expect(wish(retry(1, 1001), failure, result)).toBe(2)
    expect(wish(retry(4, 5000), failure, result)).toBeNull()
    expect(wish(retry(10, 39_000), failure, result)).toBeNull()
    expect(wish(retry(10, 61_000), failure, result)).toBe(61)
  })

  test("counts only where the run failed by it", () => {
    const wentOn = { type: "assistant", message: { content: [] } }
    expect(wish(retry(1, 9000), wentOn, { ...result, api_error_status: 500 })).toBeNull()
    expect(wish(retry(1, 9000), wentOn, failure, result)).toBeNull()
    expect(wish(retry(1, 9000, 401), failure, result)).toBeNull()
  })

  test("is heard of any server that may do better later", () => {
    for (const status of [408, 429, 500, 502, 503, 504, 529])
      expect(wish(retry(1, 9000, status), { ...result, api_error_status: status })).toBe(9)
    expect(wish(retry(1, 9000, 400), { ...result, api_error_status: 400 })).toBeNull()
  })

  test("counts where somebody ended the run while it waited, but not where the runtime did", () => {
    const lines = json(init, retry(1, 9000))
    expect(seconds(reading(lines, exit(143)))).toBe(9)
    expect(seconds(reading(lines, { ending: { _tag: "TimedOut", afterMs: 5 } }))).toBeNull()
    expect(seconds(reading(lines, { ending: { _tag: "Stopped", reason: "cancel" } }))).toBeNull()
  })

  test("is the time until a subscription that is used up opens again", () => {
    const event = (status: string, resetsAt: number) => ({
      type: "rate_limit_event",
      rate_limit_info: { status, resetsAt, rateLimitType: "five_hour" }
    })
    const now = Date.parse(stamp) / 1000
    expect(wish(event("rejected", now + 3600), failure, result)).toBe(3600)
    expect(wish(event("allowed_warning", now + 3600), failure, result)).toBeNull()
    expect(wish(event("rejected", now - 1), failure, result)).toBeNull()
    const words = { ...result, result: "You've hit your session limit · resets 7pm" }
    const { told } = reading(json(init, event("rejected", now + 3600), failure, words), exit(1))
    expect([told.retryClass, told.retryAfterSeconds]).toEqual(["retryable", Option.some(3600)])
  })

  test("is none where waiting does not help", () => {
    expect(wish(retry(1, 9000), failure, { ...result, api_error_type: "billing_error" })).toBeNull()
  })
})

test("every recording is read to a verdict, and only those that went well are ok", () => {
  const ok = recordings.filter((name) => replay(name).told.exitStatus === "ok")
  expect(ok.toSorted()).toEqual(
    [
      "denied",
      "drop",
      "empty",
      "fenced",
      "foreign",
      "ok",
      "prose",
      "resumed",
      "ssefail",
      "tool",
      "trusted",
      "write",
      "x429"
    ].toSorted()
  )
})
