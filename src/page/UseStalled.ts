import type { Touches } from "./Records.ts"
import { useRecord } from "./UseRecord.ts"
import type { Workflow } from "./Wire.ts"
import type { WorkflowPage } from "./WirePages.ts"

/** Every event after which a workflow may stand elsewhere, or still. */
export const touchesWorkflows: Touches = ({ event_type }) =>
  event_type.includes("workflow") || event_type === "task_finished"

const NONE: ReadonlyArray<Workflow> = []

/** So many of them are told at most, the newest. */
export const STALLED_MOST = 500

/** Workflows that stand still until somebody moves them, those first that have waited longest. */
export const useStalled = (): ReadonlyArray<Workflow> => {
  const found = useRecord<WorkflowPage>(
    `/api/workflows?status=stalled&limit=${STALLED_MOST}`,
    touchesWorkflows
  )
  return found.data?.workflows.toSorted((a, b) => (a.updated_at < b.updated_at ? -1 : 1)) ?? NONE
}
