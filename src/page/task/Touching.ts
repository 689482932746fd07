import { type Touches, touchesTasks } from "../Records.ts"
import type { Story } from "../Wire.ts"

/** By which events a task's story changes: its own, those of its children, and what may be a new child of it. */
export const touchesStory =
  (id: string, children: ReadonlySet<string>): Touches =>
  (event) =>
    event.task_id === null
      ? touchesTasks(event)
      : event.task_id === id ||
        children.has(event.task_id) ||
        // It may be a reply, which is a child: its event does not say of whom.
        (event.event_type === "task_enqueued" && event.detail.source === "operator-ui")

/** The ids of the children that a story tells of. */
export const childrenOf = (story: Pick<Story, "children"> | undefined): ReadonlyArray<string> =>
  story?.children.map(({ task_id }) => task_id) ?? []
