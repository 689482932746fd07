import { afterAll, expect, setDefaultTimeout, test } from "bun:test"
import type { House } from "../support/agents.ts"
import { RETRY_AFTER } from "../support/models/scenario.ts"
import { ends, type Row, Stage } from "./stage.ts"

setDefaultTimeout(60_000)

const chat = (house: House, more: Readonly<Record<string, unknown>> = {}) => ({
  mode: "openai-chat",
  endpoint: house.url("/v1"),
  model: "stub",
  timeoutMs: 20_000,
  ...more
})

let opened: Promise<Stage> | undefined
const stage = () => {
  opened ??= Stage.open({
    apart: false,
    adapters: (house) => ({
      free: chat(house),
      limited: chat(house),
      hasty: chat(house, { timeoutMs: 1_000 }),
      quiet: chat(house, { noOutputTimeoutMs: 500 }),
      nowhere: chat(house, { endpoint: "http://127.0.0.1:9/v1" })
    })
  })
  return opened
}

afterAll(async () => {
  const one = await opened
  await one?.write("openai-chat")
  await one?.close()
})

const { again, canceled, caught, done, late, operator, unreadable } = ends
const usage = { input_tokens: 1200, output_tokens: 80, cached_tokens: 200, cost_usd: null }

const rows: ReadonlyArray<Row> = [
  { when: "a bare outcome", act: { scenario: "ok", adapter: "free" }, ...done, usage },
  { when: "an outcome that comes slowly", act: { scenario: "slow", adapter: "free" }, ...done, usage },
  { when: "an outcome in a fence, in prose", act: { scenario: "fenced", adapter: "free" }, ...done, usage },
  {
    when: "a file that was never made, claimed",
    act: { scenario: "tool", adapter: "free" },
    ...caught,
    issues: [/made-by-the-model/],
    usage
  },
  {
    when: "prose instead of an outcome",
    act: { scenario: "prose", adapter: "free" },
    ...unreadable,
    reason: "outcome_undecodable: no JSON object with a status",
    usage
  },
  {
    when: "an empty answer",
    act: { scenario: "empty", adapter: "free" },
    ...unreadable,
    reason: "outcome_undecodable: the answer is empty"
  },
  {
    when: "an answer cut off by the model's output limit",
    act: { scenario: "truncated", adapter: "free" },
    ...again,
    reason: /^exit_error: .*length/,
    usage
  },
  {
    when: "an answer that a filter stopped",
    act: { scenario: "refusal", adapter: "free" },
    ...operator,
    reason: /^needs_operator: .*content_filter/,
    usage
  },
  {
    when: "an unknown model (404)",
    act: { scenario: "s404", adapter: "free" },
    ...operator,
    reason: /^needs_operator: .*answered 404.*model/
  },
  {
    when: "a spent quota",
    act: { scenario: "quota", adapter: "free" },
    ...operator,
    reason: /^needs_operator: .*quota/
  },
  {
    when: "429 with Retry-After",
    act: { scenario: "s429", adapter: "limited" },
    ...again,
    reason: "rate_limited:",
    attemptCount: 0,
    waits: RETRY_AFTER
  },
  {
    when: "500",
    act: { scenario: "s500", adapter: "free" },
    ...again,
    reason: /^exit_error: .*answered 500/
  },
  {
    when: "a stream that is cut",
    act: { scenario: "drop", adapter: "free" },
    ...again,
    reason: "exit_error:"
  },
  {
    when: "a stream that fails",
    act: { scenario: "ssefail", adapter: "free" },
    ...again,
    reason: /^exit_error: .*the stub fails/
  },
  {
    when: "a refused connection",
    act: { scenario: "ok", adapter: "nowhere" },
    ...again,
    reason: /^exit_error: .*127\.0\.0\.1:9/
  },
  {
    when: "a server that does not answer",
    act: { scenario: "hang", adapter: "quiet" },
    ...late,
    reason: "timeout: no output for 500 ms"
  },
  {
    when: "a stream that falls silent",
    act: { scenario: "stall", adapter: "quiet" },
    ...late,
    reason: "timeout: no output for 500 ms"
  },
  {
    when: "a server beyond the timeout",
    act: { scenario: "hang", adapter: "hasty" },
    ...late,
    reason: "timeout: timed out after 1000 ms"
  },
  {
    when: "400",
    act: { scenario: "s400", adapter: "free" },
    ...operator,
    reason: /^needs_operator: .*answered 400: the stub answers 400/
  },
  {
    when: "401",
    act: { scenario: "s401", adapter: "free" },
    ...operator,
    reason: /^needs_operator: .*answered 401/
  },
  {
    when: "a prompt beyond the context window",
    act: { scenario: "ctx", adapter: "free" },
    ...operator,
    reason: /^needs_operator: .*context/
  }
]

for (const row of rows)
  test(`openai-chat, ${row.when}: ${row.status}`, async () => {
    await (await stage()).hold(row)
  })

test("openai-chat, canceled by force while the server is silent: operator_canceled", async () => {
  const on = await stage()
  const row = { when: "a force cancel", act: { scenario: "hang", adapter: "free" }, ...canceled }
  await on.hold(row, (act) => on.cancel(act))
})

test("openai-chat is handed a payload of 200 KB whole", async () => {
  const on = await stage()
  const text = `${"0123456789".repeat(20_000)}the end`
  const { requests } = await on.hold({
    when: "a payload of 200 KB",
    act: { scenario: "ok", adapter: "free", payload: { text } },
    ...done
  })
  expect(requests.filter(({ body }) => body.includes(text))).toHaveLength(1)
})
