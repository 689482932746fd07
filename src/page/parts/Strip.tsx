import { type Phase, phaseWords } from "../Connection.ts"
import { pause, resume } from "../Moves.ts"
import { viewHref } from "../Route.ts"
import { useCell } from "../UseCell.ts"
import { useNeeds } from "../UseStalled.ts"
import { counted, duration, waitingCount } from "../Words.ts"
import { useKnownNow, useNow, useWorld } from "../World.ts"
import { Act, READ_ONLY, useReadOnly } from "./Act.tsx"
import { Link } from "./Link.tsx"
import { Glyph, Mark } from "./Mark.tsx"
import { Paused } from "./Paused.tsx"
import { UrlInput } from "./UrlInput.tsx"

/** The seconds until the next try, for the eyes alone: a live region that counts is read out each second. */
const NextTry = ({ again }: { readonly again: number }) => {
  const left = Math.ceil((again - useNow()) / 1_000)
  return left > 0 ? <span aria-hidden="true"> {left} s</span> : null
}

/** Whether the page hears its server, in a word that assistive technology is told. */
const Connection = () => {
  const world = useWorld()
  const phase = useCell(world.phase)
  const utc = useCell(world.utc)
  if (useCell(world.locked))
    return (
      <span class="connection is-offline">
        <Glyph tone="failed" />
        <span role="status">offline until you sign in</span>
      </span>
    )
  return (
    <span class={`connection is-${phase.is}`}>
      <Glyph tone={phase.is === "live" ? "completed" : phase.is === "offline" ? "failed" : "running"} />
      <span>
        <span role="status">{phaseWords(phase, world.now.get(), utc)}</span>
        {phase.is === "reconnecting" ? <NextTry again={phase.again} /> : null}
      </span>
    </span>
  )
}

const Search = () => {
  const world = useWorld()
  const route = useCell(world.route)
  const onTasks = route.at === "view" && route.view === "tasks"
  const search = (q: string, isSame: boolean) => {
    const { after: _, ...kept } = onTasks ? route.query : ({} as Record<string, string>)
    world.go(viewHref("tasks", { ...kept, q }), { replace: onTasks && isSame })
  }
  return (
    <search class="search">
      <UrlInput
        type="search"
        aria-label="Search tasks"
        aria-keyshortcuts="/"
        placeholder="Search tasks  /"
        value={onTasks ? (route.query.q ?? "") : ""}
        set={search}
      />
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
            <Needs />
            <Link href={viewHref("queue")}>{counted(waitingCount(state))} waiting</Link>
            {state.counts.permanent_failure === 0 ? null : (
              <Link href={viewHref("tasks", { status: "permanent_failure" })}>
                {counted(state.counts.permanent_failure)} failed
              </Link>
            )}
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

/** How many tasks and workflows cannot go on without somebody. */
const Needs = () => {
  const count = useNeeds()
  return count === 0 ? null : (
    <Link href={viewHref("blocked")} class="tone-blocked needs">
      {counted(count)} {count === 1 ? "needs" : "need"} you
    </Link>
  )
}

/** For how long, to the minute, in a width of its own: what ticks must not move what stands beside it. */
const Up = ({ since }: { readonly since: string }) => {
  const ms = useKnownNow() - Date.parse(since)
  return <span class="up num">{ms < 60_000 ? "under 1 m" : duration(ms - (ms % 60_000))}</span>
}

const Dispatcher = () => {
  const state = useCell(useWorld().state)
  if (state === undefined) return null
  const { held, runner_id, since } = state.dispatcher
  return held ? (
    <span class="dispatcher muted">
      <span class="who">
        dispatcher {runner_id === null ? "is up" : runner_id.split(":").slice(0, 2).join(":")}
      </span>
      {since === null ? null : (
        <span class="since">
          {" up "}
          <Up since={since} />
        </span>
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
      {state?.dispatch_paused.paused === true ? <Paused paused={state.dispatch_paused} /> : null}
      {/* Of a server that is gone it is not known. */}
      {state !== undefined && phase.is !== "offline" && !state.dispatcher.held ? (
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

/** Says once, where every dead button points to, why nothing can be changed. */
const ReadOnly = () =>
  useReadOnly() ? (
    <p class="band is-plain" id={READ_ONLY}>
      <Glyph tone="waiting" />
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
        <strong>Not live.</strong> What you see is {duration(Math.max(1_000, now - phase.since))} old.{" "}
        {phase.foreign === true
          ? "The server answers in words that this page does not know: it may be another version by now. Reload the page"
          : "It is brought up to date when the server answers"}
        {phase.again > now + 1_000 ? `; next try in ${Math.ceil((phase.again - now) / 1_000)} s` : ""}.
      </span>
      <button type="button" onClick={() => world.tryNow()}>
        Try again
      </button>
    </p>
  )
}
