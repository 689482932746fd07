import { useEffect, useMemo, useRef, useState } from "preact/hooks"
import { problem } from "../Api.ts"
import { type EventFilter, filterOf, passes, withOnly } from "../EventFilter.ts"
import { before, joined, MOST_BACK, MOST_EVENTS } from "../History.ts"
import { ChosenEvent } from "../parts/ChosenEvent.tsx"
import { EventFilters } from "../parts/EventFilters.tsx"
import { Link } from "../parts/Link.tsx"
import { At } from "../parts/Moments.tsx"
import { Nothing, Wrong } from "../parts/Said.tsx"
import { ViewHead } from "../parts/Section.tsx"
import { Windowed } from "../parts/Windowed.tsx"
import { taskHref, viewHref } from "../Route.ts"
import { useCell } from "../UseCell.ts"
import { useTaskHistory } from "../UseTaskHistory.ts"
import type { RunEvent } from "../Wire.ts"
import { actorWords, counted, detailLine, plainWords } from "../Words.ts"
import { useTitle, useWorld } from "../World.ts"

const BURST_MS = 200
/** Events that are asked for at once. */
const PAGE = 1_000

/** The history that this page knows: the newest part when it was opened, and what came since. */
const useHistory = () => {
  const world = useWorld()
  const epoch = useCell(world.epoch)
  const [events, setEvents] = useState<ReadonlyArray<RunEvent>>([])
  const [wrong, setWrong] = useState<string>()
  const [loaded, setLoaded] = useState(false)
  // The oldest event of the whole history, once it was seen.
  const [oldest, setOldest] = useState<number>()
  const most = useRef(MOST_EVENTS)
  useEffect(() => {
    const asking = new AbortController()
    // What comes while the answer is on its way may not be in it.
    let since: ReadonlyArray<RunEvent> = []
    const stop = world.onEvents((more) => {
      since = joined(since, more)
    })
    world.api
      .get<{ readonly events: ReadonlyArray<RunEvent> }>(`/api/events?limit=${PAGE}`, asking.signal)
      .then(
        ({ events }) => {
          setLoaded(true)
          setWrong(undefined)
          stop()
          // What was held before may have a gap behind it: the history begins anew with what is sure.
          most.current = MOST_EVENTS
          setOldest(events.length < PAGE ? events[0]?.id : undefined)
          setEvents(joined(joined([], events), since))
        },
        (error: unknown) => {
          if (!asking.signal.aborted) setWrong(problem(error).message)
        }
      )
    return () => {
      stop()
      asking.abort()
    }
  }, [world, epoch])
  useEffect(() => {
    // A burst is drawn a few times a second, not with every frame.
    let gathered: ReadonlyArray<RunEvent> = []
    let timer: ReturnType<typeof setTimeout> | undefined
    const stop = world.onEvents((more) => {
      gathered = [...gathered, ...more]
      timer ??= setTimeout(() => {
        timer = undefined
        const fresh = gathered
        gathered = []
        setEvents((held) => joined(held, fresh, most.current))
      }, BURST_MS)
    })
    return () => {
      stop()
      clearTimeout(timer)
    }
  }, [world])
  const back = async (): Promise<void> => {
    const query = before(events, PAGE)
    if (query === undefined) return
    try {
      const { events: older } = await world.api.get<{ readonly events: ReadonlyArray<RunEvent> }>(
        `/api/events?${query}`
      )
      setWrong(undefined)
      most.current = MOST_BACK
      const fitting = older.filter(({ id }) => id < (events[0]?.id ?? 0))
      if (fitting.length === 0) setOldest(events[0]?.id)
      setEvents((held) => joined(held, fitting, MOST_BACK))
    } catch (error) {
      setWrong(problem(error).message)
    }
  }
  const first = events[0]?.id ?? 0
  return { events, wrong, loaded, isWhole: first <= 1 || first === oldest, back }
}

