import { createContext } from "preact"
import { useContext, useEffect } from "preact/hooks"
import { type Api, makeApi } from "./Api.ts"
import { type Cell, cell } from "./Cell.ts"
import { type Clock, makeClock } from "./Clock.ts"
import type { Phase } from "./Connection.ts"
import type { Ask, Means, Notice } from "./Means.ts"
import { makeRecords, type Records } from "./Records.ts"
import { type Leaf, type Route, routeOf } from "./Route.ts"
import { makeTabs } from "./Tabs.ts"
import { useCell } from "./UseCell.ts"
import { visible } from "./Visible.ts"
import type { RunEvent, State } from "./Wire.ts"
import { taskCount } from "./Words.ts"

/** Everything that the parts of the page share. */
export interface World extends Means {
  readonly api: Api
  readonly records: Records
  readonly route: Cell<Route>
  /** The route that the present one was opened from, where there is one. */
  readonly from: Cell<string | undefined>
  /** What was open before the present view: its row is looked for there. */
  readonly sought: Cell<Leaf | undefined>
  readonly go: (href: string, how?: { readonly replace?: boolean }) => void
  readonly phase: Cell<Phase>
  readonly state: Cell<State | undefined>
  readonly policy: Cell<string | undefined>
  /** Counts the times that what is known may be old: at each reconnection. */
  readonly epoch: Cell<number>
  readonly onEvents: (listener: (events: ReadonlyArray<RunEvent>) => void) => () => void
  readonly tryNow: () => void
  /** The time by the server's clock, each second while somebody looks. */
  readonly now: Cell<number>
  readonly utc: Cell<boolean>
  readonly locked: Cell<boolean>
  readonly keysShown: Cell<boolean>
  /** The name of what is shown, for the title of the window. */
  readonly title: Cell<string>
  /** The token's name by which somebody came, where it is by one. */
  readonly signedIn: Cell<string | undefined>
  /** How many pages beyond the first one were asked for, by the address of a list. */
  readonly reached: Map<string, number>
  /** What was written and not yet sent. */
  readonly drafts: Map<string, string>
}

/** How long a hidden tab goes on listening: somebody may come back at once. */
const HIDDEN_GRACE_MS = 10_000

const stored = (name: string): string | null => {
  try {
    return localStorage.getItem(name)
  } catch {
    return null // The browser keeps nothing for this page.
  }
}

/** Keeps a choice of this browser where it lets us. */
export const store = (name: string, value: string): void => {
  try {
    localStorage.setItem(name, value)
  } catch {
    // It is asked for again next time.
  }
}

const here = (): Route => routeOf(location.pathname, location.search)

const from = (): string | undefined => {
  const state: unknown = history.state
  return typeof state === "object" && state !== null && "from" in state && typeof state.from === "string"
    ? state.from
    : undefined
}

/** A clock that tells the time each second while somebody looks. */
const clockOf = (): Clock => {
  const clock = makeClock()
  setInterval(() => {
    if (!document.hidden) clock.tick()
  }, 1_000)
  document.addEventListener("visibilitychange", clock.tick)
  return clock
}

const routing = () => {
  const route = cell(here())
  const opener = cell(from())
  const sought = cell<Leaf | undefined>(undefined)
  const arrive = () => {
    const left = route.get()
    const next = here()
    opener.set(from())
    sought.set(next.at === "view" && (left.at === "task" || left.at === "workflow") ? left : undefined)
    route.set(next)
  }
  addEventListener("popstate", arrive)
  return {
    route,
    from: opener,
    sought,
    go: (href: string, how: { readonly replace?: boolean } = {}) => {
      const was = `${location.pathname}${location.search}`
      const onTask = route.get().at === "task"
      // From task to task the list that one came from stays.
      const state = how.replace === true ? history.state : { from: onTask ? (from() ?? null) : was }
      if (how.replace === true || href === was) history.replaceState(state, "", href)
      else {
        history.pushState(state, "", href)
        scrollTo(0, 0)
      }
      arrive()
    }
  }
}

