import { Link } from "../parts/Link.tsx"
import { Glyph } from "../parts/Mark.tsx"
import { At } from "../parts/Moments.tsx"
import { taskHref } from "../Route.ts"
import type { RunEvent, Task } from "../Wire.ts"
import { title } from "../Words.ts"
import { momentsOf } from "./Story.ts"

/** A task by its subject where it is known, else by its id. */
const Other = ({ id, known }: { readonly id: string; readonly known: ReadonlyArray<Task> }) => {
  const task = known.find(({ task_id }) => task_id === id)
  return <Link href={taskHref(id)}>{task === undefined ? id.slice(0, 13) : title(task)}</Link>
}

/** One vertical line of time. */
export const Timeline = ({
  events,
  above,
  relatives
}: {
  readonly events: ReadonlyArray<RunEvent>
  /** The reason that stands in the task's head. */
  readonly above: string | undefined
  /** The children of the task, which it may tell of. */
  readonly relatives: ReadonlyArray<Task>
}) => (
  <ol class="timeline" aria-label="Timeline">
    {momentsOf(events, above).map(({ after, at, detail, taskId, tone, words }, index) => (
      <li key={`${at} ${index}`}>
        <Glyph tone={tone} />
        <At at={at} />
        <span class="after num muted">{after}</span>
        <span class="words">
          {words}
          {taskId === undefined ? null : (
            <>
              {" "}
              <Other id={taskId} known={relatives} />
            </>
          )}
          {detail === undefined ? null : <span class="muted"> {detail}</span>}
        </span>
      </li>
    ))}
  </ol>
)
