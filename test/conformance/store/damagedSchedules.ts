import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { Store } from "../../../src/store/Store.ts"
import { at, newest, Raw, stampAt, text } from "../../support/store.ts"
import type { Sentence } from "../store.ts"
import { due, fate, nameOf, save } from "./schedules.ts"

/** Schedules into which another program wrote. */
export const damagedSchedules = (check: Sentence) => {
  check(
    "waits for no due time that would not be due by then, as another program may write it",
    Effect.gen(function* () {
      const store = yield* Store
      const raw = yield* Raw
      yield* save("odd")
      yield* save("even", { nextRunAt: at(90) })
      for (const odd of ["2026-04-29T12:01:00+05:00", "2026-04-29T07:01:00Z", "5", ""]) {
        yield* raw.run("UPDATE schedules SET next_run_at = ? WHERE name = 'odd'", odd)
        expect(Option.map(yield* store.schedules.nextDue, text)).toEqual(Option.some(text(at(90))))
      }
    })
  )

  const damages: ReadonlyArray<readonly [string, string]> = [
    ["task_json", "{"],
    ["task_json", "[]"],
    ["task_json", ""],
    ["next_run_at", ""],
    ["next_run_at", "never"],
    ["next_run_at", "2026-02-31T00:00:00.000Z"],
    ["last_run_at", "yesterday"],
    ["last_task_id", ""],
    ["created_at", "then"]
  ]
  for (const [column, value] of damages)
    check(
      `sets a schedule aside whose ${column} is ${JSON.stringify(value)}, shows it, and is mended by a save`,
      Effect.gen(function* () {
        const store = yield* Store
        const raw = yield* Raw
        yield* save("bad")
        yield* save("good")
        yield* raw.run(`UPDATE schedules SET ${column} = ? WHERE name = 'bad'`, value)
        const rows = yield* due(60)
        expect(rows.map(nameOf).sort()).toEqual(["bad", "good"])
        const bad = rows.find((row) => nameOf(row) === "bad")!
        if (bad._tag === "Due") throw new Error("it was read as sound")
        expect(bad.problem).toContain(column.replace("_json", ""))
        expect(Option.isSome(bad.dueAt)).toBe(column !== "next_run_at")
        expect(Option.map(yield* store.schedules.nextDue, text)).toEqual(Option.some(text(at(60))))

        const listed = (yield* store.schedules.list).find((one) => one.name === "bad")
        expect(listed).toMatchObject({ enabled: false, disabledReason: Option.some(bad.problem) })
        expect(yield* store.schedules.sound("bad")).toEqual(Option.none())

        const fates = [fate(60, { fate: "refused", reason: Option.some(bad.problem) })]
        const unfit = { ...bad, next: Option.none(), fates }
        expect(yield* store.schedules.quarantine(unfit, stampAt(60))).toBe(true)
        expect(yield* store.schedules.quarantine(unfit, stampAt(60))).toBe(false)
        expect((yield* due(60)).map(nameOf)).toEqual(["good"])
        expect((yield* newest(1))[0]).toMatchObject({
          eventType: "record_quarantined",
          detail: { table: "schedules", id: "id-bad", name: "bad", problem: bad.problem }
        })
        expect((yield* store.schedules.fates("id-bad", 9)).map((one) => one.fate)).toEqual(["refused"])

        expect(yield* save("bad", {}, 70)).toMatchObject({ enabled: true, scheduleId: "id-bad" })
        expect(Option.isSome(yield* store.schedules.sound("bad"))).toBe(true)
        expect((yield* due(60)).map(nameOf).sort()).toEqual(["bad", "good"])
      })
    )
}
