import { describe, expect, test } from "bun:test"
import { type Drawing, draw, twoLines } from "../../src/page/Diagram.ts"
import { BUILT_IN } from "../../src/workflow/Templates.ts"

const inside = ({ height, nodeHeight, nodes, nodeWidth, width }: Drawing) =>
  nodes.every(({ x, y }) => x >= 0 && y >= 0 && x + nodeWidth <= width && y + nodeHeight <= height)

const apart = ({ nodeHeight, nodes, nodeWidth }: Drawing) =>
  nodes.every((a, at) =>
    nodes.slice(at + 1).every((b) => Math.abs(a.x - b.x) >= nodeWidth || Math.abs(a.y - b.y) >= nodeHeight)
  )

for (const downwards of [false, true])
  describe(`drawn ${downwards ? "downwards" : "left to right"}`, () => {
    for (const template of BUILT_IN)
      test(`${template.name} shows every state apart from the others and every way between them`, () => {
        const drawing = draw(template, downwards)
        expect(drawing.nodes.map(({ name }) => name).sort()).toEqual(Object.keys(template.states).sort())
        expect(inside(drawing)).toBe(true)
        expect(apart(drawing)).toBe(true)
        const ways = Object.entries(template.states).flatMap(([from, { on }]) =>
          Object.values(on ?? {}).map((to) => `${from} ${to}`)
        )
        expect(drawing.edges.map(({ from, to }) => `${from} ${to}`).sort()).toEqual([...new Set(ways)].sort())
        expect(drawing.edges.every(({ path }) => !path.includes("NaN"))).toBe(true)
      })
  })

const loop = {
  name: "loop",
  initial_state: "a",
  states: {
    a: { on: { go: "b", again: "a" } },
    b: { on: { back: "a", no: "a" } },
    lost: {}
  }
}

test("a loop is an arc, signals that lead the same way share it, an unreached state is drawn as well", () => {
  const { edges, nodes } = draw(loop, false)
  expect(edges.map(({ from, signals, to }) => [from, to, signals])).toEqual([
    ["a", "b", "go"],
    ["a", "a", "again"],
    ["b", "a", "back, no"]
  ])
  expect(nodes.find(({ name }) => name === "lost")).toBeDefined()
  const places = nodes.map(({ x }) => x)
  expect(places).toEqual([...places].sort((a, b) => a - b))
})

test("signals above a line are written in two lines, so that the whole needs less room", () => {
  const named = { ...loop, states: { ...loop.states, a: { on: { wallet_research_complete: "b" } } } }
  const [across] = draw(named, false).edges
  expect(across?.lines).toEqual(["wallet_research_", "complete"])
  expect(draw(named, true).edges[0]?.lines).toEqual(["wallet_research_complete"])
})

test("a long name is broken at the joint nearest to its middle", () => {
  expect(twoLines("draft-community-wiki-outline")).toEqual(["draft-community-", "wiki-outline"])
  expect(twoLines("plan")).toEqual(["plan"])
  expect(twoLines("averylongnamewithoutjoints")).toEqual(["averylongnamewithoutjoints"])
})
