import type { Touches } from "./Records.ts"
import { useRecord } from "./UseRecord.ts"
import type { Workflow } from "./Wire.ts"

/** Every event after which a workflow may stand elsewhere, or still. */
export const touchesWorkflows: Touches = ({ event_type }) =>
  event_type.includes("workflow") || event_type === "task_finished"

const NONE: ReadonlyArray<Workflow> = []

/** Workflows that stand still until somebody moves them, those first that have waited longest. */
export const useStalled = (): ReadonlyArray<Workflow> => {
  const found = useRecord<{ readonly workflows: ReadonlyArray<Workflow> }>("/api/workflows", touchesWorkflows)
  return (
    found.data?.workflows
      .filter(({ status }) => status === "stalled")
      .sort((a, b) => (a.updated_at < b.updated_at ? -1 : 1)) ?? NONE
  )
}
