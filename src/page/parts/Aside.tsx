import { useEffect, useRef } from "preact/hooks"
import { touchesTasks } from "../Records.ts"
import { nameOf, type Route, routeOf, taskHref } from "../Route.ts"
import { useCell } from "../UseCell.ts"
import { useMedia } from "../UseMedia.ts"
import { useRecord } from "../UseRecord.ts"
import { blockedAt, doneAt, type Page, QUEUE, tasksAt, WAITING } from "../views/Lists.tsx"
import type { Story } from "../Wire.ts"
import { title } from "../Words.ts"
import { useWorld } from "../World.ts"
import { Link } from "./Link.tsx"
import { StatusMark } from "./Mark.tsx"
import { Ago } from "./Moments.tsx"

/** The address of the tasks of the list that a task was opened from. */
const addressOf = (route: Route): string | undefined => {
  if (route.at !== "view") return undefined
  const lists: Readonly<Record<string, string>> = {
    home: `blocked,running,${WAITING}`,
    now: "running"
  }
  if (route.view === "queue") return QUEUE
  if (route.view === "blocked") return blockedAt({ limit: "200" })
  if (route.view === "done") return doneAt({ limit: "200" })
  if (route.view === "tasks") {
    const { kind, q, source, status } = route.query
    return tasksAt({ kind, q, source, status, limit: "200" })
  }
  const status = lists[route.view]
  return status === undefined ? undefined : tasksAt({ status, limit: "200" })
}

const List = ({ opener, address }: { readonly opener: Route; readonly address: string }) => {
  const here = useCell(useWorld().route)
  const found = useRecord<Page>(address, touchesTasks)
  const name = opener.at === "view" ? nameOf(opener.view) : ""
  const id = here.at === "task" ? here.id : ""
  const tasks = found.data?.tasks ?? []
  // The open one may be further down than the list goes: then it stands first.
  const open = useRecord<Story>(id === "" ? undefined : `/api/tasks/${encodeURIComponent(id)}`).data?.task
  const shown =
    open === undefined || tasks.some(({ task_id }) => task_id === id) || found.data === undefined
      ? tasks
      : [open, ...tasks]
  const box = useRef<HTMLElement>(null)
  useEffect(() => {
    box.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" })
  }, [id, shown.length > 0])
  return (
    <aside class="aside" aria-label={`List: ${name}`} ref={box}>
      <ul>
        {shown.map((task) => (
          <li key={task.task_id}>
            <Link
              href={taskHref(task.task_id)}
              class="subject"
              row={task.task_id}
              current={task.task_id === id}
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

/** Beside an open task, where there is room: the list that it was opened from, else that of Home. */
export const Aside = () => {
  const world = useWorld()
  const from = useCell(world.from)
  const hasRoom = useMedia("(min-width: 1100px)")
  if (!hasRoom) return null
  // Of a task that was opened by its address: what goes on.
  const [path = "", search = ""] = (from ?? "/").split("?")
  const opener = routeOf(path, search)
  const address = addressOf(opener)
  return address === undefined ? null : <List opener={opener} address={address} />
}
