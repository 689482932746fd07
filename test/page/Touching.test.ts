import { expect, test } from "bun:test"
import { childrenOf, touchesStory } from "../../src/page/task/Touching.ts"
import type { RunEvent, Task } from "../../src/page/Wire.ts"

const event = (event_type: string, task_id: string | null, detail: RunEvent["detail"] = {}): RunEvent => ({
  id: 1,
  event_type,
  task_id,
  attempt_id: null,
  actor: { surface: "http", name: "maria" },
  detail,
  created_at: "2026-04-29T12:00:00.000Z"
})

test("a story changes with its task, with its children, with what may be a new child, and with no other task", () => {
  const children = new Set<string>()
  const touches = touchesStory("t", children)
  expect(touches(event("task_started", "t"))).toBe(true)
  expect(touches(event("task_enqueued", "new", { source: "operator-ui" }))).toBe(true)
  expect(touches(event("task_enqueued", "new", { source: "github" }))).toBe(false)
  expect(touches(event("dispatch_pause_enabled", null))).toBe(true)
  expect(touches(event("task_finished", "child"))).toBe(false)
  for (const id of childrenOf({ children: [{ task_id: "child" } as Task] })) children.add(id)
  expect(touches(event("task_finished", "child"))).toBe(true)
  expect(touches(event("task_finished", "other"))).toBe(false)
})
