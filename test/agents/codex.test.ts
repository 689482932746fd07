import { afterAll, expect, setDefaultTimeout } from "bun:test"
import { MADE, MADE_TEXT } from "../support/models/scenario.ts"
import { needs } from "../support/needs.ts"
import { codex } from "./programs.ts"
import { ends, ofThisRun, type Row, Stage, WORK } from "./stage.ts"

setDefaultTimeout(60_000)

const test = needs("a network of its own", "ip", "codex")
let opened: Promise<Stage> | undefined
const stage = () => {
  opened ??= Stage.open({
    apart: true,
    adapters: (house) => ({
      free: codex(house),
      limited: codex(house),
      restricted: codex(house, { autonomy: "restricted", sandbox: "read-only" }),
      hasty: codex(house, { timeoutMs: 2_000 }),
      quiet: codex(house, { noOutputTimeoutMs: 1_000 }),
      nowhere: codex(house, { providerBaseUrl: "http://127.0.0.1:9/v1" }),
      keyless: codex(house, { providerEnvKey: "ABSENT_KEY" })
    })
  })
  return opened
}

afterAll(async () => {
  const one = await opened
  await one?.write("codex")
  await one?.close()
})

const usage = { input_tokens: 1200, output_tokens: 80, cached_tokens: 200, cost_usd: null }
const twice = { input_tokens: 2400, output_tokens: 160, cached_tokens: 400, cost_usd: null }
const { again, canceled, caught, done, late, operator, unreadable } = ends

const rows: ReadonlyArray<Row> = [
  { when: "a bare outcome", often: true, act: { scenario: "ok", adapter: "free" }, ...done, usage },
  {
    when: "a tool call that makes a file",
    often: true,
    act: { scenario: "tool", adapter: "free" },
    ...done,
    usage: twice
  },
  { when: "an outcome in a fence, in prose", act: { scenario: "fenced", adapter: "free" }, ...done, usage },
  {
    when: "a tool call that leaves children behind",
    act: { scenario: "bgtool codex-left", adapter: "free" },
    ...done,
    usage: twice
  },
  {
    when: "prose instead of an outcome",
    often: true,
    act: { scenario: "prose", adapter: "free" },
    ...unreadable,
    reason: "outcome_undecodable: no JSON object with a status",
    usage
  },
  {
    when: "an empty answer",
    act: { scenario: "empty", adapter: "free" },
    ...unreadable,
    reason: "outcome_undecodable: the answer is empty",
    usage
  },
  {
    when: "a refusal",
    act: { scenario: "refusal", adapter: "free" },
    ...unreadable,
    reason: "outcome_undecodable: no JSON object with a status",
    usage
  },
  {
    when: "a tool call that the sandbox stops, its effect claimed",
    often: true,
    act: { scenario: "write denied.txt", adapter: "restricted" },
    ...caught,
    issues: [/denied\.txt/]
  },
  {
    when: "an answer cut off by the model's output limit",
    act: { scenario: "truncated", adapter: "free" },
    ...again,
    reason: /^exit_error: .*max_output_tokens/
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
    reason: /^needs_operator: .*401.*key/
  },
  { when: "403", act: { scenario: "s403", adapter: "free" }, ...operator, reason: /^needs_operator: .*403/ },
  {
    when: "an unknown model (404)",
    act: { scenario: "s404", adapter: "free" },
    ...operator,
    reason: /^needs_operator: .*model/
  },
  // Its probe fails, and there is no fallback: it is tried and cannot start.
  {
    when: "no key in the variable that providerEnvKey names",
    act: { scenario: "ok", adapter: "keyless" },
    status: "permanent_failure",
    exit: "error",
    retry: "permanent",
    reason: "cannot_start: cannot start: providerEnvKey names ABSENT_KEY"
  },
  {
    when: "a spent quota",
    act: { scenario: "quota", adapter: "free" },
    ...operator,
    reason: /^needs_operator: .*uota/
  },
  {
    when: "a prompt beyond the context window",
    act: { scenario: "ctx", adapter: "free" },
    ...operator,
    reason: /^needs_operator: .*context window/
  },
  // codex tells neither the status nor the Retry-After of a reply: the attempt counts.
  { when: "429", often: true, act: { scenario: "s429", adapter: "limited" }, ...again, reason: /429/ },
  { when: "500", act: { scenario: "s500", adapter: "free" }, ...again, reason: /^exit_error: .*high demand/ },
  {
    when: "a stream that is cut",
    often: true,
    act: { scenario: "drop", adapter: "free" },
    ...again,
    reason: /^exit_error: .*stream disconnected/
  },
  {
    when: "a stream that fails",
    act: { scenario: "ssefail", adapter: "free" },
    ...again,
    reason: /^exit_error: .*stream disconnected/
  },
  {
    when: "a refused connection",
    act: { scenario: "ok", adapter: "nowhere" },
    ...again,
    reason: /^exit_error: .*(Connection failed|connection refused)/
  },
  {
    when: "a server that does not answer",
    act: { scenario: "hang", adapter: "quiet" },
    ...late,
    reason: "timeout: no output for 1000 ms"
  },
  {
    when: "a stream that falls silent",
    act: { scenario: "stall", adapter: "quiet" },
    ...late,
    reason: "timeout: no output for 1000 ms"
  },
  {
    when: "a tool call beyond the timeout",
    often: true,
    act: { scenario: "sleeptool codex-late", adapter: "hasty" },
    ...late,
    reason: "timeout: timed out after 2000 ms"
  }
]

for (const row of ofThisRun(rows))
  test(`codex, ${row.when}: ${row.status}`, async () => {
    await (await stage()).hold(row)
  })

test("what codex's tool call made is there", async () => {
  const { place } = await stage()
  expect(await Bun.file(place.path(WORK, MADE)).text()).toBe(MADE_TEXT)
})

test("codex, canceled by force while a tool call runs: operator_canceled, and nothing is left", async () => {
  const on = await stage()
  const row = {
    when: "a force cancel during a tool call",
    act: { scenario: "sleeptool codex-canceled", adapter: "free" },
    ...canceled
  }
  await on.hold(row, (act) => on.cancel(act))
})

test("codex is handed a payload of 200 KB whole", async () => {
  const on = await stage()
  const text = `${"0123456789".repeat(20_000)}the end`
  const { requests } = await on.hold({
    when: "a payload of 200 KB",
    act: { scenario: "ok", adapter: "free", payload: { text } },
    ...done,
    usage
  })
  expect(requests.filter(({ body }) => body.includes(text))).toHaveLength(1)
})
