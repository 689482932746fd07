import { afterAll, expect, setDefaultTimeout } from "bun:test"
import { MADE, MADE_TEXT } from "../support/models/scenario.ts"
import { needs } from "../support/needs.ts"
import { claude } from "./programs.ts"
import { ends, ofThisRun, type Row, Stage, WORK } from "./stage.ts"

setDefaultTimeout(60_000)

const test = needs("a network of its own", "ip", "claude")
let opened: Promise<Stage> | undefined
const stage = () => {
  opened ??= Stage.open({
    apart: true,
    adapters: (house) => ({
      free: claude(house),
      limited: claude(house, { env: { CLAUDE_CODE_MAX_RETRIES: "1" } }),
      foreign: claude(house, { model: "stub" }),
      restricted: claude(house, { autonomy: "restricted" }),
      hasty: claude(house, { timeoutMs: 2_000 }),
      quiet: claude(house, { noOutputTimeoutMs: 1_500 }),
      nowhere: claude(house, { env: { ANTHROPIC_BASE_URL: "http://127.0.0.1:9" } }),
      keyless: claude(house, { env: { ANTHROPIC_API_KEY: "" } })
    })
  })
  return opened
}

afterAll(async () => {
  const one = await opened
  await one?.write("claude-code")
  await one?.close()
})

const cost_usd = expect.any(Number)
// It is told to answer by a tool, and asks again where the model answers in words.
const once = { input_tokens: 1200, output_tokens: 80, cached_tokens: 200, cost_usd }
const twice = { input_tokens: 2400, output_tokens: 160, cached_tokens: 400, cost_usd }
const untold = "the cost is not known:"
const { again, canceled, caught, done, late, operator, unreadable } = ends

