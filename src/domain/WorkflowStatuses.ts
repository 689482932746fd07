/** Every status that a workflow can have; apart from the schema, so that naming them loads nothing. */
export const WORKFLOW_STATUSES = ["active", "stalled", "completed"] as const

/** Those that go on or wait for an operator. */
export const UNENDED = ["active", "stalled"] as const
