import { Option } from "effect"
import type { SessionCost } from "../../../src/adapter/AdapterRegistry.ts"
import { type Usage, unknownUsage } from "../../../src/domain/Usage.ts"
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
  readonly cached: number
  readonly cost: number
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

export const tallied = ({ sum, whole }: Tally, result: Result): Tally => {
  const one = byModel(result)
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
export const spentIn = ({ last, sum, whole }: Tally, stderr: string, ran: Ran): Spent => {
  if (Option.isNone(last)) return { usage: unknownUsage, notes: [] }
  if (!whole) return fromTotals(last.value, stderr, ran)
  const foreign = [...new Set([...sum.guessed, ...unrecognized(stderr)])]
  const priced = foreign.length === 0
  return {
    usage: {
      inputTokens: Option.some(sum.input),
      outputTokens: Option.some(sum.output),
      cachedTokens: Option.some(sum.cached),
      costUsd: priced ? Option.some(sum.cost) : Option.none()
    },
    ...(priced ? sessionCostOf(last.value, ran, Option.none()) : {}),
    notes: unpriced(foreign)
  }
}

const sessionCostOf = (
  { total_cost_usd: totalUsd }: Result,
  { kept, session }: Ran,
  since: Option.Option<string>
): Pick<Spent, "sessionCost"> =>
  kept && session !== undefined && totalUsd !== undefined
    ? { sessionCost: { sessionId: session, totalUsd, since } }
    : {}

const none: Sum = { input: 0, output: 0, cached: 0, cost: 0, guessed: [] }

const added = (one: Sum, other: Sum): Sum => ({
  input: one.input + other.input,
  output: one.output + other.output,
  cached: one.cached + other.cached,
  cost: one.cost + other.cost,
  guessed: [...new Set([...one.guessed, ...other.guessed])]
})

const byModel = ({ model_usage_since_last_result: models }: Result): Option.Option<Sum> =>
  Option.map(Option.fromNullable(models), (told) =>
    Object.entries(told)
      .map(
        ([model, one]): Sum => ({
          input:
            (one.inputTokens ?? 0) + (one.cacheReadInputTokens ?? 0) + (one.cacheCreationInputTokens ?? 0),
          output: one.outputTokens ?? 0,
          cached: one.cacheReadInputTokens ?? 0,
          cost: one.costUSD ?? 0,
          guessed: one.costBasis === "unknown" ? [model] : []
        })
      )
      .reduce(added, none)
  )

const fromTotals = (result: Result, stderr: string, ran: Ran): Spent => {
  const { total_cost_usd, usage } = result
  const foreign = unrecognized(stderr)
  const input = Option.map(
    Option.fromNullable(usage?.input_tokens),
    (tokens) => tokens + (usage?.cache_read_input_tokens ?? 0) + (usage?.cache_creation_input_tokens ?? 0)
  )
  const tokens = {
    inputTokens: input,
    outputTokens: Option.fromNullable(usage?.output_tokens),
    cachedTokens: Option.fromNullable(usage?.cache_read_input_tokens)
  }
  if (Option.contains(input, 0) && usage?.output_tokens === 0)
    return { usage: { ...tokens, costUsd: Option.some(0) }, notes: [] }
  const untold = { ...tokens, costUsd: Option.none() }
  if (foreign.length > 0) return { usage: untold, notes: unpriced(foreign) }
  if (!ran.resumed)
    return {
      usage: { ...tokens, costUsd: Option.fromNullable(total_cost_usd) },
      ...sessionCostOf(result, ran, Option.none()),
      notes: []
    }
  // A fork begins with what the session that it leaves has cost.
  const since = ran.forked ? ran.named : Option.fromNullable(ran.session)
  const session = sessionCostOf(result, ran, since)
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
