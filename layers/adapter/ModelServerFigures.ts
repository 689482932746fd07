import { Option } from "effect"
import { isObject, type JsonObject } from "../../src/domain/Json.ts"
import type { Redactor } from "../../src/domain/Redactor.ts"
import { TOKENS, tokensTold, usageUnreadable } from "../../src/domain/Usage.ts"
import { oneLine } from "./Lines.ts"
import type { Account } from "./ModelServer.ts"

/** Reads what a server tells of its tokens. */
export interface Figures {
  readonly tokens: (name: string, value: unknown) => Option.Option<number>
  readonly object: (name: string, value: unknown) => JsonObject
}

/**
 * What a server tells of its tokens must not cost a finished answer: what is no count, or no object of counts, is as
 * good as not told, and the attempt's issues say so once for each name.
 */
export const makeFigures = ({ remark }: Pick<Account, "remark">, redactor: Redactor): Figures => {
  const told = new Set<string>()
  const odd = (name: string, value: unknown, expected: string) => {
    if (value === undefined || value === null || told.has(name)) return
    told.add(name)
    remark(usageUnreadable(name, oneLine(redactor.text(JSON.stringify(value) ?? ""), 60), expected))
  }
  return {
    tokens: (name, value) => {
      const count = tokensTold(value)
      if (Option.isNone(count)) odd(name, value, TOKENS)
      return count
    },
    object: (name, value) => {
      if (isObject(value)) return value
      odd(name, value, "an object")
      return {}
    }
  }
}
