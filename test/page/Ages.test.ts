import { expect, test } from "bun:test"
import { byAge, failuresFirst, startedFirst } from "../../src/page/Ages.ts"

const NOW = Date.parse("2026-04-29T12:00:00.000Z")

test("rows of two kinds are one list by age", () => {
  const rows = byAge([
    { at: "2026-04-29T10:00:00.000Z", row: "a workflow" },
    { at: "2026-04-29T09:00:00.000Z", row: "an older task" },
    { at: "2026-04-29T11:00:00.000Z", row: "a younger task" }
  ])
  expect(rows).toEqual(["an older task", "a workflow", "a younger task"])
})

test("what begins comes to the end of what runs", () => {
  const starts = ["2026-04-29T11:59:59.000Z", "2026-04-29T10:00:00.000Z", null, "2026-04-29T11:00:00.000Z"]
  const sorted = starts.map((started_at) => ({ started_at })).toSorted(startedFirst)
  expect(sorted.map(({ started_at }) => started_at)).toEqual([
    null,
    "2026-04-29T10:00:00.000Z",
    "2026-04-29T11:00:00.000Z",
    "2026-04-29T11:59:59.000Z"
  ])
})

const ended = (task_id: string, finished_at: string | null) => ({ task_id, finished_at })

test("the failures of a day stand before what ended last, the newest three of them, each once", () => {
  const failed = [
    ended("f1", "2026-04-29T08:00:00.000Z"),
    ended("f2", "2026-04-29T09:00:00.000Z"),
    ended("f3", "2026-04-29T10:00:00.000Z"),
    ended("f4", "2026-04-29T11:00:00.000Z"),
    ended("old", "2026-04-28T11:59:00.000Z")
  ]
  const last = [ended("t1", "2026-04-29T11:59:00.000Z"), ended("f4", "2026-04-29T11:00:00.000Z")]
  const shown = failuresFirst(failed, last, NOW, 10)
  expect(shown.failed).toBe(3)
  expect(shown.tasks.map(({ task_id }) => task_id)).toEqual(["f4", "f3", "f2", "t1"])
  expect(failuresFirst(failed, last, NOW, 2).tasks).toHaveLength(2)
  expect(failuresFirst([], last, NOW, 10)).toEqual({ failed: 0, tasks: last })
})
