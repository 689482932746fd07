import { expect, test } from "bun:test"
import { before, joined, MOST_EVENTS } from "../../src/page/History.ts"
import { goneWords, grown, type Output } from "../../src/page/OutputText.ts"
import { partsOf } from "../../src/page/parts/Parts.ts"
import { windowOf } from "../../src/page/parts/Window.ts"
import type { RunEvent } from "../../src/page/Wire.ts"

const events = (...ids: ReadonlyArray<number>): ReadonlyArray<RunEvent> =>
  ids.map((id) => ({
    id,
    event_type: "task_enqueued",
    task_id: null,
    attempt_id: null,
    actor: { surface: "cli", name: "operator" },
    detail: {},
    created_at: "2026-04-29T12:00:00.000Z"
  }))

const ids = (of: ReadonlyArray<RunEvent>) => of.map(({ id }) => id)

test("a history stays in order and holds nothing twice, whatever is added to it", () => {
  expect(ids(joined(events(1, 2), events(3, 4)))).toEqual([1, 2, 3, 4])
  expect(ids(joined(events(1, 3), events(4, 2, 3)))).toEqual([1, 2, 3, 4])
  expect(ids(joined(events(5), events(1, 2)))).toEqual([1, 2, 5])
  expect(ids(joined([], events(2, 1)))).toEqual([1, 2])
})

test("of a history that is too long the oldest part goes", () => {
  const many = events(...Array.from({ length: MOST_EVENTS }, (_, at) => at + 1))
  const more = joined(many, events(MOST_EVENTS + 1))
  expect([more.length, more[0]?.id, more.at(-1)?.id]).toEqual([MOST_EVENTS, 2, MOST_EVENTS + 1])
})

test("who looks further back gets what is right before what is held, to the beginning", () => {
  expect(before(events(2_501, 2_502), 1_000)).toBe("since=1500&limit=1000")
  expect(before(events(301), 1_000)).toBe("since=0&limit=300")
  expect(before(events(1, 2), 1_000)).toBeUndefined()
  expect(before([], 1_000)).toBeUndefined()
})

test("a log that was lost is told as what it is, with what can be done", () => {
  expect(goneWords("attempt 01a2 has no stdout.log: it is not there any more")).toBe(
    "It is not there any more. Its files were pruned or moved away; what its record says stays. Replay runs the same bundle again."
  )
  expect(goneWords("attempt 01a2 has no stderr.log: it ended before its adapter wrote one")).toBe(
    "It ended before its adapter wrote one."
  )
})

const NONE: Output = { text: "", cut: false, ended: false, known: false, error: undefined }

test("of an output that is too long the beginning goes, whole lines at a time", () => {
  const line = `${"x".repeat(1_023)}\n`
  const long = grown(NONE, line.repeat(600))
  expect(long.cut).toBe(true)
  expect(long.text.length).toBeLessThanOrEqual(512 * 1_024)
  expect(long.text.startsWith("x".repeat(1_023))).toBe(true)
  expect(grown(NONE, "short").cut).toBe(false)
})

test("a text is cut at what is looked for, without regard to case", () => {
  expect(partsOf("The pump, the Pump", "pump")).toEqual(["The ", "pump", ", the ", "Pump", ""])
  expect(partsOf("nothing here", "pump")).toEqual(["nothing here"])
  expect(partsOf("text", "")).toEqual(["text"])
  // Lower case of this letter is longer than the letter.
  expect(partsOf("İ pump", "pump")).toEqual(["İ ", "pump", ""])
})

test("of a long list only what can be seen is drawn, with room for the rest", () => {
  expect(windowOf(0, 280, 28, 5)).toEqual({ from: 0, to: 5, before: 0, behind: 0 })
  const middle = windowOf(28_000, 280, 28, 5_000)
  expect(middle.to - middle.from).toBeLessThan(40)
  expect(middle.before + (middle.to - middle.from) * 28 + middle.behind).toBe(5_000 * 28)
  expect(windowOf(1_000_000, 280, 28, 10)).toMatchObject({ to: 10, behind: 0 })
})
