import { searchOf } from "./Route.ts"
import { useRecord } from "./UseRecord.ts"
import type { RunEvent, Story, Task } from "./Wire.ts"
import { counted } from "./Words.ts"

/** So much of an id tells tasks apart: of less the newest tasks of all would be looked for. */
const LEAST = 8
/** A story tells no more of a task's events: the newest. */
const MOST_TOLD = 1_000

/** What a task's own history tells, where one task is meant. */
export interface TaskHistory {
  /** It is not known yet which task is meant, or what it tells. */
  readonly isAwaited: boolean
  /** The events of the task, ascending; none where not one task alone is meant. */
  readonly events: ReadonlyArray<RunEvent> | undefined
  /** What is searched of it, in words. */
  readonly words: string
  /** Why that is not what is searched, as a sentence behind another. */
  readonly hint: string
  readonly wrong: string | undefined
}

/** The events of the one task whose id begins so, kept fresh. */
export const useTaskHistory = (start: string): TaskHistory => {
  const isGiven = start.length >= LEAST
  const found = useRecord<{ readonly tasks: ReadonlyArray<Task> }>(
    isGiven ? `/api/tasks${searchOf({ q: start, limit: "2" })}` : undefined
  )
  const [task, another] = found.data?.tasks.filter(({ task_id }) => task_id.startsWith(start)) ?? []
  const id = another === undefined ? task?.task_id : undefined
  const story = useRecord<Story>(
    id === undefined ? undefined : `/api/tasks/${encodeURIComponent(id)}`,
    (event) => event.task_id === id
  )
  const wrong = (found.error ?? story.error)?.message
  const events = id === undefined ? undefined : story.data?.events
  const count = events?.length ?? 0
  return {
    isAwaited:
      isGiven && wrong === undefined && (id === undefined ? found.data === undefined : events === undefined),
    events,
    words: `${count < MOST_TOLD ? "all" : "the newest"} ${counted(count)} of task ${id?.slice(0, 13)}`,
    hint:
      start === "" || events !== undefined || wrong !== undefined
        ? ""
        : found.data !== undefined && task === undefined
          ? " No task's id begins so any more; only these were searched."
          : " More of a task's id searches all its events.",
    wrong
  }
}
