/** A row of a list, and since when it stands where it stands. */
export interface Aged<Row> {
  readonly at: string
  readonly row: Row
}

/** Rows of whatever kind as one list, those first that have waited longest. */
export const byAge = <Row>(rows: ReadonlyArray<Aged<Row>>): ReadonlyArray<Row> =>
  rows.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)).map(({ row }) => row)

interface Started {
  readonly started_at: string | null
}

/** Those that began first stand first: what begins comes to the end, and moves none that somebody aims at. */
export const startedFirst = ({ started_at: a }: Started, { started_at: b }: Started): number =>
  a === b ? 0 : (a ?? "") < (b ?? "") ? -1 : 1

/** So long a failure stands before what ended well. */
const DAY_MS = 86_400_000
/** So many of them. */
const MOST_FAILED = 3

interface Ended {
  readonly task_id: string
  readonly finished_at: string | null
}

/** What ended last, the newest failures of a day before it: what ends well every few seconds does not hide them. */
export const failuresFirst = <Task extends Ended>(
  failed: ReadonlyArray<Task>,
  ended: ReadonlyArray<Task>,
  now: number,
  most: number
): { readonly failed: number; readonly tasks: ReadonlyArray<Task> } => {
  const first = failed
    .filter(({ finished_at }) => finished_at !== null && now - Date.parse(finished_at) < DAY_MS)
    .toSorted((a, b) => ((a.finished_at ?? "") > (b.finished_at ?? "") ? -1 : 1))
    .slice(0, MOST_FAILED)
    // With what it used, where that is told of it.
    .map((one) => ended.find(({ task_id }) => task_id === one.task_id) ?? one)
  const others = ended.filter(({ task_id }) => !first.some((one) => one.task_id === task_id))
  return { failed: first.length, tasks: [...first, ...others].slice(0, most) }
}
