import { describe, expect, test } from "bun:test"
import { FastCheck } from "effect"
import { noSecrets } from "../../src/domain/Redactor.ts"
import { keepLongIntegers } from "../../src/evidence/LongIntegers.ts"
import { normalise } from "../../src/evidence/Normalize.ts"
import { growsLinearly } from "../support/growth.ts"

const ID = "1180473628374618193"
const OK = '"status":"completed","operator_summary":"done","machine_status":"ok"'

const said = (fields: string, mode: "script" | "agent-cli" = "script") => {
  const found = normalise(
    mode,
    { kind: "operator", payload: {} },
    { answerCut: false, exitStatus: "ok", lastMessage: `{${OK},${fields}}`, redactor: noSecrets },
    "Do it."
  )
  return found._tag === "Decoded" ? found : expect.unreachable(found.reason)
}

describe("an integer that JSON readers would round", () => {
  test.each(["script", "agent-cli"] as const)(
    "is kept as text with its digits, and that is told: %s",
    (mode) => {
      const { diagnostics, outcome } = said(
        `"external_messages":[{"channel_id":${ID}}],
       "follow_up_tasks":[{"payload":{"a":[1,{"to":-${ID} }]}}]`,
        mode
      )
      expect(outcome.externalMessages).toEqual([{ channel_id: ID }])
      expect(outcome.followUpTasks).toEqual([{ payload: { a: [1, { to: `-${ID}` }] } }])
      expect(diagnostics).toEqual([
        'outcome_number_kept_as_text: the outcome has integers too long to be kept exactly as a number, at "external_messages[0].channel_id", "follow_up_tasks[0].payload.a[1].to"; readers of JSON would round such a number, so each was kept as text with its digits: put ids into double quotes'
      ])
    }
  )

  test("is named up to the third place; of more the number is told", () => {
    const { diagnostics } = said(`"external_messages":[{"ids":[${Array(2_000).fill(ID).join(",")}]}]`)
    expect(diagnostics).toEqual([expect.stringContaining('ids[0]", "external_messages[0].ids[1]')])
    expect(diagnostics).toEqual([expect.stringContaining('ids[2]" and 1,997 more; readers')])
  })

  test("leaves alone what is exact, a fraction, a text, and the outcome's own fields", () => {
    const payload = `{"a":9007199254740992,"b":0.1234567890123456789,"c":"${ID}","d":"[${ID},","e":1180473628374618193e0}`
    const { diagnostics, outcome } = said(
      `"retry_after_seconds":${ID},"external_messages":[{"x":-9007199254740993},${payload}]`
    )
    expect(outcome.externalMessages).toEqual([{ x: "-9007199254740993" }, JSON.parse(payload)])
    expect(outcome.retryAfterSeconds).toBe(Number(ID))
    expect(diagnostics).toEqual([
      expect.stringContaining('an integer too long to be kept exactly as a number, at "external')
    ])
    expect(() => said(`"operator_summary":${ID}`)).toThrow("operator_summary")
  })

  test("changes nothing else, wherever it stands", () => {
    const value = FastCheck.jsonValue({ maxDepth: 4, stringUnit: "binary" })
    FastCheck.assert(
      FastCheck.property(value, FastCheck.bigInt(), (before, id) => {
        const text = `{"external_messages":[${JSON.stringify(before)},{"a\\"":${id}}],"x":${id}}`
        const exact = String(Number(id)) === String(id) ? Number(id) : String(id)
        expect(JSON.parse(keepLongIntegers(text).text)).toEqual({
          external_messages: [JSON.parse(JSON.stringify(before)), { 'a"': exact }],
          x: Number(id)
        })
      })
    )
  })

  test("costs no more than linear time, a long key before many of them too", () =>
    growsLinearly((share) => {
      const ids = Array(Math.round(200_000 * share)).fill(ID)
      const key = "k".repeat(2_000_000 * share)
      keepLongIntegers(`{"${key}":[${ids}],"external_messages":[{"${key}":[${ids}]}]}`)
    }))
})
