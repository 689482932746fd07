import type { Template } from "./WireTemplates.ts"

/** A state of a drawn machine: its place and its name in one or two lines. */
export interface Node {
  readonly name: string
  readonly lines: ReadonlyArray<string>
  readonly x: number
  readonly y: number
  readonly isEnd: boolean
}

/** A way from state to state: its line and where its words stand. */
export interface Edge {
  readonly from: string
  readonly to: string
  readonly signals: string
  /** The signals as they are written, the last one beside the line. */
  readonly lines: ReadonlyArray<string>
  readonly path: string
  readonly labelX: number
  readonly labelY: number
  readonly anchor: "middle" | "start"
}

export interface Drawing {
  readonly width: number
  readonly height: number
  readonly nodeWidth: number
  readonly nodeHeight: number
  readonly nodes: ReadonlyArray<Node>
  readonly edges: ReadonlyArray<Edge>
}

const CHARACTER = 7.2
const LABEL_CHARACTER = 6.4
const NODE_HEIGHT = 40
const MARGIN = 8

/** A name in at most two lines, broken where it has a joint, as evenly as that goes. */
export const twoLines = (name: string): ReadonlyArray<string> => {
  if (name.length <= 14) return [name]
  const joints = [...name.matchAll(/[-_ ]/g)].map(({ index }) => index + 1)
  if (joints.length === 0) return [name]
  const best = joints.reduce((a, b) =>
    Math.abs(b - name.length / 2) < Math.abs(a - name.length / 2) ? b : a
  )
  return [name.slice(0, best), name.slice(best)]
}

/** How many steps a state is from the first one; what is not reached stands at the end. */
const ranksOf = (template: Template): ReadonlyMap<string, number> => {
  const ranks = new Map([[template.initial_state, 0]])
  for (const [name, rank] of ranks)
    for (const to of Object.values(template.states[name]?.on ?? {}))
      if (!ranks.has(to)) ranks.set(to, rank + 1)
  const last = Math.max(...ranks.values())
  for (const name of Object.keys(template.states)) if (!ranks.has(name)) ranks.set(name, last + 1)
  return ranks
}

const waysOf = (template: Template) => {
  const ways = new Map<string, { from: string; to: string; signals: Array<string> }>()
  for (const [from, { on }] of Object.entries(template.states))
    for (const [signal, to] of Object.entries(on ?? {})) {
      const key = `${from}\n${to}`
      const way = ways.get(key) ?? { from, to, signals: [] }
      way.signals.push(signal)
      ways.set(key, way)
    }
  return [...ways.values()].map(({ from, signals, to }) => ({ from, to, signals: signals.join(", ") }))
}