const rows: ReadonlyArray<Row> = [
  { when: "a bare outcome", often: true, act: { scenario: "ok", adapter: "free" }, ...done, usage: once },
  {
    when: "a tool call that makes a file",
    often: true,
    act: { scenario: "tool", adapter: "free" },
    ...done,
    usage: twice
  },
  {
    when: "an outcome in a fence, in prose",
    act: { scenario: "fenced", adapter: "free" },
    ...done,
    usage: twice
  },
  {
    when: "a tool call that leaves children behind",
    act: { scenario: "bgtool claude-left", adapter: "free" },
    ...done,
    usage: twice
  },
  {
    when: "prose instead of an outcome",
    act: { scenario: "prose", adapter: "free" },
    ...unreadable,
    reason: "outcome_undecodable: no JSON object with a status",
    usage: twice
  },
  {
    when: "an empty answer",
    act: { scenario: "empty", adapter: "free" },
    ...unreadable,
    reason: "outcome_undecodable: the answer is empty",
    usage: { input_tokens: 3600, output_tokens: 240, cached_tokens: 600 }
  },
  {
    when: "a refusal",
    act: { scenario: "refusal", adapter: "free" },
    ...operator,
    reason: /^needs_operator: .*safeguards flagged/,
    usage: twice
  },
  {
    when: "a tool call that is denied, its effect claimed",
    often: true,
    act: { scenario: "tool", adapter: "restricted" },
    ...caught,
    issues: [/made-by-the-model/, "permission_denied: Bash:"],
    usage: twice
  },
  {
    when: "a tool call that is denied, without a claim",
    act: { scenario: "denied", adapter: "restricted" },
    ...done,
    issues: ["permission_denied: Bash:"],
    usage: twice
  },
  {
    when: "an answer cut off by the model's output limit",
    act: { scenario: "truncated", adapter: "free" },
    ...again,
    reason: /^exit_error: .*output token maximum/
  },
  {
    when: "400",
    act: { scenario: "s400", adapter: "free" },
    ...operator,
    reason: /^needs_operator: .*answers 400/
  },
  {
    when: "401",
    often: true,
    act: { scenario: "s401", adapter: "free" },
    ...operator,
    reason: /^needs_operator: .*401.*KEY/
  },
  {
    when: "403",
    act: { scenario: "s403", adapter: "free" },
    ...operator,
    reason: /^needs_operator: .*403.*KEY/
  },
  {
    when: "an unknown model (404)",
    act: { scenario: "s404", adapter: "free" },
    ...operator,
    reason: /^needs_operator: .*selected model/
  },
  {
    when: "no key",
    act: { scenario: "ok", adapter: "keyless" },
    ...operator,
    reason: /^needs_operator: .*KEY/
  },
  {
    when: "spent credit",
    act: { scenario: "quota", adapter: "free" },
    ...operator,
    reason: /^needs_operator: Credit balance.*credit/
  },
  {
    when: "a prompt beyond the context window",
    act: { scenario: "ctx", adapter: "free" },
    ...operator,
    reason: /^needs_operator: Prompt is too long/
  },
  // It gives up at once and does not tell for how long it was told to wait: the attempt counts.
  {
    when: "429 with a Retry-After of 900 s",
    often: true,
    act: { scenario: "s429", adapter: "free" },
    ...again,
    reason: /^exit_error: .*429/
  },
  { when: "500", act: { scenario: "s500", adapter: "free" }, ...again, reason: /^exit_error: .*answers 500/ },
  // It asks again without streaming; the tokens of all requests count.
  { when: "a stream that is cut", act: { scenario: "drop", adapter: "free" }, ...done },
  { when: "a stream that fails", act: { scenario: "ssefail", adapter: "free" }, ...done },
  {
    when: "a refused connection",
    act: { scenario: "ok", adapter: "nowhere" },
    ...again,
    reason: /^exit_error: .*ECONNREFUSED/
  },
  {
    when: "a model without a list price",
    act: { scenario: "ok", adapter: "foreign" },
    ...done,
    usage: { ...once, cost_usd: null },
    issues: [untold]
  },
  {
    when: "a server that does not answer",
    act: { scenario: "hang", adapter: "quiet" },
    ...late,
    reason: "timeout: no output for 1500 ms"
  },
  {
    when: "a stream that falls silent",
    act: { scenario: "stall", adapter: "quiet" },
    ...late,
    reason: "timeout: no output for 1500 ms"
  },
  {
    when: "a tool call beyond the timeout",
    act: { scenario: "sleeptool claude-late", adapter: "hasty" },
    ...late,
    reason: "timeout: timed out after 2000 ms"
  }
]

for (const row of ofThisRun(rows))
  test(`claude-code, ${row.when}: ${row.status}`, async () => {
    await (await stage()).hold(row)
  })

test("what claude-code's tool call made is there", async () => {
  const { place } = await stage()
  expect(await Bun.file(place.path(WORK, MADE)).text()).toBe(MADE_TEXT)
})

test("claude-code, canceled by force while a tool call runs: operator_canceled, and nothing is left", async () => {
  const on = await stage()
  const row = {
    when: "a force cancel during a tool call",
    act: { scenario: "sleeptool claude-canceled", adapter: "free" },
    ...canceled
  }
  await on.hold(row, (act) => on.cancel(act))
})

test("claude-code is handed a payload of 200 KB whole", async () => {
  const on = await stage()
  const text = `${"0123456789".repeat(20_000)}the end`
  const { requests } = await on.hold({
    when: "a payload of 200 KB",
    act: { scenario: "ok", adapter: "free", payload: { text } },
    ...done,
    usage: once
  })
  expect(requests.filter(({ body }) => body.includes(text))).toHaveLength(1)
})

// The last one: its task is due again soon.
test("claude-code, 429 with Retry-After: another attempt after that time, this one not counted", async () => {
  await (await stage()).hold({
    when: "429 with a Retry-After of 2 s, twice",
    act: { scenario: "s429 2", adapter: "limited" },
    ...again,
    reason: "rate_limited: rate limited: to be tried again in 3 s, says the adapter",
    attemptCount: 0
  })
})
