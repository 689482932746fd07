import { type ComponentChildren, toChildArray } from "preact"
import { useId } from "preact/hooks"
import { rowKey, taskHref } from "../Route.ts"
import { useCell } from "../UseCell.ts"
import { useGrowing } from "../UseGrowing.ts"
import type { Task } from "../Wire.ts"
import { originWords, title } from "../Words.ts"
import { useWorld } from "../World.ts"
import { MovesOf } from "./Act.tsx"
import { Link } from "./Link.tsx"
import { StatusMark, Untrusted } from "./Mark.tsx"
import { Ago } from "./Moments.tsx"

/** One task of a list: its status, its subject as the link to it, a line of what matters here, and its moves. */
export const TaskRow = ({
  task,
  line,
  figures,
  at,
  children
}: {
  readonly task: Task
  /** What is said below the subject. */
  readonly line?: ComponentChildren
  /** Figures that are compared down the list. */
  readonly figures?: ComponentChildren
  /** The moment that counts here; an attempt that runs has its own count. */
  readonly at?: string | undefined
  readonly children?: ComponentChildren
}) => {
  const id = useId()
  return (
    <li class={`row status-${task.status}`}>
      <StatusMark status={task.status} />
      <div class="what">
        <Link
          href={taskHref(task.task_id)}
          class="subject"
          row={task.task_id}
          id={`${id}-of`}
          describedBy={id}
        >
          {title(task)}
        </Link>
        {task.untrusted ? <Untrusted /> : null}
        <span class="origin muted">{originWords(task)}</span>
      </div>
      {line === undefined ? null : (
        <p class="line" id={id}>
          {line}
        </p>
      )}
      {figures === undefined ? null : <span class="figures num">{figures}</span>}
      {at === undefined ? null : (
        <span class="when">
          <Ago at={at} />
        </span>
      )}
      {children === undefined ? null : (
        <span class="moves">
          <MovesOf value={`${id}-of`}>{children}</MovesOf>
        </span>
      )}
    </li>
  )
}

/** So many rows are drawn at once. */
const ROWS = 200

/** A list of tasks. The keys move through it; of a long one that is drawn which is near. */
export const Rows = ({
  children,
  class: named,
  label
}: {
  readonly children: ComponentChildren
  readonly class?: string | undefined
  readonly label: string
}) => {
  const rows = toChildArray(children)
  const sought = useCell(useWorld().sought)
  const at =
    sought === undefined ? -1 : rows.findIndex((row) => typeof row === "object" && row.key === rowKey(sought))
  const { end, shown } = useGrowing(rows.length, ROWS, at)
  return (
    <>
      <ul class={`rows ${named ?? ""}`} aria-label={label}>
        {rows.slice(0, shown)}
      </ul>
      <div ref={end} />
    </>
  )
}
