import { expect } from "bun:test"
import { Effect, Schema } from "effect"
import { outcomeJson, usageJson } from "../../../layers/store/plainOutcome.ts"
import { Outcome } from "../../../src/domain/Outcome.ts"
import { Usage } from "../../../src/domain/Usage.ts"
import { it } from "../../support/effect.ts"

it.prop("writes an outcome as its schema does", Schema.typeSchema(Outcome), (outcome) =>
  Effect.sync(() =>
    expect(JSON.parse(outcomeJson(outcome))).toEqual(
      JSON.parse(JSON.stringify(Schema.encodeSync(Outcome)(outcome)))
    )
  )
)

it.prop("writes what was used as its schema does", Schema.typeSchema(Usage), (usage) =>
  Effect.sync(() => expect(usageJson(usage)).toBe(JSON.stringify(Schema.encodeSync(Usage)(usage))))
)
