import { Option } from "effect"
import { isObject, type JsonObject } from "../../src/domain/Json.ts"
import type { Redactor } from "../../src/domain/Redactor.ts"
import { TOKENS, tokensTold, USD, usageUnreadable, usdTold } from "../../src/domain/Usage.ts"
import { plainly } from "./Lines.ts"

/** Reads what a model server or an agent's program tells of its use. */
export interface Figures {
  /** A count of tokens; none where it was not told. */
  readonly tokens: (name: string, value: unknown) => Option.Option<number>
  /** A count that is added to others; where it was not told, there is nothing to add. */
  readonly part: (name: string, value: unknown) => Option.Option<number>
  /** A cost in US dollars; none where it was not told. */
  readonly usd: (name: string, value: unknown) => Option.Option<number>
  /** An object of figures, an empty one where it was not told. */
  readonly object: (name: string, value: unknown) => JsonObject
}

const shown = (value: unknown, redactor: Redactor | undefined): string => {
  if (typeof value === "number" || typeof value === "boolean") return String(value)
  if (redactor !== undefined) return plainly(redactor)(JSON.stringify(value) ?? "", MOST_SHOWN)
  return typeof value === "string" ? "(a text)" : Array.isArray(value) ? "(a list)" : "(an object)"
}

const MOST_SHOWN = 60

/**
 * What is told of a use must not cost a finished answer: what is no figure, or no object of figures, is as good as not
 * told, and `remark` hears so once for each name. A text is shown where a redactor is there to mask it before it is cut.
 */
export const makeFigures = (remark: (finding: string) => void, redactor?: Redactor): Figures => {
  const told = new Set<string>()
  const isTold = (value: unknown): boolean => value !== undefined && value !== null
  const odd = (name: string, value: unknown, expected: string) => {
    if (!isTold(value) || told.has(name)) return
    told.add(name)
    remark(usageUnreadable(name, shown(value, redactor), expected))
  }
  const figure =
    (read: (value: unknown) => Option.Option<number>, expected: string): Figures["tokens"] =>
    (name, value) => {
      const found = read(value)
      if (Option.isNone(found)) odd(name, value, expected)
      return found
    }
  const tokens = figure(tokensTold, TOKENS)
  return {
    tokens,
    part: (name, value) => (isTold(value) ? tokens(name, value) : Option.some(0)),
    usd: figure(usdTold, USD),
    object: (name, value) => {
      if (isObject(value)) return value
      odd(name, value, "an object")
      return {}
    }
  }
}

/** The sum of figures; none where one of them is not known. */
export const sumOf = (figures: ReadonlyArray<Option.Option<number>>): Option.Option<number> =>
  Option.map(Option.all(figures), (all) => all.reduce((sum, one) => sum + one, 0))
