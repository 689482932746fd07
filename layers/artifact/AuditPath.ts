import type { AttemptId, TaskId } from "../../src/domain/Ids.ts"

// Ids of adopted databases are text of any shape; a folder's name must not lead anywhere else.
const segment = (id: string): string => {
  const name = encodeURIComponent(id.toWellFormed()).replace(
    /[!'()*~]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`
  )
  return name.startsWith(".") ? `%2E${name.slice(1)}` : name
}

/** The name of the folder that holds the attempts of a task. */
export const auditTaskSegment = (taskId: TaskId): string => segment(taskId)

/** The names of the folders from the artifact root down to an attempt's evidence. */
export const auditSegments = (taskId: TaskId, attemptId: AttemptId): ReadonlyArray<string> => [
  "adapter-runs",
  segment(taskId),
  segment(attemptId)
]
