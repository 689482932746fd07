import type { Touches } from "./Records.ts"
import { useCell } from "./UseCell.ts"
import { useRecord } from "./UseRecord.ts"
import type { Workflow } from "./Wire.ts"
import type { WorkflowPage } from "./WirePages.ts"
import { useWorld } from "./World.ts"

/** Every event after which a workflow may stand elsewhere, or still. */
export const touchesWorkflows: Touches = ({ event_type }) =>
  event_type.includes("workflow") || event_type === "task_finished"

const NONE: ReadonlyArray<Workflow> = []

/** So many of them are told at most, the newest. */
export const STALLED_MOST = 500

/** Workflows that stand still until somebody moves them, those first that have waited longest. */
export const useStalled = (): ReadonlyArray<Workflow> => {
  const isLocked = useCell(useWorld().locked)
  const found = useRecord<WorkflowPage>(
    isLocked ? undefined : `/api/workflows?status=stalled&limit=${STALLED_MOST}`,
    touchesWorkflows
  )
  return found.data?.workflows.toSorted((a, b) => (a.updated_at < b.updated_at ? -1 : 1)) ?? NONE
}

/** How many tasks and workflows cannot go on without somebody. */
export const useNeeds = (): number => {
  const stalled = useStalled().length
  return (useCell(useWorld().state)?.counts.blocked ?? 0) + stalled
}
