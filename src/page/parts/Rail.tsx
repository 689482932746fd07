import { problem } from "../Api.ts"
import { failed } from "../Means.ts"
import { VIEWS, type View, viewHref } from "../Route.ts"
import { useCell } from "../UseCell.ts"
import { useStalled } from "../UseStalled.ts"
import type { State } from "../Wire.ts"
import { counted, endedCount, waitingCount } from "../Words.ts"
import { useWorld } from "../World.ts"
import { Link } from "./Link.tsx"

const countOf = (view: View, state: State | undefined, stalled: number): number | undefined => {
  if (state === undefined) return undefined
  if (view === "blocked") return state.counts.blocked + stalled
  if (view === "workflows") return stalled
  if (view === "now") return state.counts.running
  if (view === "queue") return waitingCount(state)
  if (view === "done") return endedCount(state)
  return undefined
}

/** Views whose count is of what needs somebody. */
const NEEDY: ReadonlyArray<View> = ["blocked", "workflows"]

const GROUPS = ["now", "sources", "means", "record"] as const

/** Who is signed in, and the way out. */
const SignOut = ({ name }: { readonly name: string }) => {
  const world = useWorld()
  const leave = async () => {
    try {
      await world.api.post("/logout", {})
      location.assign("/login")
    } catch (error) {
      failed(world, problem(error))
    }
  }
  return (
    <button type="button" class="quiet" aria-label={`Sign out ${name}`} onClick={() => void leave()}>
      {name}: sign out
    </button>
  )
}

/** The views, with how many there are of what can be counted. The count stands beside the link, not in its name. */
export const Rail = () => {
  const world = useWorld()
  const route = useCell(world.route)
  const state = useCell(world.state)
  const stalled = useStalled().count
  const signedIn = useCell(world.signedIn)
  const current = route.at === "view" ? route.view : route.at === "workflow" ? "workflows" : undefined
  return (
    <nav class="rail" aria-label="Views">
      {GROUPS.map((group) => (
        <ul key={group}>
          {VIEWS.filter((one) => one.group === group).map(({ name, view }) => {
            const count = countOf(view, state, stalled)
            return (
              <li key={view} class={NEEDY.includes(view) && (count ?? 0) > 0 ? "needs" : undefined}>
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
        {signedIn === undefined ? null : <SignOut name={signedIn} />}
      </p>
    </nav>
  )
}
