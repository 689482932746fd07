import { afterAll, expect, setDefaultTimeout, test } from "bun:test"
import { join } from "node:path"
import { MADE, MADE_TEXT } from "../support/models/scenario.ts"
import { ends, type Row, Stage, WORK } from "./stage.ts"

setDefaultTimeout(60_000)

// There is no hermes here: a program that prints what hermes prints stands for it, its model servers with it.
// What hermes does by itself (its retries, its approvals) and what it says of a context that is too small, of a
// refusal and of a denied tool are out of reach.
const hermes = (more: Readonly<Record<string, unknown>> = {}) => ({
  mode: "agent-cli",
  driver: "hermes-agent",
  command: join(import.meta.dir, "../support/children/hermes.sh"),
  workingDir: WORK,
  timeoutMs: 20_000,
  ...more
})

let opened: Promise<Stage> | undefined
const stage = () => {
  opened ??= Stage.open({
    apart: false,
    adapters: () => ({
      free: hermes({ autonomy: "trusted-vm" }),
      hinted: hermes({ retryHintService: "generic" }),
      hasty: hermes({ timeoutMs: 1_000 }),
      quiet: hermes({ noOutputTimeoutMs: 500 })
    })
  })
  return opened
}

afterAll(async () => {
  const one = await opened
  await one?.write("hermes-agent (a program that prints what hermes prints)")
  await one?.close()
})

const { again, canceled, done, late, operator, unreadable } = ends
const usage = { input_tokens: 1200, output_tokens: 80, cached_tokens: 200, cost_usd: null }

const rows: ReadonlyArray<Row> = [
  { when: "a bare outcome", act: { scenario: "ok", adapter: "free" }, ...done, usage },
  { when: "a tool call that makes a file", act: { scenario: "tool", adapter: "free" }, ...done, usage },
  { when: "an outcome in a fence, in prose", act: { scenario: "fenced", adapter: "free" }, ...done, usage },
  {
    when: "a tool call that leaves children behind",
    act: { scenario: "bgtool hermes-left", adapter: "free" },
    ...done,
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
    reason: "outcome_undecodable: the answer is empty",
    usage
  },
  {
    when: "an answer cut off by the model's output limit",
    act: { scenario: "truncated", adapter: "free" },
    ...unreadable,
    reason: "outcome_undecodable:",
    issues: ["hermes reported: Response truncated"]
  },
  {
    when: "401",
    act: { scenario: "s401", adapter: "free" },
    ...operator,
    reason: /^needs_operator: .*401.*key/
  },
  {
    when: "an unknown model (404)",
    act: { scenario: "s404", adapter: "free" },
    ...operator,
    reason: /^needs_operator: .*404.*model/
  },
  {
    when: "a spent quota",
    act: { scenario: "quota", adapter: "free" },
    ...operator,
    reason: /^needs_operator: .*quota.*credit/
  },
  {
    when: "429",
    act: { scenario: "s429", adapter: "free" },
    ...again,
    reason: "exit_error: exit code 1: HTTP 429"
  },
  // Its words are read for a hint only where the adapter names a service whose words they are.
  {
    when: "429, with retryHintService generic",
    act: { scenario: "s429", adapter: "hinted" },
    ...again,
    reason: "rate_limited:",
    attemptCount: 0,
    waits: 900
  },
  {
    when: "500",
    act: { scenario: "s500", adapter: "free" },
    ...again,
    reason: "exit_error: exit code 1: HTTP 500"
  },
  {
    when: "a refused connection",
    act: { scenario: "refused", adapter: "free" },
    ...again,
    reason: "exit_error: exit code 1: API call failed"
  },
  {
    when: "a program that is killed in the middle",
    act: { scenario: "drop", adapter: "free" },
    ...again,
    reason: "exit_error: killed by SIGKILL"
  },
  {
    when: "a program that says nothing",
    act: { scenario: "hang", adapter: "quiet" },
    ...late,
    reason: "timeout: no output for 500 ms"
  },
  {
    when: "a program that falls silent",
    act: { scenario: "stall", adapter: "quiet" },
    ...late,
    reason: "timeout: no output for 500 ms"
  },
  {
    when: "a tool call beyond the timeout",
    act: { scenario: "sleeptool hermes-late", adapter: "hasty" },
    ...late,
    reason: "timeout: timed out after 1000 ms"
  },
  {
    when: "a payload of 200 KB",
    act: { scenario: "size", adapter: "free", payload: { text: "x".repeat(200_000) } },
    ...done,
    reason: /^completed: 20\d{4} characters/,
    usage
  }
]

for (const row of rows)
  test(`hermes-agent, ${row.when}: ${row.status}`, async () => {
    await (await stage()).hold(row)
  })

test("what hermes's tool call made is there", async () => {
  const { place } = await stage()
  expect(await Bun.file(place.path(WORK, MADE)).text()).toBe(MADE_TEXT)
})

test("hermes-agent, canceled by force while a tool call runs: operator_canceled, and nothing is left", async () => {
  const on = await stage()
  const row = {
    when: "a force cancel during a tool call",
    act: { scenario: "sleeptool hermes-canceled", adapter: "free" },
    ...canceled
  }
  await on.hold(row, (act) => on.cancel(act))
})
