import { useRef } from "preact/hooks"
import type { Phase } from "../Connection.ts"
import { pause, resume } from "../Moves.ts"
import type { Touches } from "../Records.ts"
import { viewHref } from "../Route.ts"
import { useCell } from "../UseCell.ts"
import { useRecord } from "../UseRecord.ts"
import type { RunEvent } from "../Wire.ts"
import { actorWords, counted, duration, moment, waitingCount } from "../Words.ts"
import { useNow, useWorld } from "../World.ts"
import { Act, READ_ONLY, useReadOnly } from "./Act.tsx"
import { Link } from "./Link.tsx"
import { Glyph, Mark } from "./Mark.tsx"
import { Ago } from "./Moments.tsx"

const connectionWords = (phase: Phase, now: number, utc: boolean): string => {
  if (phase.is === "live") return "live"
  if (phase.is === "offline") return `offline since ${moment(new Date(phase.since).toISOString(), now, utc)}`
  const left = Math.ceil((phase.again - now) / 1_000)
  return left > 0 ? `reconnecting ${left} s` : "reconnecting"
}

const Lost = ({ phase }: { readonly phase: Phase }) => {
  const now = useNow()
  return <>{connectionWords(phase, now, useCell(useWorld().utc))}</>
}

/** Whether the page hears its server, in a word that assistive technology is told. */
const Connection = () => {
  const phase = useCell(useWorld().phase)
  return (
    <span class={`connection is-${phase.is}`}>
      <Glyph tone={phase.is === "live" ? "completed" : phase.is === "offline" ? "failed" : "running"} />
      {/* Only what is not live counts the seconds. */}
      <span role="status">{phase.is === "live" ? "live" : <Lost phase={phase} />}</span>
    </span>
  )
}

const Search = () => {
  const world = useWorld()
  const route = useCell(world.route)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const onTasks = route.at === "view" && route.view === "tasks"
  const search = (q: string) => {
    clearTimeout(timer.current)
    const { after: _, ...kept } = onTasks ? route.query : ({} as Record<string, string>)
    world.go(viewHref("tasks", { ...kept, q }), { replace: onTasks })
  }
  return (
    <search class="search">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          search(new FormData(event.currentTarget).get("q")?.toString() ?? "")
        }}
      >
        <input
          type="search"
          name="q"
          aria-label="Search tasks"
          aria-keyshortcuts="/"
          placeholder="Search tasks  /"
          autocomplete="off"
          spellcheck={false}
          value={onTasks ? (route.query.q ?? "") : ""}
          onInput={(event) => {
            const { value } = event.currentTarget
            clearTimeout(timer.current)
            if (onTasks || value !== "") timer.current = setTimeout(() => search(value), 250)
          }}
        />
      </form>
    </search>
  )
}

const STATES = {
  idle: ["waiting", "idle"],
  running: ["running", "running"],
  paused: ["paused", "paused"]
} as const

/** What is always on top: who this is, whether it is alive, what needs somebody. */
export const Strip = () => {
  const world = useWorld()
  const state = useCell(world.state)
  const [tone, word] = STATES[state?.runtime_state ?? "idle"]
  const locked = useCell(world.locked)
  const blocked = state?.counts.blocked ?? 0
  if (locked)
    return (
      <header class="strip">
        <span class="name">{state?.runtime_name ?? "agent-runtime"}</span>
        <Connection />
      </header>
    )
  return (
    <header class="strip">
      <Link href="/" class="name">
        {state?.runtime_name ?? "agent-runtime"}
      </Link>
      {state === undefined ? null : (
        <>
          <Mark tone={tone} word={word} />
          <span class="pulse">
            {blocked > 0 ? (
              <Link href={viewHref("blocked")} class="tone-blocked needs">
                {counted(blocked)} {blocked === 1 ? "needs" : "need"} you
              </Link>
            ) : null}
            <Link href={viewHref("queue")}>{counted(waitingCount(state))} waiting</Link>
          </span>
          <Dispatcher />
        </>
      )}
      <Search />
      {state?.runtime_state === "paused" ? (
        <Act class="primary" onClick={() => void resume(world)}>
          Resume
        </Act>
      ) : (
        <Act onClick={() => pause(world)} disabled={state === undefined}>
          Pause
        </Act>
      )}
      <Connection />
    </header>
  )
}

const Dispatcher = () => {
  const state = useCell(useWorld().state)
  if (state === undefined) return null
  const { held, runner_id, since } = state.dispatcher
  return held ? (
    <span class="dispatcher muted">
      dispatcher {runner_id === null ? "is up" : runner_id.split(":").slice(0, 2).join(":")}
      {since === null ? null : (
        <>
          {" since "}
          <Ago at={since} />
        </>
      )}
    </span>
  ) : null
}

/** Bands across the page: what an operator must not miss. */
export const Bands = () => {
  const world = useWorld()
  const state = useCell(world.state)
  const phase = useCell(world.phase)
  const epoch = useCell(world.epoch)
  return (
    <section aria-label="What is out of the ordinary">
      <ReadOnly />
      {phase.is !== "live" && (epoch > 0 || phase.is === "offline") ? <Stale phase={phase} /> : null}
      {state?.dispatch_paused.paused === true ? (
        <p class="band tone-paused">
          <Glyph tone="paused" />
          <span>
            <strong>Paused</strong>
            {state.dispatch_paused.reason === null ? null : `: ${state.dispatch_paused.reason}`}
            <PausedBy />
            {state.dispatch_paused.updated_at === null ? null : (
              <>
                {" · since "}
                <Ago at={state.dispatch_paused.updated_at} />
              </>
            )}
            {" · running attempts finish, nothing new is started."}
          </span>
        </p>
      ) : null}
      {state !== undefined && !state.dispatcher.held ? (
        <p class="band tone-blocked">
          <Glyph tone="blocked" />
          <span>
            <strong>No dispatcher running.</strong> Nothing will start. Run{" "}
            <code>agent-runtime dispatch</code> on the host, or <code>agent-runtime up</code> for both.
          </span>
        </p>
      ) : null}
    </section>
  )
}

const touchesPause: Touches = ({ event_type }) => event_type.startsWith("dispatch_pause")

/** Who paused, by name and by the way that it came. */
const PausedBy = () => {
  const by = useRecord<{ readonly actor?: RunEvent["actor"] | undefined }>("/api/pause", touchesPause).data
    ?.actor
  return <>{by === undefined ? null : ` · by ${actorWords(by)} (${by.surface})`}</>
}

/** Says once, where every dead button points to, why nothing can be changed. */
const ReadOnly = () =>
  useReadOnly() ? (
    <p class="band" id={READ_ONLY}>
      <Glyph tone="paused" />
      <span>
        <strong>You may only read.</strong> What changes something needs a token with the role{" "}
        <code>operate</code>.
      </span>
    </p>
  ) : null

const Stale = ({ phase }: { readonly phase: Exclude<Phase, { readonly is: "live" }> }) => {
  const world = useWorld()
  const now = useNow()
  return (
    <p class="band tone-failed">
      <Glyph tone="failed" />
      <span>
        <strong>Not live.</strong> What you see is {duration(Math.max(1_000, now - phase.since))} old. It is
        brought up to date when the server answers
        {phase.again > now + 1_000 ? `; next try in ${Math.ceil((phase.again - now) / 1_000)} s` : ""}.
      </span>
      <button type="button" onClick={() => world.tryNow()}>
        Try again
      </button>
    </p>
  )
}
