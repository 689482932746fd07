import { touchesTasks } from "../Records.ts"
import { nameOf, type Route, routeOf, taskHref } from "../Route.ts"
import { useCell } from "../UseCell.ts"
import { useMedia } from "../UseMedia.ts"
import { useRecord } from "../UseRecord.ts"
import { ENDED, type Page, tasksAt, WAITING } from "../views/Lists.tsx"
import { title } from "../Words.ts"
import { useWorld } from "../World.ts"
import { Link } from "./Link.tsx"
import { StatusMark } from "./Mark.tsx"
import { Ago } from "./Moments.tsx"

/** The tasks of the list that a task was opened from. */
const queryOf = (route: Route): Readonly<Record<string, string | undefined>> | undefined => {
  if (route.at !== "view") return undefined
  const lists: Readonly<Record<string, string>> = {
    home: `blocked,running,${WAITING}`,
    blocked: "blocked",
    now: "running",
    queue: WAITING,
    done: ENDED
  }
  if (route.view === "tasks") {
    const { kind, q, source, status } = route.query
    return { kind, q, source, status, limit: "50" }
  }
  const status = lists[route.view]
  return status === undefined ? undefined : { status, limit: "50" }
}

const List = ({
  opener,
  query
}: {
  readonly opener: Route
  readonly query: Readonly<Record<string, string | undefined>>
}) => {
  const here = useCell(useWorld().route)
  const found = useRecord<Page>(tasksAt(query), touchesTasks)
  const name = opener.at === "view" ? nameOf(opener.view) : ""
  return (
    <aside class="aside" aria-label={`List: ${name}`}>
      <ul>
        {(found.data?.tasks ?? []).map((task) => (
          <li key={task.task_id}>
            <Link
              href={taskHref(task.task_id)}
              class="subject"
              current={here.at === "task" && here.id === task.task_id}
            >
              {title(task)}
            </Link>
            <span class="under">
              <StatusMark status={task.status} /> <Ago at={task.updated_at} />
            </span>
          </li>
        ))}
      </ul>
    </aside>
  )
}

/** Beside an open task, where there is room: the list that it was opened from. */
export const Aside = () => {
  const world = useWorld()
  const from = useCell(world.from)
  const hasRoom = useMedia("(min-width: 1100px)")
  if (!hasRoom || from === undefined) return null
  const [path = "", search = ""] = from.split("?")
  const opener = routeOf(path, search)
  const query = queryOf(opener)
  return query === undefined ? null : <List opener={opener} query={query} />
}
