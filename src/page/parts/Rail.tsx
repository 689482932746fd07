import { VIEWS, type View, viewHref } from "../Route.ts"
import { useCell } from "../UseCell.ts"
import type { State } from "../Wire.ts"
import { counted, endedCount, waitingCount } from "../Words.ts"
import { useWorld } from "../World.ts"
import { Link } from "./Link.tsx"

const countOf = (view: View, state: State | undefined): number | undefined => {
  if (state === undefined) return undefined
  if (view === "blocked") return state.counts.blocked
  if (view === "now") return state.counts.running
  if (view === "queue") return waitingCount(state)
  if (view === "done") return endedCount(state)
  return undefined
}

const GROUPS = ["now", "sources", "means", "record"] as const

/** The views, with how many there are of what can be counted. The count stands beside the link, not in its name. */
export const Rail = () => {
  const world = useWorld()
  const route = useCell(world.route)
  const state = useCell(world.state)
  const current = route.at === "view" ? route.view : route.at === "workflow" ? "workflows" : undefined
  return (
    <nav class="rail" aria-label="Views">
      {GROUPS.map((group) => (
        <ul key={group}>
          {VIEWS.filter((one) => one.group === group).map(({ name, view }) => {
            const count = countOf(view, state)
            return (
              <li key={view} class={view === "blocked" && (count ?? 0) > 0 ? "needs" : undefined}>
                <Link href={viewHref(view)} current={current === view}>
                  {name}
                </Link>
                {count === undefined || count === 0 ? null : <span class="count num">{counted(count)}</span>}
              </li>
            )
          })}
        </ul>
      ))}
      <p class="rail-foot">
        <button type="button" class="quiet" onClick={() => world.keysShown.set(true)}>
          Keys <kbd>?</kbd>
        </button>
        <button
          type="button"
          class="quiet"
          aria-pressed={useCell(world.utc)}
          onClick={() => world.utc.set(!world.utc.get())}
        >
          UTC
        </button>
      </p>
    </nav>
  )
}
