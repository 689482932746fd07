import { Option } from "effect"
import type { Block, Cell, Column, Doc, Tone } from "./Doc.ts"
import type { Style } from "./Style.ts"
import { clip, pad, visible, width, wrap } from "./Width.ts"

export interface Paper {
  readonly style: Style
  /** The width to fit into; none: as wide as the content. */
  readonly columns: Option.Option<number>
}

const GAP = "  "
/** A column is not made narrower than this, nor than its title. */
const LEAST = 8
const ABSENT = "-"

/** A document as text, ending with a newline; blocks are set apart by an empty line. */
export const render = (doc: Doc, paper: Paper): string => {
  const parts = doc.map((block) => lines(block, paper))
  return parts
    .flatMap((part, at) => (needsBlank(doc, at) ? ["", ...part] : part))
    .map((line) => `${line}\n`)
    .join("")
}

const needsBlank = (doc: Doc, at: number): boolean => at > 0 && doc[at - 1]?._tag !== "Heading"

const lines = (block: Block, paper: Paper): ReadonlyArray<string> => {
  switch (block._tag) {
    case "Heading":
      return [paper.style.bold(visible(block.text))]
    case "Text":
      return block.lines.flatMap((line) => line.split("\n")).flatMap((line) => wrapped(visible(line), paper))
    case "Fields":
      return fieldLines(block.rows, paper)
    case "Table":
      return block.rows.length === 0 ? [paper.style.tone("dim", block.empty)] : tableLines(block, paper)
  }
}

const wrapped = (line: string, { columns }: Paper): ReadonlyArray<string> =>
  Option.match(columns, { onNone: () => [line], onSome: (most) => wrap(line, most) })

interface Shown {
  readonly text: string
  readonly tone: Tone | undefined
}

const shown = (cell: Cell): Shown => {
  if (cell === null || cell === undefined || cell === "") return { text: ABSENT, tone: "dim" }
  if (typeof cell === "boolean") return { text: cell ? "yes" : "no", tone: undefined }
  return typeof cell === "object"
    ? { text: visible(cell.text), tone: cell.tone }
    : { text: visible(String(cell)), tone: undefined }
}

const fieldLines = (
  rows: ReadonlyArray<readonly [label: string, value: Cell]>,
  paper: Paper
): ReadonlyArray<string> => {
  const labels = rows.map(([label]) => visible(label))
  const indent = Math.max(0, ...labels.map(width)) + GAP.length
  const room = Option.map(paper.columns, (columns) => Math.max(columns - indent, LEAST))
  return rows.flatMap(([, cell], at) => {
    const { text, tone } = shown(cell)
    const parts = Option.match(room, { onNone: () => [text], onSome: (most) => wrap(text, most) })
    return parts.map((part, line) => {
      const before =
        line === 0
          ? paper.style.tone("dim", labels[at]!) + " ".repeat(indent - width(labels[at]!))
          : " ".repeat(indent)
      return before + paper.style.tone(tone, part)
    })
  })
}

const tableLines = (
  { columns, rows }: Extract<Block, { readonly _tag: "Table" }>,
  paper: Paper
): ReadonlyArray<string> => {
  const cells = rows.map((row) => columns.map((_, at) => shown(row[at])))
  const natural = columns.map((column, at) =>
    Math.max(width(column.title), ...cells.map((row) => width(row[at]!.text)))
  )
  const widths = Option.match(paper.columns, {
    onNone: () => Option.some(natural),
    onSome: (most) => fitted(columns, natural, most)
  })
  if (Option.isNone(widths)) return stacked(columns, cells, paper)
  const line = (row: ReadonlyArray<Shown>, set: (text: string, shown: Shown) => string): string =>
    row
      .map((one, at) =>
        set(pad(clip(one.text, widths.value[at]!), widths.value[at]!, columns[at]!.align), one)
      )
      .join(GAP)
      .trimEnd()
  return [
    line(
      columns.map((column) => ({ text: column.title, tone: undefined })),
      (text) => paper.style.bold(text)
    ),
    ...cells.map((row) => line(row, (text, one) => paper.style.tone(one.tone, text)))
  ]
}

/** Takes from the widest columns until all fit; None when they cannot. */
const fitted = (
  columns: ReadonlyArray<Column>,
  natural: ReadonlyArray<number>,
  most: number
): Option.Option<ReadonlyArray<number>> => {
  const least = columns.map((column, at) =>
    column.keep === true ? natural[at]! : Math.min(natural[at]!, Math.max(LEAST, width(column.title)))
  )
  const widths = [...natural]
  let over = sum(widths) + GAP.length * (columns.length - 1) - most
  while (over > 0) {
    const widest = widths.reduce(
      (best, wide, at) => (wide > least[at]! && (best < 0 || wide > widths[best]!) ? at : best),
      -1
    )
    if (widest < 0) return Option.none()
    const next = Math.max(0, ...widths.filter((wide, at) => at !== widest && wide < widths[widest]!))
    const take = Math.max(1, Math.min(over, widths[widest]! - Math.max(next, least[widest]!)))
    widths[widest]! -= take
    over -= take
  }
  return Option.some(widths)
}

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((all, one) => all + one, 0)

/** A terminal too narrow for the table gets each row as a block of fields. */
const stacked = (
  columns: ReadonlyArray<Column>,
  cells: ReadonlyArray<ReadonlyArray<Shown>>,
  paper: Paper
): ReadonlyArray<string> =>
  cells.flatMap((row, at) => [
    ...(at === 0 ? [] : [""]),
    ...fieldLines(
      columns.map(
        (column, place) => [column.title, { text: row[place]!.text, tone: row[place]!.tone }] as const
      ),
      paper
    )
  ])
