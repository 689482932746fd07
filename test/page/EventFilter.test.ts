import { expect, test } from "bun:test"
import { ANY, filterOf, inForce, offered, passes, withOnly, withType } from "../../src/page/EventFilter.ts"

const event = (event_type: string, task_id: string | null, name: string) => ({
  id: 1,
  event_type,
  task_id,
  attempt_id: null,
  actor: { surface: "cli", name },
  detail: {},
  created_at: "2026-04-29T12:00:00.000Z"
})

const finished = event("task_finished", "0190-a", "ada")
const queued = event("task_enqueued", "0190-b", "bob")
const idle = event("dispatch_idle", null, "bob")

const shown = (query: Readonly<Record<string, string>>) =>
  [finished, queued, idle].filter(passes(filterOf(query)))

test("an address names one or several types, the beginning of a task's id and an actor; what is empty is any", () => {
  expect(shown({})).toEqual([finished, queued, idle])
  expect(shown({ type: "task_finished" })).toEqual([finished])
  expect(shown({ type: "task_finished,dispatch_idle" })).toEqual([finished, idle])
  expect(shown({ task: "0190" })).toEqual([finished, queued])
  expect(shown({ actor: "bob", type: "", task: "0190-b" })).toEqual([queued])
  expect(shown({ actor: "bo" })).toEqual([])
})

test("a filter in force is told once, with what is left when it alone is removed", () => {
  const filter = filterOf({ type: "a,b,a", actor: "bob" })
  expect(inForce(filter)).toEqual([
    { name: "type", value: "a", without: { type: "b", task: "", actor: "bob" } },
    { name: "type", value: "b", without: { type: "a", task: "", actor: "bob" } },
    { name: "actor", value: "bob", without: { ...filter, actor: "" } }
  ])
  expect(inForce(ANY)).toEqual([])
})

test("a second type is added to the first, a second actor takes the place of the first, and either goes again", () => {
  const one = withType(ANY, "a")
  expect(withType(one, "b").type).toBe("a,b")
  expect(withType(withType(one, "b"), "a").type).toBe("b")
  const bob = withOnly(ANY, "actor", "bob")
  expect(withOnly(bob, "actor", "ada").actor).toBe("ada")
  expect(withOnly(bob, "actor", "bob")).toEqual(ANY)
  expect(withOnly(filterOf({ type: "a,b" }), "type", "b").type).toBe("b")
})

test("what is offered first is what is most frequent, and nothing that is offered changes its place later", () => {
  const first = offered([], ["a", "b", "b", "c", "c", "c"])
  expect(first).toEqual(["c", "b", "a"])
  expect(offered(first, ["a", "a", "a", "a", "d", "e", "e"])).toEqual(["c", "b", "a", "e", "d"])
  expect(offered(first, ["a"])).toBe(first)
})
