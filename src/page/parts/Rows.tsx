import { useId } from "preact/hooks"
import { cancel, retry } from "../Moves.ts"
import { taskHref, workflowHref } from "../Route.ts"
import type { EndedTask, Task, Tokens, Waiting, Workflow } from "../Wire.ts"
import { blockedBecause, counted, duration, plainReason, sentence, usd, waitingWords } from "../Words.ts"
import { useWorld } from "../World.ts"
import { Act, MovesOf } from "./Act.tsx"
import { Link } from "./Link.tsx"
import { Mark } from "./Mark.tsx"
import { Ago } from "./Moments.tsx"
import { TaskRow } from "./TaskList.tsx"

/** A blocked task with its reason and the moves that resolve it. */
export const BlockedRow = ({ task }: { readonly task: Task }) => {
  const world = useWorld()
  const asks = task.outcome?.question ?? null
  return (
    <TaskRow task={task} line={blockedBecause(task)} at={task.updated_at}>
      {asks === null ? (
        <Act onClick={() => void retry(world, task)}>Retry</Act>
      ) : (
        <Link href={taskHref(task.task_id)} class="button">
          Answer
        </Link>
      )}
      <Act onClick={() => cancel(world, task)}>Cancel</Act>
    </TaskRow>
  )
}

/** A workflow that stands still, among what needs somebody. */
export const StalledRow = ({ workflow }: { readonly workflow: Workflow }) => {
  const id = useId()
  return (
    <li class="row status-blocked">
      <Mark tone="blocked" word="stalled" />
      <div class="what">
        <Link href={workflowHref(workflow.id)} class="subject" row="" id={id}>
          {workflow.instance_key}
        </Link>
        <span class="origin muted">
          workflow {workflow.template} · in {workflow.current_state}
        </span>
      </div>
      <p class="line">{sentence(plainReason(workflow.stalled_reason ?? "It stands still"))}</p>
      <span class="when">
        <Ago at={workflow.updated_at} />
      </span>
      <span class="moves">
        <MovesOf value={id}>
          <Link href={workflowHref(workflow.id)} class="button">
            Move it on
          </Link>
        </MovesOf>
      </span>
    </li>
  )
}

/** What a waiting task waits for, as the server judges it: by the rules of the claim. */
const WaitingLine = ({ waiting }: { readonly waiting: Waiting }) => (
  <>
    {waitingWords(waiting)}
    {waiting.until === null ? null : (
      <>
        {" · moves "}
        <Ago at={waiting.until} />
      </>
    )}
  </>
)

/** A waiting task; with `why` what it waits for, else what is known of it without asking. */
export const QueueRow = ({ task, why }: { readonly task: Task; readonly why?: Waiting | undefined }) => (
  <TaskRow
    task={task}
    line={
      why !== undefined ? (
        <WaitingLine waiting={why} />
      ) : task.status === "retryable_failure" ? (
        <>
          tried again <Ago at={task.available_at} />
          {task.last_error === null ? null : `: ${plainReason(task.last_error)}`}
        </>
      ) : Date.parse(task.available_at) > Date.parse(task.created_at) + 1_000 ? (
        <>
          due <Ago at={task.available_at} />
        </>
      ) : undefined
    }
    figures={<span>priority {task.priority}</span>}
    at={task.created_at}
  />
)

/** What an attempt used, as far as its adapter told. */
export const usageWords = ({ cost_usd, input_tokens, output_tokens }: Tokens): string => {
  const tokens = (input_tokens ?? 0) + (output_tokens ?? 0)
  return [
    ...(input_tokens === null && output_tokens === null ? [] : [`${counted(tokens)} tok`]),
    ...(cost_usd === null ? [] : [usd(cost_usd)])
  ].join(" · ")
}

/** An ended task with its verdict and how long it took; with `used` also tokens and cost. */
export const DoneRow = ({ task, used = false }: { readonly task: EndedTask; readonly used?: boolean }) => {
  const took =
    task.started_at === null || task.finished_at === null
      ? ""
      : duration(Date.parse(task.finished_at) - Date.parse(task.started_at))
  return (
    <TaskRow
      task={task}
      line={
        task.status === "completed"
          ? task.outcome?.operator_summary
          : plainReason(task.last_error ?? task.outcome?.operator_summary ?? "")
      }
      figures={
        <>
          {took}
          {used && task.usage ? <span class="used">{usageWords(task.usage)}</span> : null}
        </>
      }
      at={task.finished_at ?? task.updated_at}
    />
  )
}
