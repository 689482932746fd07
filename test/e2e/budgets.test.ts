import { expect, setDefaultTimeout, test } from "bun:test"
import { errorOf, inPlace, queue, runOnce, scripted, story } from "./inPlace.ts"

setDefaultTimeout(60_000)

test("a spent budget holds tasks back, says until when and what mends it; a grant lets them go", () =>
  inPlace(
    scripted(
      "echo fine",
      {},
      {
        budgets: [
          { id: "daily", per: "all", window: "day", attempts: 1 },
          { id: "each", per: "adapter", window: "day", attempts: 9 }
        ]
      }
    ),
    async (place) => {
      await queue(place)
      const second = await queue(place)
      expect((await runOnce(place)).status).toBe("completed")
      expect((await runOnce(place)).status).toBe("idle")
      const { waiting } = await story(place, second)
      expect(waiting).toMatchObject({ reason: "budget" })
      expect(waiting?.detail).toContain("agent-runtime budget-grant daily --attempts N")
      expect(Date.parse(waiting?.until ?? "") - Date.now()).toBeLessThanOrEqual(86_400_000)
      expect(waiting?.until).toEndWith("T00:00:00.000Z")
      const account = { id: "daily", limit: 1, spent: 1, reserved: 0 }
      expect(await place.json(["budget-show"])).toMatchObject({ budgets: [{ ...account, granted: 0 }, {}] })
      const wrong = await place.run(["budget-grant", "daily", "--usd", "1", "-o", "json"])
      expect(wrong.code).toBe(2)
      expect(errorOf(wrong)).toMatchObject({ code: "grant_unfit" })
      const unknown = await place.run(["budget-grant", "dayly", "--attempts", "1", "-o", "json"])
      expect([unknown.code, errorOf(unknown)]).toMatchObject([1, { code: "budget_not_found" }])
      const typo = await place.run([
        "budget-grant",
        "each",
        "--attempts",
        "1",
        "--subject",
        "lokal",
        "-o",
        "json"
      ])
      expect([typo.code, errorOf(typo)]).toMatchObject([
        2,
        { code: "subject_unfit", hint: expect.stringContaining("did you mean `local`?") }
      ])
      expect(await place.json(["budget-grant", "daily", "--attempts", "2"])).toMatchObject({
        ok: true,
        budgets: [{ ...account, granted: 2 }]
      })
      expect((await runOnce(place)).task_id).toBe(second)
      const types = (await place.run(["events", "--since", "0"])).stdout.match(
        /"budget_(exhausted|granted)"/g
      )
      expect(types).toEqual(['"budget_exhausted"', '"budget_granted"'])
      expect(await place.json(["usage", "--days", "2"])).toMatchObject({
        usage: [{ adapter_id: "local", attempts: 2, cost_usd: 0 }]
      })
    }
  ))