/** Makes the world of one page and begins to listen. */
export const makeWorld = (): World => {
  const locked = cell(false)
  const clock = clockOf()
  const api = makeApi(() => locked.set(true), clock.hear)
  const began = clock.exact()
  const phase = cell<Phase>({ is: "reconnecting", since: began, again: began })
  const state = cell<State | undefined>(undefined)
  const policy = cell<string | undefined>(undefined)
  const role = cell<"read" | "operate" | undefined>(undefined)
  const signedIn = cell<string | undefined>(undefined)
  const epoch = cell(0)
  const refresh = () => epoch.set(epoch.get() + 1)
  const listeners = new Set<(events: ReadonlyArray<RunEvent>) => void>()
  let gathered: Array<RunEvent> = []
  let latest: State | undefined
  let due = false

  // What came since the last frame is drawn in one.
  const flush = () => {
    due = false
    const known = state.get()
    if (latest !== undefined) state.set(latest)
    // No event tells of a prune.
    if (known !== undefined && latest !== undefined && taskCount(latest) < taskCount(known)) refresh()
    const events = gathered
    gathered = []
    if (events.length > 0) for (const listener of [...listeners]) listener(events)
  }
  const later = () => {
    if (due) return
    due = true
    if (document.hidden) setTimeout(flush, 250)
    else requestAnimationFrame(flush)
  }

  const tabs = makeTabs(api, clock.exact, (news) => {
    if (news.tells === "phase") {
      const was = phase.get()
      phase.set(news.phase)
      if (news.phase.is === "live") {
        locked.set(false)
        if (was.is !== "live") refresh()
      } else if (news.phase.locked === true) locked.set(true)
    } else if (news.tells === "reset") refresh()
    else {
      latest = news.state
      if (news.tells === "state") {
        policy.set(news.of?.policy ?? policy.get())
        role.set(news.of?.role ?? role.get())
        if (news.of !== undefined) signedIn.set(news.of.signedIn)
      } else gathered.push(...news.events)
      later()
    }
  })

  let stream = tabs.join()
  let leaving: ReturnType<typeof setTimeout> | undefined
  let left = false
  document.addEventListener("visibilitychange", () => {
    clearTimeout(leaving)
    if (document.hidden)
      leaving = setTimeout(() => {
        left = true
        stream.leave()
      }, HIDDEN_GRACE_MS)
    else if (left) {
      left = false
      const now = clock.exact()
      phase.set({ is: "reconnecting", since: now, again: now })
      stream = tabs.join()
    }
  })

  const utc = cell(stored("utc") === "yes")
  utc.watch(() => store("utc", utc.get() ? "yes" : "no"))
  const onEvents = (listener: (events: ReadonlyArray<RunEvent>) => void) => {
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }
  return {
    api,
    records: makeRecords(api, onEvents, epoch),
    ...routing(),
    phase,
    state,
    policy,
    role,
    epoch,
    refresh,
    onEvents,
    tryNow: () => stream.now(),
    now: clock.now,
    utc,
    ask: cell<Ask | undefined>(undefined),
    notice: cell<Notice | undefined>(undefined),
    locked,
    keysShown: cell(false),
    title: cell(""),
    signedIn,
    reached: new Map(),
    drafts: new Map()
  }
}

const WorldContext = createContext<World | undefined>(undefined)
export const WorldProvider = WorldContext.Provider

/** The world of the page that a part stands in. */
export const useWorld = (): World => {
  const world = useContext(WorldContext)
  if (world === undefined) throw new Error("a part of the page was drawn outside its world")
  return world
}

/** The time, each second. */
export const useNow = (): number => useCell(useWorld().now)

/** The time until which it is known what happens: that of now, or when the server was heard last. */
export const useKnownNow = (): number => {
  const now = useNow()
  const phase = useCell(useWorld().phase)
  return phase.is === "live" ? now : Math.min(now, phase.since)
}

/** Puts the name of the view into the title of the window. */
export const useTitle = (name: string): void => {
  const { title } = useWorld()
  useEffect(() => title.set(visible(name)), [name, title])
}