/** Draws a machine: left to right, or downwards where there is little room; what goes back or leaps is an arc. */
export const draw = (template: Template, downwards: boolean): Drawing => {
  const ranks = ranksOf(template)
  const ways = waysOf(template)
  const names = [...ranks.keys()]
  const lines = new Map(names.map((name) => [name, twoLines(name)]))
  const longest = Math.max(...[...lines.values()].flat().map((line) => line.length))
  const nodeWidth = Math.max(76, Math.ceil(longest * CHARACTER) + 20)
  const straight = ways.filter(({ from, to }) => (ranks.get(to) ?? 0) === (ranks.get(from) ?? 0) + 1)
  // Words above a line share its length: in two lines they need half of it.
  const linesOf = (signals: string) => (downwards ? [signals] : twoLines(signals))
  const label =
    Math.max(0, ...straight.flatMap(({ signals }) => linesOf(signals)).map((line) => line.length)) *
    LABEL_CHARACTER
  const gap = downwards ? 36 : Math.max(44, label + 24)
  const across = downwards ? nodeWidth + 16 : NODE_HEIGHT + 24
  const along = (downwards ? NODE_HEIGHT : nodeWidth) + gap
  const taken = new Map<number, number>()
  const nodes = names.map((name): Node => {
    const rank = ranks.get(name) ?? 0
    const place = taken.get(rank) ?? 0
    taken.set(rank, place + 1)
    const main = MARGIN + rank * along
    const cross = MARGIN + place * across
    const state = template.states[name]
    return {
      name,
      lines: lines.get(name) ?? [name],
      x: downwards ? cross : main,
      y: downwards ? main : cross,
      isEnd: Object.keys(state?.on ?? {}).length === 0
    }
  })
  const at = new Map(nodes.map((node) => [node.name, node]))
  const widest = Math.max(...taken.values())
  const edge = MARGIN + Math.max(widest * across, downwards ? nodeWidth / 2 + label + 16 : 0)
  let depth = 0
  const edges = ways.map(({ from, signals, to }): Edge => {
    const a = at.get(from)
    const b = at.get(to)
    if (a === undefined || b === undefined) throw new Error(`${from} leads to ${to}, which is no state`)
    const isStraight = straight.some((way) => way.from === from && way.to === to)
    const base = { from, to, signals, lines: isStraight ? linesOf(signals) : [signals] }
    if (isStraight && !downwards) {
      const [x1, y1, x2, y2] = [a.x + nodeWidth, a.y + NODE_HEIGHT / 2, b.x, b.y + NODE_HEIGHT / 2]
      const bend = (x2 - x1) / 2
      return {
        ...base,
        path: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2 - 5} ${y2}`,
        labelX: (x1 + x2) / 2 - 2,
        labelY: (y1 + y2) / 2 - 6,
        anchor: "middle"
      }
    }
    if (isStraight) {
      const [x1, y1, x2, y2] = [a.x + nodeWidth / 2, a.y + NODE_HEIGHT, b.x + nodeWidth / 2, b.y]
      const bend = (y2 - y1) / 2
      return {
        ...base,
        path: `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2 - 5}`,
        labelX: (x1 + x2) / 2 + 8,
        labelY: (y1 + y2) / 2 + 4,
        anchor: "start"
      }
    }
    const level = edge + 14 + 22 * depth++
    if (!downwards) {
      const x1 = a.x + nodeWidth * (from === to ? 0.7 : 0.6)
      const x2 = b.x + nodeWidth * (from === to ? 0.3 : 0.4)
      return {
        ...base,
        path: `M${x1} ${a.y + NODE_HEIGHT}C${x1} ${level} ${x1} ${level} ${(x1 + x2) / 2} ${level}S${x2} ${level} ${x2} ${b.y + NODE_HEIGHT + 5}`,
        labelX: (x1 + x2) / 2,
        labelY: level - 4,
        anchor: "middle"
      }
    }
    const y1 = a.y + NODE_HEIGHT * (from === to ? 0.7 : 0.6)
    const y2 = b.y + NODE_HEIGHT * (from === to ? 0.3 : 0.4)
    return {
      ...base,
      path: `M${a.x + nodeWidth} ${y1}C${level} ${y1} ${level} ${y1} ${level} ${(y1 + y2) / 2}S${level} ${y2} ${b.x + nodeWidth + 5} ${y2}`,
      labelX: level + 4,
      labelY: (y1 + y2) / 2 + 4 + 14 * ((depth - 1) % 2),
      anchor: "start"
    }
  })
  const arcs = depth === 0 ? 0 : 14 + 22 * depth
  const arcLabel = downwards
    ? Math.max(0, ...edges.filter(({ labelX }) => labelX > edge).map(({ signals }) => signals.length)) *
      LABEL_CHARACTER
    : 0
  const length = MARGIN * 2 + Math.max(...ranks.values()) * along + (downwards ? NODE_HEIGHT : nodeWidth)
  return {
    width: downwards ? Math.max(edge + arcs + arcLabel, MARGIN * 2 + nodeWidth + label / 2) : length,
    height: downwards ? length : edge + arcs,
    nodeWidth,
    nodeHeight: NODE_HEIGHT,
    nodes,
    edges
  }
}
