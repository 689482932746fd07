import { Option, Schema } from "effect"
import { counted } from "./Figure.ts"
import { nullable, whenUsed, wireStruct } from "./Wire.ts"

const count = nullable(Schema.Number.pipe(Schema.nonNegative()))

/** What an attempt consumed; each figure is none where the adapter does not tell it. */
export const Usage = whenUsed(() =>
  wireStruct({
    inputTokens: count,
    outputTokens: count,
    cachedTokens: count,
    costUsd: count
  })
)
export type Usage = typeof Usage.Type

export const unknownUsage: Usage = {
  inputTokens: Option.none(),
  outputTokens: Option.none(),
  cachedTokens: Option.none(),
  costUsd: Option.none()
}

/**
 * More than any attempt reads or writes (a long session with its cache comes to some hundred millions), and so little
 * that the sums of 900,000 attempts stay whole numbers.
 */
const MOST_TOKENS = 10_000_000_000
const MOST_USD = 1_000_000_000

/** The issue of an attempt whose adapter told a figure that is none. */
export const usageUnreadable = (name: string, told: string | number, expected: string): string =>
  `usage_unreadable: ${name} ${told} is not ${expected}: taken as not told`

/** What a figure of tokens has to be, for messages. */
export const TOKENS = `a whole number of tokens up to ${counted(MOST_TOKENS)}`

/** A count of tokens as somebody outside told it; none of what is no such count. */
export const tokensTold = (value: unknown): Option.Option<number> =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MOST_TOKENS
    ? Option.some(value)
    : Option.none()

/** What a cost has to be, for messages. */
export const USD = `an amount up to ${counted(MOST_USD)}`

/** A cost in US dollars as somebody outside told it; none of what is no amount. */
export const usdTold = (value: unknown): Option.Option<number> =>
  typeof value === "number" && value >= 0 && value <= MOST_USD ? Option.some(value) : Option.none()

/** The figures of a usage that can be counted with; `odd` tells of each other one, which is as good as not told. */
export const soundUsage = (usage: Usage): { readonly usage: Usage; readonly odd: ReadonlyArray<string> } => {
  const odd: Array<string> = []
  const sound = (
    name: string,
    figure: Option.Option<number>,
    read: (told: number) => Option.Option<number>,
    expected: string
  ): Option.Option<number> => {
    const found = Option.flatMap(figure, read)
    if (Option.isSome(figure) && Option.isNone(found)) odd.push(usageUnreadable(name, figure.value, expected))
    return found
  }
  return {
    usage: {
      inputTokens: sound("input_tokens", usage.inputTokens, tokensTold, TOKENS),
      outputTokens: sound("output_tokens", usage.outputTokens, tokensTold, TOKENS),
      cachedTokens: sound("cached_tokens", usage.cachedTokens, tokensTold, TOKENS),
      costUsd: sound("cost_usd", usage.costUsd, usdTold, USD)
    },
    odd
  }
}
