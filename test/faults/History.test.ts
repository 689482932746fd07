import { expect, test } from "bun:test"
import { type EventRow, follow } from "./History.ts"

const history = (...types: ReadonlyArray<readonly [type: string, attempt: string | null, status?: string]>) =>
  types.map(
    ([event_type, attempt_id, status], index): EventRow => ({
      id: index + 1,
      event_type,
      task_id: "t",
      attempt_id,
      detail: status === undefined ? {} : { status },
      created_at: "2026-04-29T07:00:00.000Z"
    })
  )

test("a task that an attempt has blocked may be cancelled, with that attempt named; an ended one may not", () => {
  const began = [["task_enqueued", null] as const, ["task_claimed", "a"] as const]
  const cancelled = ["task_operator_canceled", "a"] as const
  expect(follow("t", history(...began, ["task_finished", "a", "blocked"], cancelled))).toEqual({
    status: "operator_canceled",
    problems: []
  })
  expect(follow("t", history(...began, ["task_finished", "a", "completed"], cancelled)).problems).toEqual([
    "event 4 (task_operator_canceled) moves task t from completed to operator_canceled"
  ])
})
