import { describe, expect, test } from "bun:test"
import { routeOf, searchOf, taskHref, VIEWS, viewHref, workflowHref } from "../../src/page/Route.ts"

describe("every view has an address that leads back to it", () => {
  for (const { view } of VIEWS)
    test(view, () => expect(routeOf(viewHref(view), "")).toEqual({ at: "view", view, query: {} }))
})

test("no two views share a key", () => {
  expect(new Set(VIEWS.map(({ key }) => key)).size).toBe(VIEWS.length)
})

test("a task and a workflow are named in their addresses, whatever their ids hold", () => {
  expect(routeOf(taskHref("a/b c"), "")).toEqual({ at: "task", id: "a/b c", query: {} })
  expect(routeOf(workflowHref(7), "?x=1")).toEqual({ at: "workflow", id: "7", query: { x: "1" } })
})

test("an address that is no place is told as it is, also one that does not decode", () => {
  expect(routeOf("/ui/moon", "")).toEqual({ at: "nowhere", path: "/ui/moon", query: {} })
  expect(routeOf("/ui/tasks/x/y", "")).toMatchObject({ at: "nowhere" })
  expect(routeOf("/ui/tasks/%zz", "")).toMatchObject({ at: "task", id: "%zz" })
})

test("equal filters have equal addresses: sorted, what is empty left out", () => {
  expect(searchOf({ q: "pump & co", status: "blocked,running", kind: "" })).toBe(
    "?q=pump+%26+co&status=blocked%2Crunning"
  )
  expect(searchOf({ status: "blocked", q: "x", kind: undefined })).toBe(
    searchOf({ q: "x", status: "blocked" })
  )
  expect(searchOf({})).toBe("")
})
