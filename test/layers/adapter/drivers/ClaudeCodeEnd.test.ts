import { expect, test } from "bun:test"
import { Option } from "effect"
import type { Ending } from "../../../../layers/adapter/Process.ts"
import { reading, replay } from "./ClaudeCodeRecordings.ts"

type Row = readonly [name: string, retryClass: string, reason: RegExp]

const rows: ReadonlyArray<Row> = [
  // What an operator must put right.
  ["s401", "none", /^Failed to authenticate\. API Error: 401 .*\(put a valid ANTHROPIC_API_KEY/],
  ["nologin", "none", /^Not logged in .*\(put a valid ANTHROPIC_API_KEY/],
  ["s404", "none", /selected model .*\(the provider does not serve this model/],
  ["s400", "none", /^API Error: 400 .*\(the same request would be refused again/],
  ["ctx", "none", /^Prompt is too long .*\(shorten the task/],
  ["refusal", "none", /can't help with this.*\(the model's safeguards stopped it/],
  ["maxbudget", "none", /^Reached maximum budget \(\$0\.01\) \(raise --max-budget-usd/],
  // What another attempt may mend.
  ["s429", "retryable", /^API Error: Request rejected \(429\)/],
  ["s500", "retryable", /^API Error: 500 /],
  ["s529", "retryable", /^API Error: 529 /],
  ["t500", "retryable", /^API Error: 500 /],
  ["connection", "retryable", /ECONNREFUSED/],
  ["truncated", "retryable", /exceeded the 32000 output token maximum/],
  ["maxturns", "retryable", /^Reached maximum number of turns \(2\)$/],
  ["interrupted", "retryable", /^interrupted by a signal from elsewhere \(aborted_tools\)$/],
  ["terminated", "retryable", /^exit code 143 without a result$/],
  // What never began.
  ["badflag", "permanent", /^exit code 1: error: unknown option '--no-such-flag' \(.*extraArgs/],
  ["unknownsession", "permanent", /^No conversation found with session ID: .*extraArgs/]
]

test.each(rows)("%s is an error of class %s that says why, on one line", (name, retryClass, reason) => {
  const { told } = replay(name)
  expect([told.exitStatus, told.retryClass]).toEqual(["error", expect.stringMatching(retryClass)])
  expect(Option.getOrThrow(told.reason)).toMatch(reason)
  expect(Option.getOrThrow(told.reason)).not.toContain("\n")
})

const init = { type: "system", subtype: "init", session_id: "s", model: "m" }
const ended = (result: object, trouble?: string, code = 1) =>
  reading(
    [
      init,
      { type: "assistant", error: trouble, message: { content: [] } },
      { type: "result", num_turns: 1, is_error: true, subtype: "success", result: "words", ...result }
    ].map((line) => JSON.stringify(line)),
    { ending: { _tag: "Exited", code }, stderr: "noise\nlast words\n" }
  ).told
const spent = { model_usage_since_last_result: { m: { inputTokens: 1, outputTokens: 1 } } }

test.each([
  ["billing_error", /add credit/],
  ["account_on_hold", /the account's administrator/],
  ["oauth_org_not_allowed", /the account's administrator/],
  ["cloud_credential_error", /put a valid/],
  ["model_not_found", /does not serve this model/]
])("the failure %s waits for an operator, whatever its status", (trouble, remedy) => {
  const told = ended({ api_error_status: 400, ...spent }, trouble)
  expect([told.exitStatus, told.retryClass]).toEqual(["error", "none"])
  expect(Option.getOrThrow(told.reason)).toMatch(remedy)
})

test.each([
  [{ api_error_type: "billing_error", api_error_status: 400 }, /add credit/],
  [{ api_error_type: "authentication_error" }, /put a valid/],
  [
    { result: "Your credit balance is too low to access the Anthropic API", api_error_status: 400 },
    /add credit/
  ],
  [{ result: "Not logged in · Please run /login" }, /put a valid/],
  [{ result: "Invalid API key · Fix external API key" }, /put a valid/],
  [{ result: "OAuth token revoked · Please run /login" }, /put a valid/],
  [{ result: 'API Error: 401 {"type":"error"}' }, /put a valid/],
  [{ result: "Please run /login · API Error: 403 forbidden" }, /put a valid/],
  [{ result: "API Error: 404 no such model" }, /does not serve this model/]
])("what the provider or claude itself calls by its name waits for an operator: %j", (result, remedy) => {
  const told = ended({ ...result, ...spent })
  expect([told.exitStatus, told.retryClass]).toEqual(["error", "none"])
  expect(Option.getOrThrow(told.reason)).toMatch(remedy)
})

test.each([
  ["Not logged in · Please run /login", "put a valid ANTHROPIC_API_KEY"],
  ["Invalid API key · Fix external API key", "put a valid ANTHROPIC_API_KEY"],
  ["Invalid API key · Please run /login", "put a valid ANTHROPIC_API_KEY"],
  ["Credit balance is too low", "add credit"],
  ["Failed to authenticate. API Error: 401 no", "put a valid ANTHROPIC_API_KEY"]
])(
  "what it says in plain text before it begins waits for an operator, on either output: %s",
  (words, remedy) => {
    for (const [stdout, stderr] of [
      [[words], ""],
      [[], `${words}\n`],
      [[words], "[WARN] an old version\n"]
    ] as const) {
      const { told } = reading(stdout, { ending: { _tag: "Exited", code: 1 }, stderr })
      expect([told.exitStatus, told.retryClass]).toEqual(["error", "none"])
      expect(Option.getOrThrow(told.reason)).toStartWith(`${words} (${remedy}`)
    }
  }
)

test("plain text of a run that began, or that says something else, is judged as before", () => {
  const of = (lines: ReadonlyArray<string>, stderr: string) =>
    reading(lines, { ending: { _tag: "Exited", code: 1 }, stderr }).told.retryClass
  expect(of([JSON.stringify(init)], "Not logged in · Please run /login\n")).toBe("retryable")
  expect(of([], "API Error: 500 oops\n")).toBe("retryable")
  expect(of([], "error: the flag says: Not logged in\n")).toBe("permanent")
})

test("what a model says is no failure that it names", () => {
  const told = ended({ is_error: false, result: "Credit balance is too low" })
  expect([told.exitStatus, told.retryClass]).toEqual(["error", "retryable"])
})

test("a status that says it all needs no name", () => {
  expect(ended({ api_error_status: 403 }).retryClass).toBe("none")
  expect(ended({ api_error_status: 402 }).retryClass).toBe("none")
})

test.each([
  [{ api_error_status: 400 }, /the same request would be refused again/],
  [{ api_error_status: 422 }, /the same request would be refused again/],
  [{ api_error_status: 451 }, /the same request would be refused again/],
  [{ api_error_status: 413 }, /max_prompt_chars/],
  [{ terminal_reason: "prompt_too_long", api_error_status: 400 }, /max_prompt_chars/],
  [{ terminal_reason: "blocking_limit" }, /max_prompt_chars/]
])("a request that is refused waits for an operator, in the middle of the work too: %j", (result, remedy) => {
  for (const one of [result, { ...result, ...spent, usage: { input_tokens: 900, output_tokens: 40 } }]) {
    const told = ended(one)
    expect([told.exitStatus, told.retryClass]).toEqual(["error", "none"])
    expect(Option.getOrThrow(told.reason)).toMatch(remedy)
  }
})

test("a status that asks to come back later is no refusal", () => {
  for (const api_error_status of [408, 409, 425, 429, 499, 500, 503, 529])
    expect([api_error_status, ended({ api_error_status }).retryClass]).toEqual([
      api_error_status,
      "retryable"
    ])
})

test.each([
  "Claude AI usage limit reached|1798700000",
  "You've hit your weekly limit · resets Dec 3, 9am",
  "You’ve reached your session limit",
  "You're out of usage credits. See Usage in Settings",
  "Your org is out of usage · contact your admin",
  "Your group's usage limit is set to $0",
  "Opus 5 requires usage credits. Switch to another model to continue."
])("a plan that is used up waits for an operator where nothing says when it opens again: %s", (words) => {
  const told = ended({ result: words, api_error_status: 429, ...spent }, "rate_limit")
  expect([told.exitStatus, told.retryClass]).toEqual(["error", "none"])
  expect(Option.getOrThrow(told.reason)).toStartWith(words)
  expect(Option.getOrThrow(told.reason)).toContain("use another adapter")
  expect(told.retryAfterSeconds).toEqual(Option.none())
})

test("a model that speaks of a used up plan has not failed by it", () => {
  expect(ended({ is_error: false, result: "You've hit your weekly limit" }).retryClass).toBe("retryable")
})

test.each([[[]], [[JSON.stringify(init)]]])("a refusal to run as root says what mends it: %j", (lines) => {
  const { told } = reading(lines, {
    ending: { _tag: "Exited", code: 1 },
    stderr:
      "noise\n--dangerously-skip-permissions cannot be used with root/sudo privileges for security reasons\n"
  })
  expect([told.exitStatus, told.retryClass]).toEqual(["error", "permanent"])
  expect(Option.getOrThrow(told.reason)).toMatch(/root\/sudo.*\(run the dispatcher as another user/)
})

test("an answer that did not fit the schema five times may fit another time", () => {
  const told = ended({
    subtype: "error_max_structured_output_retries",
    result: undefined,
    errors: ["no valid answer", "five times"]
  })
  expect([told.exitStatus, told.retryClass]).toEqual(["error", "retryable"])
  expect(Option.getOrThrow(told.reason)).toBe("no valid answer; five times")
})

test("a result without words is explained by stderr", () => {
  expect(Option.getOrThrow(ended({ result: undefined }).reason)).toBe("last words")
})

test("an exit code other than 0 is an error, whatever the result says", () => {
  const told = ended({ is_error: false })
  expect([told.exitStatus, told.retryClass]).toEqual(["error", "retryable"])
  expect(Option.getOrThrow(told.reason)).toBe("exit code 1: words")
  expect(ended({ is_error: false }, undefined, 0).exitStatus).toBe("ok")
})

test("exit 0 is an error where the result is one, where it was aborted, and where there is none", () => {
  expect(ended({}, undefined, 0).exitStatus).toBe("error")
  expect(ended({ is_error: false, terminal_reason: "aborted_streaming" }, undefined, 0).exitStatus).toBe(
    "error"
  )
  const { told } = reading([], { ending: { _tag: "Exited", code: 0 } })
  expect([told.exitStatus, told.retryClass]).toEqual(["error", "retryable"])
  expect(Option.getOrThrow(told.reason)).toBe("exit code 0 without a result")
})

test("a signal before it began is no refusal of its arguments", () => {
  const { told } = reading([], { ending: { _tag: "Exited", code: 143 } })
  expect([told.exitStatus, told.retryClass]).toEqual(["error", "retryable"])
})

const endings: ReadonlyArray<readonly [what: string, Ending, string, string, string | null]> = [
  ["a timeout", { _tag: "TimedOut", afterMs: 900 }, "timeout", "retryable", null],
  ["silence", { _tag: "Silent", forMs: 300 }, "timeout", "retryable", null],
  ["a signal", { _tag: "Killed", signal: "SIGKILL" }, "error", "retryable", "killed by SIGKILL"],
  ["a cancel", { _tag: "Stopped", reason: "cancel" }, "canceled", "none", null],
  ["a drain", { _tag: "Stopped", reason: "drain" }, "canceled", "none", null]
]

test.each(endings)(
  "%s is no success, even with a result that is one",
  (_, ending, exitStatus, retryClass, reason) => {
    const { told } = replay("ok", { ending })
    expect<ReadonlyArray<unknown>>([told.exitStatus, told.retryClass, Option.getOrNull(told.reason)]).toEqual(
      [exitStatus, retryClass, reason]
    )
  }
)

test("a timeout adds what the last request failed by", () => {
  const lines = [init, { type: "assistant", error: "server_error", message: { content: [] } }]
  const { told } = reading(
    lines.map((line) => JSON.stringify(line)),
    { ending: { _tag: "TimedOut", afterMs: 9 } }
  )
  expect(told.reason).toEqual(Option.some("the last request failed: server_error"))
})
