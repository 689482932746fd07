import type { Column } from "../Figures.ts"

const HEIGHT = 20

/** Columns as small as a line of text: how a day went at a glance. What they show is told in figures beside it. */
export const Spark = ({
  columns,
  label
}: {
  readonly columns: ReadonlyArray<Column>
  readonly label: string
}) => {
  const most = Math.max(1, ...columns.map(({ parts }) => parts.reduce((a, b) => a + b, 0)))
  return (
    <svg class="spark" viewBox={`0 0 ${columns.length * 5} ${HEIGHT}`} role="img" aria-label={label}>
      <path class="ground" d={`M0 ${HEIGHT - 0.5}h${columns.length * 5}`} />
      {columns.map(({ label, parts }, index) => {
        let below = 0
        return parts.map((value, at) => {
          const height = value === 0 ? 0 : Math.max(1, (value / most) * (HEIGHT - 1))
          below += height
          return height === 0 ? null : (
            <rect
              key={`${label} ${at}`}
              class={`part part-${at}`}
              x={index * 5}
              width={4}
              y={HEIGHT - below}
              height={height}
            />
          )
        })
      })}
    </svg>
  )
}
