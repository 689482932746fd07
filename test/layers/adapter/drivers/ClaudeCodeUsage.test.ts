import { expect, test } from "bun:test"
import { Option } from "effect"
import type { Plan } from "../../../../layers/adapter/drivers/Driver.ts"
import { unknownUsage } from "../../../../src/domain/Usage.ts"
import { plan, reading, replay } from "./ClaudeCodeRecordings.ts"

type Told = ReturnType<typeof replay>["told"]

const figures = ({ usage }: Told) => [
  Option.getOrNull(usage.inputTokens),
  Option.getOrNull(usage.cachedTokens),
  Option.getOrNull(usage.outputTokens),
  Option.getOrNull(usage.costUsd)
]

test("input holds what came from the cache and what went into it", () => {
  // 1000 plain, 100 written to the cache, 200 read from it.
  expect(figures(replay("ok").told)).toEqual([1300, 200, 80, expect.closeTo(0.004635, 9)])
})

test("a failed, a stopped and a partly counted run tell what they used", () => {
  expect(figures(replay("t500").told)).toEqual([1300, 200, 80, expect.closeTo(0.004635, 9)])
  const stopped = replay("interrupted", { ending: { _tag: "Stopped", reason: "cancel" } })
  expect(figures(stopped.told)).toEqual([1300, 200, 80, expect.closeTo(0.004635, 9)])
  // Its `usage` leaves out the turn that broke the budget.
  expect(figures(replay("maxbudget").told)).toEqual([3900, 600, 240, expect.closeTo(0.013905, 9)])
})

test("a run that reached no model used nothing, and one that told nothing is not known", () => {
  expect(figures(replay("s401").told)).toEqual([0, 0, 0, 0])
  expect(replay("terminated").told.usage).toEqual(unknownUsage)
})

const resuming = plan({ extraArgs: ["--resume", "22222222-2222-4222-8222-222222222222"] })

test("a resumed run has its own cost, not its session's", () => {
  // total_cost_usd is 0.013905, of which 0.004635 were the first run's.
  expect(figures(replay("resumed", { of: resuming }).told)).toEqual([
    2600,
    400,
    160,
    expect.closeTo(0.00927, 9)
  ])
})

test("a model whose price is a guess has no cost", () => {
  const { told } = replay("foreign")
  expect(figures(told)).toEqual([1300, 200, 80, null])
  expect(told.diagnostics).toEqual([
    "the cost is not known: claude-code has no price for some-other-model and guesses one"
  ])
})

const total = {
  type: "result",
  subtype: "success",
  is_error: false,
  result: "done",
  total_cost_usd: 0.5,
  usage: { input_tokens: 10, cache_read_input_tokens: 3, cache_creation_input_tokens: 2, output_tokens: 4 }
}
const older = (of: Plan, stderr = "", result: object = total) =>
  reading([JSON.stringify(result)], { ending: { _tag: "Exited", code: 0 }, of, stderr }).told

test("a version without figures by model is read by its totals", () => {
  expect(figures(older(plan()))).toEqual([15, 3, 4, 0.5])
})

test("its cost is not taken where it is the session's or of a model without a price, which is said", () => {
  const resumed = older(resuming)
  expect(figures(resumed)).toEqual([15, 3, 4, null])
  expect(resumed.diagnostics).toEqual([expect.stringContaining("which was resumed")])
  const foreign = older(plan(), '[claude-code:unrecognized_model] {"model":"other","query_source":"sdk"}\n')
  expect(figures(foreign)).toEqual([15, 3, 4, null])
  expect(foreign.diagnostics).toEqual([expect.stringContaining("no price for other")])
})

const SESSION = "22222222-2222-4222-8222-222222222222"
const NEW = "33333333-3333-4333-8333-333333333333"
const costOf = (
  extraArgs: ReadonlyArray<string>,
  session_id: string,
  result: object = total,
  stderr = ""
) => {
  const { diagnostics, sessionCost } = older(plan({ extraArgs }), stderr, { ...result, session_id })
  const since = sessionCost === undefined ? undefined : Option.getOrNull(sessionCost.since)
  return [sessionCost?.sessionId, sessionCost?.totalUsd, since, diagnostics.length]
}

