import { Effect, Either, Option } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import type { TaskId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import { traced } from "../domain/Traced.ts"
import type { Template } from "../domain/WorkflowTemplate.ts"
import { Store } from "../store/Store.ts"
import type { WorkflowRow } from "../store/Workflows.ts"
import { brief } from "../workflow/Brief.ts"
import { isEnd, stateOf, taskOf } from "../workflow/Machine.ts"
import { readIntent, taskWith } from "./Enqueue.ts"

/** The longest reason that a stalled workflow keeps, in characters. */
export const MOST_REASON = 600

/** Stops a workflow, visibly. A part of the caller's transaction. */
export const stall = (row: WorkflowRow, reason: string, stamp: Stamp) =>
  Effect.flatMap(Store, (store) => store.workflows.stall(row.workflow.id, brief(reason, MOST_REASON), stamp))

/**
 * Makes the task of the state that a workflow is in, under `taskId`. An end completes the workflow; a task that
 * cannot be made stalls it, visibly. While a task of an earlier visit to the state is not finished, its end makes
 * the new one. A part of the caller's transaction.
 */
export const enter = traced("WorkflowEntry.enter")(function* (
  template: Template,
  row: WorkflowRow,
  taskId: TaskId,
  stamp: Stamp
) {
  const store = yield* Store
  const { currentState, id } = row.workflow
  const state = stateOf(template, currentState)
  if (state === undefined)
    return yield* stall(row, `template ${template.name} has no state ${currentState}`, stamp)
  if (isEnd(state)) {
    const move = { id, from: currentState, to: currentState, context: Option.none(), signal: Option.none() }
    return yield* Effect.asVoid(store.workflows.complete(move, stamp))
  }
  const wanted = taskOf(template, row.workflow)
  if (Either.isLeft(wanted)) return yield* stall(row, wanted.left.why, stamp)
  if (Option.isNone(wanted.right)) return
  const holder = yield* store.workflows.unfinishedTask(id, currentState)
  if (Option.isSome(holder)) return yield* waitFor(row, holder.value, stamp)
  yield* make(row, wanted.right.value, taskId, stamp)
})

/** An unfinished task of an earlier visit keeps the state's place: what ends by itself is waited for. */
const waitFor = (row: WorkflowRow, holder: TaskId, stamp: Stamp) =>
  Effect.gen(function* () {
    const store = yield* Store
    const found = yield* store.tasks.find(holder)
    if (Option.exists(found, ({ task }) => task.status === "blocked"))
      yield* stall(row, isKept(row, holder), stamp)
  })

/** Why a workflow does not go on while a blocked task of an earlier visit is there. */
export const isKept = ({ workflow }: WorkflowRow, holder: TaskId): string =>
  `task ${holder}, which was made when the workflow was in ${workflow.currentState} before, is blocked: retry or cancel it`

const make = (row: WorkflowRow, wanted: JsonObject, taskId: TaskId, stamp: Stamp) =>
  Effect.gen(function* () {
    const store = yield* Store
    const { currentState, id, instanceKey, template } = row.workflow
    const intent = yield* Effect.either(readIntent(wanted))
    if (Either.isLeft(intent))
      return yield* stall(row, `its task is no intent: ${intent.left.message}`, stamp)
    const door = {
      actor: { surface: "workflow", name: instanceKey } as const,
      untrusted: row.untrusted,
      workflow: Option.some({ id, template, state: currentState })
    }
    const made = yield* store.tasks.add(yield* taskWith(intent.right, door, taskId, stamp.at), stamp)
    const other = made.task.taskId
    if (made.created) return yield* store.workflows.taskCreated(id, other, currentState, stamp)
    // It stays active without a task: whoever evaluates idle workflows makes it once the key is free.
    yield* Effect.logInfo(
      `Workflow ${id} waits: task ${other}, which is not finished, holds its task's dedupe_key`
    )
  })
