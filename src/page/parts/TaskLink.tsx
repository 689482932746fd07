import { taskHref } from "../Route.ts"
import { useRecord } from "../UseRecord.ts"
import type { Story } from "../Wire.ts"
import { title } from "../Words.ts"
import { Link } from "./Link.tsx"
import { StatusMark } from "./Mark.tsx"

/** A task that is known by its id alone, named as everywhere by its subject, with its status. */
export const TaskLink = ({ id }: { readonly id: string }) => {
  const found = useRecord<Story>(`/api/tasks/${encodeURIComponent(id)}`, ({ task_id }) => task_id === id)
  const task = found.data?.task
  return (
    <>
      <Link href={taskHref(id)}>{task === undefined ? `task ${id.slice(0, 13)}` : title(task)}</Link>
      {task === undefined ? null : (
        <>
          {" "}
          <StatusMark status={task.status} />
        </>
      )}
    </>
  )
}