test("a resumed session hands on what it has cost, for the own cost to be told apart", () => {
  expect(costOf(["--resume", SESSION], SESSION)).toEqual([SESSION, 0.5, SESSION, 0])
  expect(costOf(["--continue"], SESSION)).toEqual([SESSION, 0.5, SESSION, 0])
  // A fork has an id of its own, and its parent's cost in it.
  for (const named of [["--resume", SESSION], ["-r", SESSION], [`--resume=${SESSION}`]])
    expect(costOf([...named, "--fork-session"], NEW)).toEqual([NEW, 0.5, SESSION, 0])
  expect(costOf(["--continue", "--fork-session"], NEW)).toEqual([NEW, 0.5, null, 1])
})

test("a session that begins, and is kept, tells both costs; one that is not kept hands nothing on", () => {
  expect(costOf(["--session-id", NEW], NEW)).toEqual([NEW, 0.5, null, 0])
  expect(figures(older(plan({ extraArgs: ["--session-id", NEW] })))).toEqual([15, 3, 4, 0.5])
  expect(costOf([], NEW)).toEqual([undefined, undefined, undefined, 0])
  const { told } = replay("resumed", { of: resuming })
  expect(told.sessionCost).toMatchObject({ totalUsd: expect.closeTo(0.013905, 9), since: Option.none() })
})

test("what has no price, or tells no total, hands nothing on", () => {
  const foreign = '[claude-code:unrecognized_model] {"model":"other","query_source":"sdk"}\n'
  const nothing = [undefined, undefined, undefined, 1]
  expect(costOf(["--resume", SESSION], SESSION, total, foreign)).toEqual(nothing)
  const { total_cost_usd: _, ...untold } = total
  expect(costOf(["--resume", SESSION], SESSION, untold)).toEqual(nothing)
})

test("several results of one run are added up", () => {
  const part = {
    ...total,
    model_usage_since_last_result: { m: { inputTokens: 5, outputTokens: 1, costUSD: 0.25 } }
  }
  const { told } = reading(
    [part, part].map((line) => JSON.stringify(line)),
    {
      ending: { _tag: "Exited", code: 0 }
    }
  )
  expect(figures(told)).toEqual([10, null, 2, 0.5])
})

test("figures by model that are none, or not all figures, tell nothing: those of the run do", () => {
  const result = (byModel: unknown, more = {}) => {
    const events = [
      { type: "system", subtype: "init", session_id: "s" },
      {
        type: "result",
        subtype: "success",
        is_error: false,
        result: "x",
        usage: { input_tokens: 100, output_tokens: 20 },
        total_cost_usd: 0.2,
        model_usage_since_last_result: byModel,
        ...more
      }
    ]
    const lines = events.map((event) => JSON.stringify(event))
    const { told } = reading(lines, { ending: { _tag: "Exited", code: 0 } })
    return [figures(told), told.diagnostics]
  }
  const whole = { inputTokens: 5, outputTokens: 6, cacheReadInputTokens: 1, costUSD: 0.5 }
  const odd = (name: string, told: string) =>
    expect.stringContaining(`usage_unreadable: ${name} (${told}) is not `)
  expect(result({ m: whole })).toEqual([[6, 1, 6, 0.5], []])
  expect(result({})).toEqual([[100, null, 20, 0.2], []])
  expect(result({ m: whole, n: { ...whole, outputTokens: "x" } })).toEqual([
    [100, null, 20, 0.2],
    [odd("outputTokens", "a text")]
  ])
  expect(result({ m: { outputTokens: 6 } })).toEqual([[100, null, 20, 0.2], []])
  expect(result([1])).toEqual([[100, null, 20, 0.2], [odd("model_usage_since_last_result", "a list")]])
  expect(result({ m: { ...whole, cacheReadInputTokens: undefined } })).toEqual([[5, null, 6, 0.5], []])
  // A cost that is none is not the sum of the others.
  expect(result({ m: whole, n: { ...whole, costUSD: null } })).toEqual([[12, 2, 12, null], []])
  expect(
    result({}, { usage: { input_tokens: 1, cache_read_input_tokens: {} }, total_cost_usd: "1" })
  ).toEqual([
    [null, null, null, null],
    [odd("cache_read_input_tokens", "an object"), odd("total_cost_usd", "a text")]
  ])
})
