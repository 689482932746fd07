/** Views that the rail leads to, each with its address, its name and the letter that `g` goes there by. */
export const VIEWS = [
  { view: "home", name: "Home", key: "h", group: "now" },
  { view: "blocked", name: "Blocked", key: "b", group: "now" },
  { view: "now", name: "Now", key: "o", group: "now" },
  { view: "queue", name: "Queue", key: "q", group: "now" },
  { view: "done", name: "Done", key: "d", group: "now" },
  { view: "tasks", name: "All tasks", key: "t", group: "now" },
  { view: "workflows", name: "Workflows", key: "w", group: "sources" },
  { view: "schedules", name: "Schedules", key: "s", group: "sources" },
  { view: "sensors", name: "Sensors", key: "r", group: "sources" },
  { view: "adapters", name: "Adapters", key: "a", group: "means" },
  { view: "usage", name: "Usage", key: "u", group: "means" },
  { view: "events", name: "Events", key: "e", group: "record" },
  { view: "snapshots", name: "Snapshots", key: "n", group: "record" }
] as const

export type View = (typeof VIEWS)[number]["view"]

/** Where the page is: a view, a task, a workflow or nowhere, with what the address says beside it. */
export type Route =
  | { readonly at: "view"; readonly view: View; readonly query: Query }
  | { readonly at: "task"; readonly id: string; readonly query: Query }
  | { readonly at: "workflow"; readonly id: string; readonly query: Query }
  | { readonly at: "nowhere"; readonly path: string; readonly query: Query }

export type Query = { readonly [name: string]: string }

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** The place that an address names. */
export const routeOf = (path: string, search: string): Route => {
  const query: Query = Object.fromEntries(new URLSearchParams(search))
  const parts = path.split("/").filter((part) => part !== "")
  const [first, second, third] = parts
  if (first === undefined) return { at: "view", view: "home", query }
  const known = VIEWS.find(({ view }) => view === second)
  if (first === "ui" && parts.length === 3 && third !== undefined) {
    if (second === "tasks") return { at: "task", id: decoded(third), query }
    if (second === "workflows") return { at: "workflow", id: decoded(third), query }
  }
  if (first === "ui" && parts.length === 2 && known !== undefined)
    return { at: "view", view: known.view, query }
  return { at: "nowhere", path, query }
}

/** The query of an address; what is empty is left out, so that equal filters have equal addresses. */
export const searchOf = (query: Readonly<Record<string, string | undefined>>): string => {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "")
  const text = new URLSearchParams(
    given.sort(([a], [b]) => (a < b ? -1 : 1)) as Array<[string, string]>
  ).toString()
  return text === "" ? "" : `?${text}`
}

/** The address of a view. */
export const viewHref = (view: View, query: Readonly<Record<string, string | undefined>> = {}): string =>
  `${view === "home" ? "/" : `/ui/${view}`}${searchOf(query)}`

/** The address of a task. */
export const taskHref = (id: string): string => `/ui/tasks/${encodeURIComponent(id)}`

/** The address of a workflow. */
export const workflowHref = (id: number | string): string => `/ui/workflows/${encodeURIComponent(String(id))}`

/** What rows of lists lead to. */
export type Leaf = Extract<Route, { readonly at: "task" | "workflow" }>

/** The address by which a row leads to it. */
export const leafHref = ({ at, id }: Leaf): string => (at === "task" ? taskHref(id) : workflowHref(id))

/** The key of its row in a list. */
export const rowKey = ({ at, id }: Leaf): string => (at === "task" ? id : `workflow ${id}`)

/** The name of a view. */
export const nameOf = (view: View): string => VIEWS.find((one) => one.view === view)?.name ?? view
