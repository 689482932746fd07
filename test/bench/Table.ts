/** One measure of one system: what is shown, and what it is of the floor (above 1 is better). */
export interface Cell {
  readonly value: string
  readonly ratio?: number
  /** Said below the table. */
  readonly note?: string
}

/** Why a measure has no figure. */
export interface NotRun {
  readonly notRun: string
}

export interface Row<Column extends string> {
  readonly measure: string
  /** What was to be reached, where something was. */
  readonly asked?: string
  readonly cells: { readonly [column in Column]?: Cell | NotRun }
}

/** How often `value` holds `floor`; undefined where either is nothing. */
export const ratio = (value: number, floor: number): number | undefined =>
  value > 0 && floor > 0 ? value / floor : undefined

/** Two digits that count: 0.71, 1.4, 0.0032. */
export const digits = (value: number): string =>
  value >= 10 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toPrecision(2)

/** A ratio, always with at least two places: 0.71, 1.40, 0.0032. */
const times = (value: number): string => (value >= 0.1 ? value.toFixed(2) : value.toPrecision(2))

export const perSecond = (value: number): string =>
  value >= 10 ? `${Math.round(value).toLocaleString("en")}/s` : `${digits(value)}/s`

export const milliseconds = (value: number): string => `${digits(value)} ms`

/** The value of which so much of all are not above it. */
export const quantile = (values: ReadonlyArray<number>, part: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

/**
 * The rows as a table of Markdown that is aligned for a terminal as well; notes and reasons stand below it, each once,
 * under the number that its cells carry. A column is left out where nobody has anything in it.
 */
export const table = <Column extends string>(
  columns: { readonly [column in Column]: string },
  rows: ReadonlyArray<Row<Column>>
): string => {
  const notes: Array<string> = []
  const mark = (note: string) => {
    if (!notes.includes(note)) notes.push(note)
    return `[${notes.indexOf(note) + 1}]`
  }
  const shown = (cell: Cell | NotRun | undefined): string => {
    if (cell === undefined) return ""
    if ("notRun" in cell) return `not run ${mark(`not run: ${cell.notRun}`)}`
    const text = cell.ratio === undefined ? cell.value : `${times(cell.ratio)} (${cell.value})`
    return cell.note === undefined ? text : `${text} ${mark(cell.note)}`
  }
  const used = (Object.keys(columns) as Array<Column>).filter((column) =>
    rows.some((row) => row.cells[column] !== undefined)
  )
  const lines = [
    ["", "asked", ...used.map((column) => columns[column])],
    ...rows.map((row) => [row.measure, row.asked ?? "", ...used.map((column) => shown(row.cells[column]))])
  ]
  const widths = lines[0]?.map((_, at) => Math.max(3, ...lines.map((line) => line[at]?.length ?? 0))) ?? []
  const drawn = lines.map((line) => `| ${line.map((text, at) => text.padEnd(widths[at] ?? 0)).join(" | ")} |`)
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`
  const below = notes.map((note, at) => `[${at + 1}] ${note}`)
  return [drawn[0], rule, ...drawn.slice(1), ...(below.length > 0 ? ["", below.join("  \n")] : [])].join("\n")
}
