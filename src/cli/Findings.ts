import { type Block, type Cell, type Doc, fields, heading, text } from "./Doc.ts"

/** Something that is wrong, or worth knowing. */
export interface Finding {
  /** `adapter codex`. */
  readonly of: string
  readonly wrong: string
  readonly since?: string | null
  /** What mends it; empty where the sentence says it. */
  readonly mend?: string
}

interface LastAttempt {
  readonly ended_at: string | null
  readonly exit_status: string | null
  readonly reason: string | null
}

/** An adapter whose probe was asked. */
interface Probed {
  readonly id: string
  readonly reason?: string | undefined
  readonly remedy?: string | undefined
  readonly problems?: ReadonlyArray<string> | undefined
  readonly last_attempt?: LastAttempt | undefined
}

/** All that keeps an adapter from running; since when is told with the first. */
export const notRunning = ({
  id,
  last_attempt,
  problems = [],
  reason = "",
  remedy = ""
}: Probed): ReadonlyArray<Finding> => {
  const of = `adapter ${id}`
  return [
    { of, wrong: reason, since: lastRun(last_attempt), mend: remedy },
    ...problems.slice(1).map((wrong) => ({ of, wrong }))
  ]
}

/** How an adapter's newest attempt ended, as a sentence. */
const lastRun = (last: LastAttempt | undefined): string => {
  if (last === undefined) return "it has never run"
  const reason = last.exit_status === "ok" || last.reason === null ? "" : `: ${last.reason}`
  return `its last attempt ended ${last.exit_status ?? "without a result"} at ${last.ended_at ?? "an unknown time"}${reason}`
}

const shown = ({ mend = "", of, since = null, wrong }: Finding): ReadonlyArray<Block> => {
  const rows: ReadonlyArray<readonly [string, Cell]> = [
    ["what", wrong],
    ["since", since],
    ["mend", mend]
  ]
  return [heading(of), fields(rows.filter(([, cell]) => cell !== null && cell !== ""))]
}

/** Findings as a page that can be read aloud: what is wrong, since when, and what mends it. */
export const findings = (problems: ReadonlyArray<Finding>, warnings: ReadonlyArray<Finding>): Doc => [
  ...problems.flatMap(shown),
  ...(warnings.length === 0 ? [] : [heading("Worth knowing")]),
  ...(warnings.length === 0 ? [] : [text(...warnings.map(({ of, wrong }) => `${of}: ${wrong}`))])
]

/** `1 thing is wrong`, `2 things are wrong`. */
export const counted = (count: number): string =>
  count === 1 ? "1 thing is wrong" : `${count} things are wrong`
