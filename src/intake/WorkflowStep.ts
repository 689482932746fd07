import { DateTime, Effect, Option, Random } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import type { Stamp } from "../domain/Actor.ts"
import { type AskedQuestion, isOpen } from "../domain/AskedQuestion.ts"
import { IdSource, TaskId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import { type Task, TERMINAL } from "../domain/Task.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import type { Template } from "../domain/WorkflowTemplate.ts"
import { onFault } from "../store/OneBadRow.ts"
import { Store } from "../store/Store.ts"
import type { WorkflowRow } from "../store/Workflows.ts"
import { brief } from "../workflow/Brief.ts"
import { isEnd, Step, stateOf, step, TaskEnd } from "../workflow/Machine.ts"
import { resumed, templateOf } from "../workflow/Templates.ts"
import { enter, isKept, MOST_REASON, stall } from "./WorkflowEntry.ts"

/** How a task ended, in the terms of the machine; none while it goes on. */
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
 * The question that a task waits to have answered. A fresh round would ask the same again, or guess, and use up the
 * rounds of its state: it is left to wait, its workflow with it until the time of the question has run out.
 */
const askedBy = ({ status, taskId }: Task) =>
  Effect.gen(function* () {
    const store = yield* Store
    if (status !== "blocked") return Option.none<AskedQuestion>()
    return Option.filter(yield* store.questions.lastOf(taskId), isOpen)
  })

/** Whether nobody answered a question in time, and nothing answers it by itself any more. */
const isUnanswered = ({ expiredAt }: AskedQuestion): boolean => Option.isSome(expiredAt)

/** Why a workflow stalls whose task's question was not answered in time. */
const unanswered = ({ defaultAnswer, expiresAt, taskId, text }: AskedQuestion): string => {
  const by = Option.match(expiresAt, { onNone: () => "", onSome: (at) => ` by ${DateTime.formatIso(at)}` })
  const often = Option.isSome(defaultAnswer) ? ", and its default was the answer too often in a row" : ""
  return `question_expired: nobody answered task ${taskId}${by}${often}; agent-runtime task-answer ${taskId} --text T lets it go on: ${text}`
}

/** A task whose workflow is in the state that the task was made for. */
const atItsState = (taskId: TaskId) =>
  Effect.gen(function* () {
    const store = yield* Store
    const found = yield* store.tasks.find(taskId)
    if (Option.isNone(found) || Option.isNone(found.value.task.workflowId)) return Option.none()
    const { round, task } = found.value
    const row = yield* store.workflows.find(found.value.task.workflowId.value)
    return Option.filter(row, ({ workflow }) =>
      Option.contains(round.workflowState, workflow.currentState)
    ).pipe(Option.map((one) => ({ row: one, task })))
  })

/**
 * Takes the workflow of a task that has ended on, where the task is that of its present state: the one step for
 * every end of a task. A part of the transaction that ends the task; `nextTaskId` is the id of the task that may
 * come of it, and `stamp` its time, both taken before.
 */
export const taskEnded = traced("WorkflowStep.taskEnded")(function* (
  taskId: TaskId,
  nextTaskId: TaskId,
  stamp: Stamp
) {
  const store = yield* Store
  const there = yield* atItsState(taskId)
  // A task of a state that the workflow has left runs without moving it.
  if (Option.isNone(there)) return
  const { row, task } = there.value
  const by = byWorkflow(row, stamp)
  if (Option.isSome(row.damage)) return yield* setAside(row, row.damage.value, by)
  if (row.workflow.status === "completed") return
  if (yield* store.workflows.isOfEarlierVisit(row.workflow.id, taskId))
    return yield* madeWay(row, task, nextTaskId, by)
  const end = endOf(task, row.retries, stamp)
  if (Option.isNone(end)) return
  const asked = yield* askedBy(task)
  if (Option.isSome(asked)) return yield* stalledBy(asked.value, row, by)
  // A stalled one waits for its operator, who is told when the task that it stalled by is gone.
  if (row.workflow.status === "active" || TaskEnd.$is("Canceled")(end.value))
    yield* apply(row, task, end.value, nextTaskId, by)
})

/** A workflow whose task asks waits for the answer for as long as one may come by itself, then for its operator. */
const stalledBy = (asked: AskedQuestion, row: WorkflowRow, stamp: Stamp) =>
  row.workflow.status === "active" && isUnanswered(asked) ? stall(row, unanswered(asked), stamp) : Effect.void

/**
 * Stops the workflow of a task whose question nobody answered in time, where it still is in that task's state. A part of
 * the transaction that marks the question.
 */
export const questionExpired = traced("WorkflowStep.questionExpired")(function* (
  taskId: TaskId,
  stamp: Stamp
) {
  const there = yield* atItsState(taskId)
  // What is damaged is set aside by whoever takes it on.
  if (Option.isNone(there) || Option.isSome(there.value.row.damage)) return
  const { row, task } = there.value
  const asked = yield* askedBy(task)
  if (Option.isSome(asked)) yield* stalledBy(asked.value, row, byWorkflow(row, stamp))
})

/**
 * An operator's retry of a stalled workflow's task lets the workflow go on, where it still is in that task's state.
 * A part of the transaction that retries.
 */
export const taskRetried = traced("WorkflowStep.taskRetried")(function* (taskId: TaskId, stamp: Stamp) {
  const store = yield* Store
  const there = yield* atItsState(taskId)
  if (Option.isSome(there)) yield* store.workflows.revive(there.value.row.workflow.id, stamp)
})

const setAside = (row: WorkflowRow, problem: string, stamp: Stamp) =>
  Effect.flatMap(Store, (store) =>
    store.workflows.quarantine(row.workflow.id, brief(problem, MOST_REASON), stamp)
  )

const byWorkflow = ({ workflow }: WorkflowRow, { at }: Pick<Stamp, "at">): Stamp => ({
  at,
  actor: { surface: "workflow", name: workflow.instanceKey }
})

/** What a program does with a workflow's template; without one the workflow stalls. */
const withTemplate = <A, E, R>(
  row: WorkflowRow,
  stamp: Stamp,
  use: (template: Template) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const { workflows } = yield* RuntimeConfig
    const template = templateOf(row.workflow.template, workflows)
    if (Option.isSome(template)) yield* use(template.value)
    else yield* stall(row, `template ${row.workflow.template} is not configured`, stamp)
  })

