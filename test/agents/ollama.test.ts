import { afterAll, expect, setDefaultTimeout, test } from "bun:test"
import type { House } from "../support/agents.ts"
import { RETRY_AFTER } from "../support/models/scenario.ts"
import { ends, type Row, Stage } from "./stage.ts"

setDefaultTimeout(60_000)

const ollama = (house: House, more: Readonly<Record<string, unknown>> = {}) => ({
  mode: "ollama-generate",
  endpoint: house.url(),
  model: "stub",
  timeoutMs: 20_000,
  ...more
})

let opened: Promise<Stage> | undefined
const stage = () => {
  opened ??= Stage.open({
    apart: false,
    adapters: (house) => ({
      free: ollama(house),
      limited: ollama(house),
      hasty: ollama(house, { timeoutMs: 1_000 }),
      quiet: ollama(house, { noOutputTimeoutMs: 500 }),
      nowhere: ollama(house, { endpoint: "http://127.0.0.1:9" }),
      unknown: ollama(house, { model: "absent" }),
      small: ollama(house, { options: { num_ctx: 512 } })
    })
  })
  return opened
}

afterAll(async () => {
  const one = await opened
  await one?.write("ollama-generate")
  await one?.close()
})

const { again, canceled, caught, done, late, operator, unreadable } = ends
const usage = { output_tokens: 80, cached_tokens: null, cost_usd: null }

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
    reason: "exit_error: the answer was cut off (done_reason length)"
  },
  {
    when: "an unknown model",
    act: { scenario: "ok", adapter: "unknown" },
    ...operator,
    reason: /^needs_operator: .*absent.*ollama pull absent/
  },
  {
    when: "a prompt that the configured context would truncate",
    act: { scenario: "ok", adapter: "small", payload: { text: "word ".repeat(2_000) } },
    ...operator,
    reason: /^needs_operator: .*num_ctx/
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
    reason: /^exit_error: .*127\.0\.0\.1:9/,
    issues: ["context_unknown:"]
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
  test(`ollama-generate, ${row.when}: ${row.status}`, async () => {
    await (await stage()).hold(row)
  })

test("ollama-generate, canceled by force while the server is silent: operator_canceled", async () => {
  const on = await stage()
  const row = { when: "a force cancel", act: { scenario: "hang", adapter: "free" }, ...canceled }
  await on.hold(row, (act) => on.cancel(act))
})

test("ollama-generate is handed a payload of 200 KB whole", async () => {
  const on = await stage()
  const text = `${"0123456789".repeat(20_000)}the end`
  const { requests } = await on.hold({
    when: "a payload of 200 KB",
    act: { scenario: "ok", adapter: "free", payload: { text } },
    ...done
  })
  expect(requests.filter(({ body }) => body.includes(text))).toHaveLength(1)
})
