/** Every status that a task can have; apart from the schema, so that naming them loads nothing. */
export const TASK_STATUSES = [
  "pending",
  "running",
  "completed",
  "retryable_failure",
  "permanent_failure",
  "blocked",
  "operator_canceled"
] as const