const Line = ({
  event,
  choose,
  isChosen,
  onlyActor,
  isOnly
}: {
  readonly event: RunEvent
  readonly choose: () => void
  readonly isChosen: boolean
  readonly onlyActor: () => void
  /** Only events of its actor are shown. */
  readonly isOnly: boolean
}) => (
  <>
    <At at={event.created_at} />
    <button type="button" class="quiet type" aria-pressed={isChosen} onClick={choose}>
      {plainWords(event.event_type)}
    </button>
    <span class="id">
      {event.task_id === null ? null : (
        <Link href={taskHref(event.task_id)}>{event.task_id.slice(0, 13)}</Link>
      )}
    </span>
    <button
      type="button"
      class="quiet actor"
      aria-label={`Only actor ${actorWords(event.actor)}`}
      aria-pressed={isOnly}
      onClick={onlyActor}
    >
      {actorWords(event.actor)}
    </button>
    <span class="muted detail">{detailLine(event.detail)}</span>
  </>
)

/** What narrows the history down to events like the chosen one. */
const OnlyThis = ({
  event,
  filter,
  set
}: {
  readonly event: RunEvent
  readonly filter: EventFilter
  readonly set: (filter: EventFilter) => void
}) => {
  const offers = [
    ["type", event.event_type],
    ["task", event.task_id],
    ["actor", event.actor.name]
  ] as const
  return (
    <>
      {offers.map(([name, value]) =>
        value === null ? null : (
          <button
            key={name}
            type="button"
            class="chip"
            aria-pressed={filter[name] === value}
            onClick={() => set(withOnly(filter, name, value))}
          >
            {`Only this ${name}`}
          </button>
        )
      )}
    </>
  )
}

/** The history as it happens, newest first. */
export const Events = () => {
  const world = useWorld()
  const { query } = useCell(world.route)
  const history = useHistory()
  const [chosen, setChosen] = useState<number>()
  const [holding, setHeld] = useState<{ readonly of: string; readonly events: ReadonlyArray<RunEvent> }>()
  const box = useRef<HTMLElement>(null)
  useTitle("Events")
  const filter = filterOf(query)
  const { actor, task, type } = filter
  // Of one task all that is told of it is searched, however old it is.
  const own = useTaskHistory(task)
  const isOwn = own.isAwaited || own.events !== undefined
  const { events } = own.events === undefined ? history : { events: own.events }
  const isWhole = isOwn || history.isWhole
  const loaded = isOwn ? !own.isAwaited : history.loaded
  const wrong = isOwn ? undefined : (own.wrong ?? history.wrong)
  const searched = isOwn ? task : ""
  const held = holding?.of === searched ? holding.events : undefined
  const shown = useMemo(
    () => (held ?? events).filter(passes(filter)).reverse(),
    [held, events, type, task, actor]
  )
  const set = (next: EventFilter, replace = false) => world.go(viewHref("events", { ...next }), { replace })
  const one = events.find(({ id }) => id === chosen)
  return (
    <>
      <ViewHead
        name="Events"
        lead={
          loaded
            ? `${counted(shown.length)} of ${isOwn ? own.words : `the newest ${counted(events.length)}`}, newest first.${own.hint}`
            : undefined
        }
      >
        <button
          type="button"
          aria-pressed={held !== undefined}
          onClick={() => setHeld(held === undefined ? { of: searched, events } : undefined)}
        >
          {held === undefined
            ? "Hold still"
            : `Go on (${counted(events.filter(({ id }) => id > (held.at(-1)?.id ?? 0)).length)} new)`}
        </button>
        {isWhole || !loaded || held !== undefined ? null : (
          <button type="button" class="quiet" onClick={() => void history.back()}>
            Look further back
          </button>
        )}
      </ViewHead>
      <EventFilters events={events} filter={filter} set={set} />
      {wrong === undefined ? null : <Wrong message={`The history could not be loaded: ${wrong}`} />}
      {shown.length === 0 && wrong !== undefined ? null : shown.length === 0 ? (
        <Nothing>
          {!loaded
            ? "Loading…"
            : isWhole
              ? "No event matches."
              : "No event matches among these. Look further back."}
        </Nothing>
      ) : (
        <Windowed
          boxRef={box}
          label="Events"
          items={shown}
          keyOf={({ id }) => id}
          row={(event) => (
            <Line
              event={event}
              isChosen={event.id === chosen}
              choose={() => setChosen(event.id === chosen ? undefined : event.id)}
              isOnly={event.actor.name === actor}
              onlyActor={() => set(withOnly(filter, "actor", event.actor.name))}
            />
          )}
        />
      )}
      {one === undefined ? null : (
        <ChosenEvent event={one} listRef={box} close={() => setChosen(undefined)}>
          <OnlyThis event={one} filter={filter} set={set} />
        </ChosenEvent>
      )}
    </>
  )
}
