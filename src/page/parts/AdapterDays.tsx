import { viewHref } from "../Route.ts"
import { byAdapter, daysUntil, MEASURES, type Measure, measureOf } from "../UsageDays.ts"
import { useCell } from "../UseCell.ts"
import type { DayUse } from "../Wire.ts"
import { useWorld } from "../World.ts"

const HEIGHT = 40

const NAMES: ReadonlyArray<readonly [Measure, string]> = [
  ["tokens", "Tokens"],
  ["attempts", "Attempts"],
  ["cost", "Cost"]
]

/** By what the bars are measured; the address has it. */
export const Measured = ({ usage }: { readonly usage: ReadonlyArray<DayUse> }) => {
  const world = useWorld()
  const { query } = useCell(world.route)
  const measure = measureOf(query.of, usage)
  return (
    <>
      {NAMES.map(([of, name]) => (
        <button
          type="button"
          key={of}
          class="quiet"
          aria-pressed={of === measure}
          onClick={() => world.go(viewHref("usage", { ...query, of }))}
        >
          {name}
        </button>
      ))}
    </>
  )
}

/** Bars by adapter and day: a line of days for each adapter, all of one scale; the table below tells the figures. */
export const AdapterDays = ({
  usage,
  now
}: {
  readonly usage: ReadonlyArray<DayUse>
  readonly now: number
}) => {
  const measure = measureOf(useCell(useWorld().route).query.of, usage)
  const { words } = MEASURES[measure]
  const days = daysUntil(usage, now)
  const rows = byAdapter(usage, days, measure)
  const most = Math.max(0, ...rows.flatMap(({ values }) => values))
  const marks = [days[0], days[Math.floor((days.length - 1) / 2)], days.at(-1)]
  return (
    <figure class="adapter-days">
      <figcaption class="muted">
        {most === 0
          ? `No adapter told its ${measure} in these days.`
          : `A full bar is ${words(most)} in a day (UTC).`}
      </figcaption>
      <ul>
        {rows.map(({ adapter, sum, values }) => {
          const top = Math.max(...values)
          const best = days[values.indexOf(top)] ?? ""
          return (
            <li key={adapter}>
              <span class="name">{adapter}</span>
              <svg
                viewBox={`0 0 ${days.length * 10} ${HEIGHT}`}
                preserveAspectRatio="none"
                height={HEIGHT}
                role="img"
                aria-label={`${adapter}, ${measure} by day${sum === 0 ? ": none" : `: most on ${best}, ${words(top)}`}`}
              >
                <path class="ground" d={`M0 ${HEIGHT - 0.5}H${days.length * 10}`} />
                {values.map((value, at) => {
                  const height = value === 0 ? 0 : Math.max(1.5, (value / most) * HEIGHT)
                  return height === 0 ? null : (
                    <rect
                      key={days[at]}
                      class="fill"
                      x={at * 10 + 1.5}
                      width={7}
                      y={HEIGHT - height}
                      height={height}
                    />
                  )
                })}
              </svg>
              <span class="sum num">{sum === 0 && measure !== "attempts" ? "not told" : words(sum)}</span>
            </li>
          )
        })}
      </ul>
      <p class="days muted num" aria-hidden="true">
        {marks.map((day, at) => (
          <span key={at}>{day?.slice(5)}</span>
        ))}
      </p>
    </figure>
  )
}