/** A task of an earlier visit to the present state has ended: the state's own task can be made. */
const madeWay = (row: WorkflowRow, task: Task, nextTaskId: TaskId, stamp: Stamp) =>
  withTemplate(row, stamp, (template) =>
    Effect.gen(function* () {
      const store = yield* Store
      if (task.status === "blocked") return yield* stall(row, isKept(row, task.taskId), stamp)
      if (!TERMINAL.includes(task.status)) return
      yield* store.workflows.revive(row.workflow.id, stamp)
      yield* enter(template, prepared(template, row, {}), nextTaskId, stamp)
    })
  )

/** A row whose context has all that its template begins with, as one of another runtime may not. */
const prepared = (template: Template, row: WorkflowRow, payload: JsonObject): WorkflowRow => {
  const { workflow } = row
  const context = resumed(template, workflow, payload)
  return { ...row, workflow: { ...workflow, context } }
}

const apply = (found: WorkflowRow, task: Task, end: TaskEnd, nextTaskId: TaskId, stamp: Stamp) =>
  withTemplate(found, stamp, (template) => {
    const row = prepared(template, found, task.payload)
    const { currentState: from, id } = row.workflow
    return Step.$match(step(template, row.workflow, end), {
      Stall: ({ reason }) => stall(row, reason, stamp),
      Retry: () => freshRound(row, task.taskId, stamp),
      Complete: ({ context, signal, state }) =>
        Effect.flatMap(Store, (store) =>
          Effect.asVoid(
            store.workflows.complete({ id, from, to: state, context: Option.some(context), signal }, stamp)
          )
        ),
      Advance: ({ context, signal, to }) => goOn(template, row, { to, context, signal }, nextTaskId, stamp)
    })
  })

const freshRound = (row: WorkflowRow, taskId: TaskId, stamp: Stamp) =>
  Effect.gen(function* () {
    const store = yield* Store
    const retried = yield* store.tasks.retry(taskId, Option.none(), stamp)
    if (retried._tag === "Moved") return yield* store.workflows.retried(row.workflow.id, stamp)
    const why = retried._tag === "Refused" ? retried.why : "it is not there"
    yield* stall(row, `task ${taskId} got no fresh round: ${why}`, stamp)
  })

