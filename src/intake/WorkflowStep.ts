import { Effect, Option } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import type { Stamp } from "../domain/Actor.ts"
import { IdSource, TaskId } from "../domain/Ids.ts"
import type { Task } from "../domain/Task.ts"
import { now } from "../domain/Time.ts"
import type { Template } from "../domain/WorkflowTemplate.ts"
import { Store } from "../store/Store.ts"
import type { WorkflowRow } from "../store/Workflows.ts"
import { Step, step, TaskEnd } from "../workflow/Machine.ts"
import { templateOf } from "../workflow/Templates.ts"
import { enter } from "./Workflow.ts"

/** How a task ended, in the terms of the machine; none while it goes on, or waits for an answer. */
const endOf = (task: Task, retries: number, stamp: Stamp): Option.Option<TaskEnd> => {
  switch (task.status) {
    case "completed":
      return Option.some(
        TaskEnd.Completed({
          taskId: task.taskId,
          kind: task.kind,
          at: Option.getOrElse(task.finishedAt, () => stamp.at),
          signal: Option.flatMapNullable(task.outcome, (outcome) => outcome.workflowSignal)
        })
      )
    case "blocked":
    case "permanent_failure": {
      const asks = Option.exists(task.outcome, (outcome) => outcome.question !== undefined)
      if (task.status === "blocked" && asks) return Option.none()
      const reason = Option.getOrElse(task.lastError, () => task.status)
      return Option.some(TaskEnd.Failed({ reason, retries }))
    }
    case "operator_canceled":
      return Option.some(TaskEnd.Canceled())
    default:
      return Option.none()
  }
}

/**
 * Takes the workflow of a task that has ended on, where the task is that of its present state: the one step for
 * every end of a task. A part of the transaction that ends the task; `nextTaskId` is the id of the task that may
 * come of it, and `stamp` its time, both taken before.
 */
export const taskEnded = Effect.fn("WorkflowStep.taskEnded")(function* (
  taskId: TaskId,
  nextTaskId: TaskId,
  stamp: Stamp
) {
  const store = yield* Store
  const found = yield* store.tasks.find(taskId)
  if (Option.isNone(found) || Option.isNone(found.value.task.workflowId)) return
  const { round, task } = found.value
  const row = yield* store.workflows.find(found.value.task.workflowId.value)
  if (Option.isNone(row)) return
  const { retries, workflow } = row.value
  // A task of a state that the workflow has left runs without moving it.
  if (workflow.status !== "active" || !Option.contains(round.workflowState, workflow.currentState)) return
  const end = endOf(task, retries, stamp)
  if (Option.isSome(end)) yield* apply(row.value, end.value, taskId, nextTaskId, byWorkflow(row.value, stamp))
})

/**
 * An operator's retry of a stalled workflow's task lets the workflow go on, where it still is in that task's state.
 * A part of the transaction that retries.
 */
export const taskRetried = Effect.fn("WorkflowStep.taskRetried")(function* (taskId: TaskId, stamp: Stamp) {
  const store = yield* Store
  const found = yield* store.tasks.find(taskId)
  if (Option.isNone(found) || Option.isNone(found.value.task.workflowId)) return
  const row = yield* store.workflows.find(found.value.task.workflowId.value)
  if (Option.isNone(row)) return
  const { currentState, id } = row.value.workflow
  if (Option.contains(found.value.round.workflowState, currentState)) yield* store.workflows.revive(id, stamp)
})

const byWorkflow = ({ workflow }: WorkflowRow, { at }: Stamp): Stamp => ({
  at,
  actor: { surface: "workflow", name: workflow.instanceKey }
})

const apply = (row: WorkflowRow, end: TaskEnd, taskId: TaskId, nextTaskId: TaskId, stamp: Stamp) =>
  Effect.gen(function* () {
    const store = yield* Store
    const settings = yield* RuntimeConfig
    const { workflow } = row
    const { id } = workflow
    const template = templateOf(workflow.template, settings.workflows)
    if (Option.isNone(template))
      return yield* store.workflows.stall(id, `template ${workflow.template} is not configured`, stamp)
    const decided = step(template.value, workflow, end)
    return yield* Step.$match(decided, {
      Stall: ({ reason }) => store.workflows.stall(id, reason, stamp),
      Retry: () =>
        Effect.zipRight(
          store.workflows.retried(id, stamp),
          store.tasks.retry(taskId, Option.none(), stamp)
        ).pipe(Effect.asVoid),
      Complete: ({ context, signal, state }) =>
        store.workflows
          .complete({ id, from: workflow.currentState, to: state, context, signal }, stamp)
          .pipe(Effect.asVoid),
      Advance: ({ context, signal, to }) =>
        goOn(template.value, row, { to, context, signal: Option.some(signal) }, nextTaskId, stamp)
    })
  })

/** Into another state, with its task; a part of the caller's transaction. */
export const goOn = (
  template: Template,
  { untrusted, workflow }: WorkflowRow,
  into: {
    readonly to: string
    readonly context: WorkflowRow["workflow"]["context"]
    readonly signal: Option.Option<string>
  },
  nextTaskId: TaskId,
  stamp: Stamp
) =>
  Effect.gen(function* () {
    const store = yield* Store
    const { id } = workflow
    if (!(yield* store.workflows.advance({ id, from: workflow.currentState, ...into }, stamp))) return
    const there = { ...workflow, currentState: into.to, context: into.context }
    yield* enter(template, { workflow: there, retries: 0, untrusted }, nextTaskId, stamp)
  })

/** So many idle workflows are looked at in one cycle. */
const MOST_IDLE = 100

/**
 * Step 5 of the cycle: takes on active workflows whose state has no unfinished task (of an adopted database, or
 * whose template was away for a time), by the same step; answers how many.
 */
export const evaluateIdle = Effect.fn("WorkflowStep.evaluateIdle")(function* () {
  const store = yield* Store
  const idle = yield* store.workflows.idle(MOST_IDLE)
  for (const row of idle) yield* resume(row)
  return idle.length
})

const resume = (row: WorkflowRow) =>
  Effect.gen(function* () {
    const store = yield* Store
    const settings = yield* RuntimeConfig
    const ids = yield* IdSource
    const nextTaskId = TaskId.make(yield* ids.next)
    const stamp = byWorkflow(row, { at: yield* now, actor: { surface: "workflow", name: "" } })
    const { currentState, id, template } = row.workflow
    yield* store.transact(
      "WorkflowStep.resume",
      Effect.gen(function* () {
        const last = yield* store.workflows.lastTask(id, currentState)
        if (Option.isSome(last)) return yield* taskEnded(last.value, nextTaskId, stamp)
        const known = templateOf(template, settings.workflows)
        if (Option.isSome(known)) return yield* enter(known.value, row, nextTaskId, stamp)
        yield* store.workflows.stall(id, `template ${template} is not configured`, stamp)
      })
    )
  })
