import { taskHref } from "../Route.ts"
import type { Way } from "../task/WorkflowStory.ts"
import { useRecord } from "../UseRecord.ts"
import type { RunEvent, Workflow } from "../Wire.ts"
import type { Template } from "../WireTemplates.ts"
import { duration, quoted, type Tone } from "../Words.ts"
import { Link } from "./Link.tsx"
import { Mark } from "./Mark.tsx"
import { At } from "./Moments.tsx"
import { TaskLink } from "./TaskLink.tsx"

/** A workflow with its history. */
export interface Told extends Workflow {
  readonly unfinished_task: string | null
  readonly history: ReadonlyArray<RunEvent>
}

/** The address of a workflow with its history. */
export const toldAt = (id: number | string): string => `/api/workflows/${encodeURIComponent(String(id))}`

const TONES: Readonly<Record<Workflow["status"], Tone>> = {
  active: "running",
  stalled: "blocked",
  completed: "completed"
}

/** How a workflow is. */
export const WorkflowMark = ({ workflow }: { readonly workflow: Workflow }) => (
  <Mark tone={TONES[workflow.status]} word={workflow.status} />
)

/** The question that its task has asked, or the task that holds the key of its own one, where there is such. */
export const Waits = ({ workflow: { waits_for } }: { readonly workflow: Workflow }) => {
  if (waits_for === null) return null
  const { dedupe_key, question, task_id } = waits_for
  return question === null ? (
    <p class="line">
      Its task is made once <TaskLink id={task_id} /> has ended, which holds the key{" "}
      {quoted(dedupe_key ?? "")}.
    </p>
  ) : (
    <p class="line">
      It waits for an answer to <TaskLink id={task_id} />: {quoted(question)}
    </p>
  )
}

/** The templates by which workflows go. */
export const useTemplates = () =>
  useRecord<{ readonly templates: ReadonlyArray<Template> }>("/api/workflows/templates").data?.templates ?? []

/** The task by which it happened, where there was one. */
export const OfTask = ({ id }: { readonly id: string | null }) =>
  id === null ? null : (
    <>
      {" · "}
      <Link href={taskHref(id)}>{`task ${id.slice(0, 13)}`}</Link>
    </>
  )

/** The ways that a workflow went, each with when. */
export const Ways = ({ ways }: { readonly ways: ReadonlyArray<Way> }) => (
  <ol class="event-lines">
    {ways.map(({ at, from, id, signal, stayedMs, taskId, to }) => (
      <li key={id}>
        <At at={at} />
        <span class="words">
          {from === to || to === "" ? `ended in ${from}` : `${from} → ${to}`}
          {signal === "" ? "" : ` on ${signal}`}
        </span>
        <span class="muted detail">
          after {duration(stayedMs)} in {from}
          <OfTask id={taskId} />
        </span>
      </li>
    ))}
  </ol>
)
