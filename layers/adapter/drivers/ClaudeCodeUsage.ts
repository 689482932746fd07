import { Option } from "effect"
import type { SessionCost } from "../../../src/adapter/AdapterRegistry.ts"
import { type Usage, unknownUsage } from "../../../src/domain/Usage.ts"
import { type Figures, sumOf } from "../Figures.ts"
import type { Result } from "./ClaudeCodeLines.ts"

/** What a run used, and what is to be known of its figures. */
export interface Spent {
  readonly usage: Usage
  readonly sessionCost?: SessionCost
  readonly notes: ReadonlyArray<string>
}

/** How a run stands to sessions, by its arguments. */
export interface Sessions {
  /** Whether its session can be gone on with. */
  readonly kept: boolean
  /** Whether it goes on with one itself. */
  readonly resumed: boolean
  /** Whether it does so under a new id. */
  readonly forked: boolean
  /** The id of the session that it goes on with, where one is named. */
  readonly named: Option.Option<string>
}

interface Sum {
  readonly input: number
  readonly output: number
  /** None where it was not told of each model, as is the cost. */
  readonly cached: Option.Option<number>
  readonly cost: Option.Option<number>
  /** Models that were paid for at a guessed price. */
  readonly guessed: ReadonlyArray<string>
}

/** The figures of a run's results so far; there is mostly one. */
export interface Tally {
  readonly sum: Sum
  readonly last: Option.Option<Result>
  /** Whether each result told its figures by model. */
  readonly whole: boolean
}

export const untold = (): Tally => ({ sum: none, last: Option.none(), whole: true })

export const tallied = ({ sum, whole }: Tally, result: Result, figures: Figures): Tally => {
  const one = byModel(result, figures)
  return {
    sum: Option.match(one, { onNone: () => sum, onSome: (figures) => added(sum, figures) }),
    last: Option.some(result),
    whole: whole && Option.isSome(one)
  }
}

/** The session that a run was, by its id, and how it stands to others. */
interface Ran extends Sessions {
  readonly session: string | undefined
}

/**
 * A run's tokens and cost. Claude counts what came from the cache and what went into it beside its input
 * tokens: the input of the runtime's records is all three, as with other drivers, and the cached tokens are
 * those that were read. The figures by model are of this run alone, also when it resumed a session, and hold
 * sub-agents and side calls; a version that does not tell them tells its session's cost, which a run that resumed
 * one hands on as that. A price that was guessed (`costBasis` unknown, or a model that stderr calls
 * unrecognized) is none.
 */
export const spentIn = ({ last, sum, whole }: Tally, stderr: string, ran: Ran, figures: Figures): Spent => {
  if (Option.isNone(last)) return { usage: unknownUsage, notes: [] }
  if (!whole) return fromTotals(last.value, stderr, ran, figures)
  const foreign = [...new Set([...sum.guessed, ...unrecognized(stderr)])]
  const priced = foreign.length === 0
  return {
    usage: {
      inputTokens: Option.some(sum.input),
      outputTokens: Option.some(sum.output),
      cachedTokens: sum.cached,
      costUsd: priced ? sum.cost : Option.none()
    },
    ...(priced ? sessionCostOf(totalOf(last.value, figures), ran, Option.none()) : {}),
    notes: unpriced(foreign)
  }
}

const sessionCostOf = (
  total: Option.Option<number>,
  { kept, session }: Ran,
  since: Option.Option<string>
): Pick<Spent, "sessionCost"> =>
  kept && session !== undefined && Option.isSome(total)
    ? { sessionCost: { sessionId: session, totalUsd: total.value, since } }
    : {}

const totalOf = ({ total_cost_usd }: Result, figures: Figures): Option.Option<number> =>
  figures.usd("total_cost_usd", total_cost_usd)

const none: Sum = { input: 0, output: 0, cached: Option.some(0), cost: Option.some(0), guessed: [] }

const added = (one: Sum, other: Sum): Sum => ({
  input: one.input + other.input,
  output: one.output + other.output,
  cached: sumOf([one.cached, other.cached]),
  cost: sumOf([one.cost, other.cost]),
  guessed: [...new Set([...one.guessed, ...other.guessed])]
})

// Where one of them cannot be counted with, or there is none, they tell nothing.
const byModel = ({ model_usage_since_last_result: models }: Result, figures: Figures): Option.Option<Sum> => {
  const told = Object.entries(figures.object("model_usage_since_last_result", models))
  return told.length === 0
    ? Option.none()
    : Option.map(Option.all(told.map(([model, one]) => spentOn(model, one, figures))), (sums) =>
        sums.reduce(added, none)
      )
}

const spentOn = (model: string, told: unknown, figures: Figures): Option.Option<Sum> => {
  const one = figures.object("a model's usage", told)
  return Option.all({
    input: sumOf([
      figures.tokens("inputTokens", one.inputTokens),
      figures.part("cacheReadInputTokens", one.cacheReadInputTokens),
      figures.part("cacheCreationInputTokens", one.cacheCreationInputTokens)
    ]),
    output: figures.tokens("outputTokens", one.outputTokens)
  }).pipe(
    Option.map((tokens) => ({
      ...tokens,
      cached: figures.tokens("cacheReadInputTokens", one.cacheReadInputTokens),
      cost: figures.usd("costUSD", one.costUSD),
      guessed: one.costBasis === "unknown" ? [model] : []
    }))
  )
}

const fromTotals = (result: Result, stderr: string, ran: Ran, figures: Figures): Spent => {
  const foreign = unrecognized(stderr)
  const usage = figures.object("usage", result.usage)
  const cached = figures.part("cache_read_input_tokens", usage.cache_read_input_tokens)
  const input = sumOf([
    figures.tokens("input_tokens", usage.input_tokens),
    cached,
    figures.part("cache_creation_input_tokens", usage.cache_creation_input_tokens)
  ])
  const tokens = {
    inputTokens: input,
    outputTokens: figures.tokens("output_tokens", usage.output_tokens),
    cachedTokens: figures.tokens("cache_read_input_tokens", usage.cache_read_input_tokens)
  }
  if (Option.contains(input, 0) && Option.contains(tokens.outputTokens, 0))
    return { usage: { ...tokens, costUsd: Option.some(0) }, notes: [] }
  const untold = { ...tokens, costUsd: Option.none() }
  const total = totalOf(result, figures)
  if (foreign.length > 0) return { usage: untold, notes: unpriced(foreign) }
  if (!ran.resumed)
    return {
      usage: { ...tokens, costUsd: total },
      ...sessionCostOf(total, ran, Option.none()),
      notes: []
    }
  // A fork begins with what the session that it leaves has cost.
  const since = ran.forked ? ran.named : Option.fromNullable(ran.session)
  const session = sessionCostOf(total, ran, since)
  const isKnown = session.sessionCost !== undefined && Option.isSome(since)
  return { usage: untold, ...session, notes: isKnown ? [] : [UNTOLD] }
}

const UNTOLD =
  "the cost is not known: this claude-code tells only that of the whole session, which was resumed"

const unpriced = (models: ReadonlyArray<string>): ReadonlyArray<string> =>
  models.length === 0
    ? []
    : [`the cost is not known: claude-code has no price for ${models.join(", ")} and guesses one`]

const unrecognized = (stderr: string): ReadonlyArray<string> =>
  [...stderr.matchAll(/^\[claude-code:unrecognized_model\] \{"model":"([^"]*)"/gm)].map(
    ([, model]) => model ?? ""
  )