/** Into another state, with its task; a part of the caller's transaction. */
export const goOn = (
  template: Template,
  row: WorkflowRow,
  into: { readonly to: string; readonly context: JsonObject; readonly signal: string },
  nextTaskId: TaskId,
  stamp: Stamp
) =>
  Effect.gen(function* () {
    const store = yield* Store
    const { workflow } = row
    const { context, signal, to } = into
    const move = {
      from: workflow.currentState,
      to,
      context: Option.some(context),
      signal: Option.some(signal)
    }
    if (!(yield* store.workflows.advance({ id: workflow.id, ...move }, stamp))) return
    const there = { ...workflow, currentState: to, context, status: "active" as const }
    yield* enter(template, { ...row, workflow: there, retries: 0 }, nextTaskId, stamp)
  })

/**
 * Step 5 of the cycle: takes on active workflows whose state has no task that goes on (of an adopted database,
 * written by another program, after a fault of ours), by the same step; answers how many. One that cannot be taken
 * on stops none of the others.
 */
export const evaluateIdle = traced("WorkflowStep.evaluateIdle")(function* () {
  const store = yield* Store
  const idle = yield* store.workflows.idle(yield* Random.nextIntBetween(0, 2 ** 31))
  const left = yield* Effect.filter(idle, (row) => Effect.negate(isWaiting(row)))
  for (const row of left) yield* takenOn(row)
  return left.length
})

/** Whether it waits for somebody: a state without a task for a transition, a task that asks for an answer in time. */
const isWaiting = (row: WorkflowRow) =>
  Effect.gen(function* () {
    const store = yield* Store
    const { workflows } = yield* RuntimeConfig
    const { currentState, id, template } = row.workflow
    if (Option.isSome(row.damage)) return false
    const state = Option.flatMapNullable(templateOf(template, workflows), (one) => stateOf(one, currentState))
    const holder = yield* store.workflows.unfinishedTask(id, currentState)
    if (Option.isNone(holder)) return Option.exists(state, (one) => one.task === undefined && !isEnd(one))
    const task = yield* store.tasks.find(holder.value)
    if (Option.isNone(task)) return false
    return Option.exists(yield* askedBy(task.value.task), (asked) => !isUnanswered(asked))
  })

const takenOn = (row: WorkflowRow) =>
  Effect.gen(function* () {
    const store = yield* Store
    const ids = yield* IdSource
    const nextTaskId = TaskId.make(yield* ids.next)
    const stamp = byWorkflow(row, { at: yield* now })
    const take = Effect.flatMap(store.workflows.find(row.workflow.id), (found) =>
      Option.isSome(found) ? takeOn(found.value, nextTaskId, stamp) : Effect.void
    )
    yield* store.transact("WorkflowStep.takeOn", take)
  }).pipe(
    onFault((fault) => Effect.logError(`Workflow ${row.workflow.instanceKey} cannot be taken on`, fault))
  )

const takeOn = (row: WorkflowRow, nextTaskId: TaskId, stamp: Stamp) =>
  Effect.gen(function* () {
    const store = yield* Store
    const { currentState, id, status } = row.workflow
    if (Option.isSome(row.damage)) return yield* setAside(row, row.damage.value, stamp)
    if (status !== "active") return
    const holder = yield* store.workflows.unfinishedTask(id, currentState)
    if (Option.isSome(holder)) return yield* taskEnded(holder.value, nextTaskId, stamp)
    const last = yield* store.workflows.lastTask(id, currentState)
    const task = Option.isSome(last) ? yield* store.tasks.find(last.value) : Option.none()
    if (Option.isSome(task) && !isAccounted(row, task.value.task))
      return yield* taskEnded(task.value.task.taskId, nextTaskId, stamp)
    yield* withTemplate(row, stamp, (template) =>
      enter(template, prepared(template, row, {}), nextTaskId, stamp)
    )
  })

/** Whether a task was made before the workflow's last step: then that step followed it, and its end is no news. */
const isAccounted = ({ workflow }: WorkflowRow, { createdAt }: Task): boolean => {
  const last = workflow.context.last_completed_task_at
  return typeof last === "string" && Option.exists(DateTime.make(last), DateTime.greaterThan(createdAt))
}
