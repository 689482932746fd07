import { Effect, Either, Option } from "effect"
import { Invalid } from "../config/Issues.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import type { Actor, Stamp } from "../domain/Actor.ts"
import { IdSource, TaskId, WorkflowId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import { now } from "../domain/Time.ts"
import type { Template } from "../domain/WorkflowTemplate.ts"
import { Store } from "../store/Store.ts"
import type { WorkflowRow } from "../store/Workflows.ts"
import { isEnd, taskOf } from "../workflow/Machine.ts"
import { BUILT_IN, opened, templateOf } from "../workflow/Templates.ts"
import { readIntent, taskWith } from "./Enqueue.ts"

/** What opens a workflow: where `state` is left out the template's first one. */
export interface Opening {
  readonly template: string
  readonly instanceKey: string
  readonly state: Option.Option<string>
  readonly context: JsonObject
}

/** An opening that was judged: it can be written. */
export interface Opened {
  readonly template: Template
  readonly instanceKey: string
  readonly state: string
  readonly context: JsonObject
}

const invalid = (path: string, found: string, expected: string) =>
  new Invalid({ problems: [{ kind: "unfit", path, found, expected, remedy: "" }] })

/** Judges what is to be opened: template and state are there, and the context has what its first task needs. */
export const judgeOpening = Effect.fn("Workflow.judgeOpening")(function* (opening: Opening) {
  const { workflows } = yield* RuntimeConfig
  const known = [...new Set([...BUILT_IN.map(({ name }) => name), ...workflows.keys()])]
  const template = yield* Effect.mapError(templateOf(opening.template, workflows), () =>
    invalid("template", JSON.stringify(opening.template), `one of ${known.join(", ")}`)
  )
  const state = Option.getOrElse(opening.state, () => template.initial_state)
  if (!Object.hasOwn(template.states, state))
    return yield* invalid("state", JSON.stringify(state), `one of ${Object.keys(template.states).join(", ")}`)
  const context = opened(template, opening.context, yield* now)
  const { instanceKey } = opening
  const first = taskOf(template, { id: WorkflowId.make(1), instanceKey, currentState: state, context })
  if (Either.isLeft(first)) return yield* invalid("context", first.left, "a context with that key")
  if (Option.isSome(first.right)) yield* readIntent(first.right.value)
  return { template, instanceKey, state, context } satisfies Opened
})

/**
 * Opens a judged workflow and makes the task of its state; while its key is taken nothing is made. A part of the
 * caller's transaction: `taskId` and `stamp` were taken before it.
 */
export const open = Effect.fn("Workflow.open")(function* (
  { context, instanceKey, state, template }: Opened,
  taskId: TaskId,
  stamp: Stamp
) {
  const store = yield* Store
  const made = yield* store.workflows.open({ template: template.name, instanceKey, state, context }, stamp)
  if (!made.created) return made
  const row = yield* store.workflows.find(made.workflow.id)
  if (Option.isSome(row)) yield* enter(template, row.value, taskId, stamp)
  return made
})

/** As `open`, as a transaction of its own. */
export const openNow = Effect.fn("Workflow.openNow")(function* (opening: Opening, actor: Actor) {
  const store = yield* Store
  const ids = yield* IdSource
  const judged = yield* judgeOpening(opening)
  const taskId = TaskId.make(yield* ids.next)
  const stamp = { at: yield* now, actor }
  return yield* store.transact("Workflow.open", open(judged, taskId, stamp))
})

/**
 * Makes the task of the state that a workflow is in, under `taskId`. An end completes the workflow; a task that
 * cannot be made stalls it, visibly. A part of the caller's transaction.
 */
export const enter = Effect.fn("Workflow.enter")(function* (
  template: Template,
  { untrusted, workflow }: WorkflowRow,
  taskId: TaskId,
  stamp: Stamp
) {
  const store = yield* Store
  const { context, currentState, id, instanceKey } = workflow
  if (isEnd(template.states[currentState]))
    return yield* store.workflows
      .complete({ id, from: currentState, to: currentState, context, signal: Option.none() }, stamp)
      .pipe(Effect.asVoid)
  const wanted = taskOf(template, workflow)
  if (Either.isLeft(wanted)) return yield* store.workflows.stall(id, wanted.left, stamp)
  if (Option.isNone(wanted.right)) return
  const intent = yield* Effect.either(readIntent(wanted.right.value))
  if (Either.isLeft(intent))
    return yield* store.workflows.stall(id, `its task is no intent: ${intent.left.message}`, stamp)
  const door = {
    actor: { surface: "workflow", name: instanceKey } as const,
    untrusted,
    workflow: Option.some({ id, state: currentState })
  }
  const { created, task } = yield* store.tasks.add(
    yield* taskWith(intent.right, door, taskId, stamp.at),
    stamp
  )
  if (created) return yield* store.workflows.taskCreated(id, task.taskId, currentState, stamp)
  yield* store.workflows.stall(
    id,
    `task ${task.taskId}, which is not finished, holds the dedupe_key of its task`,
    stamp
  )
})
