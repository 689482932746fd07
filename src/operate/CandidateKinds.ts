/** What a shell can be told of while somebody types: ids and names that exist at that moment. */
export const CANDIDATE_KINDS = [
  "tasks",
  "open-tasks",
  "ended-tasks",
  "attempts",
  "questions",
  "messages",
  "schedules",
  "workflow-ids",
  "workflow-keys",
  "adapters",
  "profiles",
  "templates",
  "budgets"
] as const
export type CandidateKind = (typeof CANDIDATE_KINDS)[number]
