import { mkdirSync, writeFileSync } from "node:fs"
import { arch, availableParallelism, cpus, loadavg, release } from "node:os"
import { join } from "node:path"
import { killChildren } from "./Children.ts"
import { rowsOfOurs } from "./Ours.ts"
import { lacking, peerNames, peers } from "./Peers.ts"
import { rowsOfPeers } from "./Rivals.ts"
import { type Cell, type NotRun, type Row, table } from "./Table.ts"

export type Column = "floor" | "store" | "pipeline" | keyof typeof peers | "where"

export type Cells = { [column in Column]?: Cell | NotRun }

export interface Run {
  readonly quick: boolean
  /** Runs a measure and puts its cells into a row; what fails, or has no time left, is told in the row. */
  readonly measure: (
    row: RowName,
    columns: ReadonlyArray<Column>,
    program: (limitMs: number) => Promise<Cells>
  ) => Promise<void>
}

/** The rows in the order of the table, and what was to be reached. */
const ROWS = {
  enqueue: ["enqueue one by one, each acknowledged", "0.6 of the floor"],
  enqueueMany: ["enqueue 1,000 in one commit", undefined],
  drain1: ["10,000 no-op tasks, concurrency 1", "pipeline 0.14 of the floor"],
  drain10: ["10,000 no-op tasks, concurrency 10", undefined],
  at1k: ["claim + settle, 1,000 queued", "0.6 of the floor"],
  at100k: ["claim + settle, 100,000 queued", "0.6 of the floor"],
  at1M: ["claim + settle, 1,000,000 queued", "0.6 of the floor"],
  delayed: ["claim + settle, 1,000 due among 1,000,000 delayed", "0.6 of the floor"],
  first: ["first task at 1,000,000 queued", "10 ms"],
  same: ["enqueue to start, same process (median / p99)", undefined],
  other: ["enqueue to start, other process (median / p99)", "8 / 25 ms"],
  otherTuned: ["the same, polling every 5 ms", undefined],
  toChild: ["enqueue to the child's first instruction, other process", undefined],
  counts: ["counts at 1,000,000", "1 ms"],
  idleMemory: ["memory, idle", undefined],
  memory: ["memory at 1,000,000 queued", "130 MiB"],
  idle: ["CPU, idle, as it comes", "0.5 % of a core"],
  idleTuned: ["CPU, idle, polling every 5 ms", undefined],
  version: ["start of the binary: --version", undefined],
  status: ["start of the binary: status", undefined]
} as const satisfies Record<string, readonly [string, string | undefined]>

export type RowName = keyof typeof ROWS

const COLUMNS: { readonly [column in Column]: string } = {
  floor: "floor",
  store: "ours: Store alone",
  pipeline: "ours: whole pipeline",
  plainjob: peers.plainjob.title,
  bunqueue: peers.bunqueue.title,
  liteque: peers.liteque.title,
  sidequest: peers.sidequest.title,
  where: "where the pipeline's time goes"
}

const MINUTE_MS = 60_000
/** Nothing new begins after so long, and what runs then is ended. */
const LIMIT_MS = { quick: 8 * MINUTE_MS, whole: 30 * MINUTE_MS }
/** The longest that one measure may take. */
const MEASURE_MS = 3 * MINUTE_MS
/** So long after the end of its time a run is stuck. */
const GRACE_MS = 5 * MINUTE_MS

const conditions = (seconds: number, quick: boolean, only: string, load: ReadonlyArray<number>) => {
  const [cpu] = cpus()
  return [
    `${availableParallelism()} x ${cpu?.model ?? "an unknown processor"}, ${arch()}, Linux ${release().split("-")[0]}, Bun ${Bun.version};`,
    `load ${load.map((one) => one.toFixed(1)).join(" to ")}; ${Math.round(seconds / 60)} minutes${quick ? " (--quick)" : ""}${only === "" ? "" : ` (only rows with "${only}")`}.`
  ].join(" ")
}

const EXPLANATION = [
  "A figure before a bracket is the ratio to the floor, measured just before and after; the bracket is the rate itself.",
  "All at WAL and synchronous = FULL, read back from each system:",
  ...peerNames.map((name) => `${peers[name].title}: ${peers[name].forced};`)
].join(" ")

/** Measures all systems, prints one table and leaves it in dist/bench/table.md; `only` chooses rows by their words. */
export const compare = async (quick: boolean, only = ""): Promise<void> => {
  const began = performance.now()
  const load = loadavg()[0] ?? 0
  const until = began + (quick ? LIMIT_MS.quick : LIMIT_MS.whole)
  const cells = new Map<RowName, Cells>()
  const measure: Run["measure"] = async (row, columns, program) => {
    if (!ROWS[row][0].includes(only)) return
    const own = cells.get(row) ?? {}
    cells.set(row, own)
    const fail = (notRun: string) => {
      for (const column of columns) own[column] ??= { notRun }
    }
    const left = until - performance.now()
    if (left < 1_000) return fail("needs more time than this run had left")
    console.error(
      `${String(Math.round((performance.now() - began) / 1_000)).padStart(5)} s  ${ROWS[row][0]}: ${columns.join(", ")}`
    )
    try {
      Object.assign(own, await program(Math.min(left, MEASURE_MS)))
    } catch (error) {
      fail(`needs ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  for (const name of peerNames) {
    const lacks = lacking(peers[name])
    if (lacks !== undefined) console.error(`${peers[name].title}: not run: needs ${lacks}`)
  }
  const run: Run = { quick, measure }
  const stuck = setTimeout(
    () => {
      tell()
      console.error("bench: stuck; the table has what was measured until now")
      killChildren()
      process.exit(1)
    },
    until - began + GRACE_MS
  )
  const tell = () => {
    const seconds = (performance.now() - began) / 1_000
    const told = [
      drawn(cells),
      "",
      EXPLANATION,
      "",
      conditions(seconds, quick, only, [load, loadavg()[0] ?? 0]),
      ""
    ].join("\n")
    const folder = join(import.meta.dir, "..", "..", "dist", "bench")
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, "table.md"), told)
    console.log(told)
  }
  await rowsOfOurs(run)
  await rowsOfPeers(run)
  clearTimeout(stuck)
  tell()
  console.log("dist/bench/table.md has it too; `npm run bench -- --readme` puts it into README.md")
}

const drawn = (cells: ReadonlyMap<RowName, Cells>): string => {
  const rows = (Object.keys(ROWS) as ReadonlyArray<RowName>).flatMap((name): ReadonlyArray<Row<Column>> => {
    const [title, asked] = ROWS[name]
    const own = cells.get(name)
    return own === undefined
      ? []
      : [{ measure: title, ...(asked === undefined ? {} : { asked }), cells: own }]
  })
  return table(COLUMNS, rows)
}
