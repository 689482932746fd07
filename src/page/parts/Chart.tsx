import { useRef } from "preact/hooks"
import { type Column, topOf as topOfCount } from "../Figures.ts"
import { useWidth } from "../UseWidth.ts"

/** As wide as it is taken to be until it is measured. */
const WIDTH = 360
const HEIGHT = 110
const LEFT = 52
const BOTTOM = 18
/** A column is no wider, however few there are. */
const WIDEST = 24
/** The label of a column needs so much with the room around it, and so much by itself. */
const LABEL = 48
const LETTERS = 34

/** Columns over time; what they show is in the table below them as well. */
export const Chart = ({
  name,
  columns,
  parts,
  words,
  scale = words,
  topOf = topOfCount
}: {
  readonly name: string
  readonly columns: ReadonlyArray<Column>
  /** The names of the parts of a column, from the bottom. */
  readonly parts: ReadonlyArray<string>
  /** A value in words. */
  readonly words: (value: number) => string
  /** A value in few letters, for the scale. */
  readonly scale?: (value: number) => string
  /** The top of the scale for a greatest value. */
  readonly topOf?: (greatest: number) => number
}) => {
  const sums = columns.map((column) => column.parts.reduce((a, b) => a + b, 0))
  const top = topOf(Math.max(0, ...sums))
  const box = useRef<HTMLElement>(null)
  const wide = useWidth(box, WIDTH)
  const step = (wide - LEFT) / Math.max(1, columns.length)
  const y = (value: number) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - 8)
  const every = Math.max(1, Math.ceil(LABEL / step))
  return (
    <figure class="chart" ref={box}>
      <figcaption>
        {name}
        <span class="keys">
          {parts.map((part, at) => (
            <span key={part} class="muted">
              <svg viewBox="0 0 8 8" width="8" height="8" aria-hidden="true">
                <rect width="8" height="8" class={`part part-${at}`} />
              </svg>{" "}
              {part}
            </span>
          ))}
        </span>
      </figcaption>
      <svg
        viewBox={`0 0 ${wide} ${HEIGHT}`}
        width={wide}
        height={HEIGHT}
        role="img"
        aria-label={`${name}, by ${parts.join(" and ")}`}
      >
        {(Number.isInteger(top / 2) ? [0, top / 2, top] : [0, top]).map((value) => (
          <g key={value} class="scale">
            <line x1={LEFT} x2={wide} y1={y(value)} y2={y(value)} />
            <text x={LEFT - 6} y={y(value) + 4} text-anchor="end">
              {scale(value)}
            </text>
          </g>
        ))}
        {columns.map(({ label, parts: values }, index) => {
          let below = 0
          const width = Math.min(WIDEST, Math.max(1, step * 0.7))
          const x = LEFT + index * step + (step - width) / 2
          return (
            <g key={`${label} ${index}`}>
              {values.map((value, at) => {
                const from = below
                below += value
                return value <= 0 ? null : (
                  <rect
                    key={parts[at]}
                    class={`part part-${at}`}
                    x={x}
                    width={width}
                    y={y(below)}
                    height={Math.max(1, y(from) - y(below))}
                  />
                )
              })}
              {index % every === 0 && x + LETTERS <= wide ? (
                <text class="label" x={x} y={HEIGHT - 4}>
                  {label}
                </text>
              ) : null}
            </g>
          )
        })}
      </svg>
      <details class="given">
        <summary>
          Figures<span class="hidden"> of {name}</span>
        </summary>
        <table>
          <thead>
            <tr>
              <th scope="col">when</th>
              {parts.map((part) => (
                <th scope="col" key={part}>
                  {part}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {columns
              .filter((column) => column.parts.some((value) => value > 0))
              .map(({ label, parts: values }, index) => (
                <tr key={`${label} ${index}`}>
                  <th scope="row">{label}</th>
                  {values.map((value, at) => (
                    <td key={parts[at]} class="num">
                      {words(value)}
                    </td>
                  ))}
                </tr>
              ))}
          </tbody>
        </table>
      </details>
    </figure>
  )
}
