import type { Touches } from "./Records.ts"
import { searchOf } from "./Route.ts"
import { useCell } from "./UseCell.ts"
import { once, type Pages, usePages } from "./UsePages.ts"
import type { Workflow } from "./Wire.ts"
import type { WorkflowPage } from "./WirePages.ts"
import { useWorld } from "./World.ts"

/** Every event after which a workflow may stand elsewhere, or still. */
export const touchesWorkflows: Touches = ({ event_type }) =>
  event_type.includes("workflow") || event_type === "task_finished"

/** So many of them are told at once, the newest. */
const STALLED_PAGE = 500

/** What stands still until somebody moves it. */
export interface Stalled {
  /** As many as were asked for so far, those first that have waited longest. */
  readonly workflows: ReadonlyArray<Workflow>
  /** All that there are. */
  readonly count: number
  readonly pages: Pages<WorkflowPage>
  /** Where those begin that were not asked for yet. */
  readonly next: string | null
}

/** Workflows that stand still until somebody moves them. */
export const useStalled = (): Stalled => {
  const isLocked = useCell(useWorld().locked)
  const pages = usePages<WorkflowPage>(
    (after) =>
      isLocked
        ? undefined
        : `/api/workflows${searchOf({ status: "stalled", counted: "1", limit: String(STALLED_PAGE), after })}`,
    touchesWorkflows
  )
  const page = pages.first.data
  if (page === undefined) return { workflows: [], count: 0, pages, next: null }
  const told = pages.all(page)
  const workflows = once(
    told.flatMap((one) => one.workflows),
    ({ id }) => id
  ).toSorted((a, b) => (a.updated_at < b.updated_at ? -1 : 1))
  return {
    workflows,
    count: page.counts?.stalled ?? workflows.length,
    pages,
    next: told.at(-1)?.next ?? null
  }
}

/** How many tasks and workflows cannot go on without somebody. */
export const useNeeds = (): number => {
  const { count } = useStalled()
  return (useCell(useWorld().state)?.counts.blocked ?? 0) + count
}
