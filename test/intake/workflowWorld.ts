import { Effect, Option, TestClock } from "effect"
import type { Scripted } from "../../layers/adapter/ScriptedAdapters.ts"
import { Sqlite } from "../../layers/store/Sqlite.ts"
import type { Job } from "../../src/adapter/AdapterRegistry.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import type { Actor } from "../../src/domain/Actor.ts"
import type { WorkflowId } from "../../src/domain/Ids.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import type { Task } from "../../src/domain/Task.ts"
import { now } from "../../src/domain/Time.ts"
import type { Template } from "../../src/domain/WorkflowTemplate.ts"
import { openNow } from "../../src/intake/Workflow.ts"
import * as Moves from "../../src/intake/WorkflowMoves.ts"
import * as Tasks from "../../src/operate/Tasks.ts"
import { Store } from "../../src/store/Store.ts"
import { answer, DOOR } from "../dispatch/world.ts"

export const OLGA: Actor = DOOR.actor

/** Opens a workflow as an operator does; answers its id. */
export const openWorkflow = (
  template: string,
  context: JsonObject = {},
  { actor = OLGA, key = "k", state }: { actor?: Actor; key?: string; state?: string } = {}
) =>
  Effect.map(
    openNow({ template, instanceKey: key, state: Option.fromNullable(state), context }, actor),
    ({ workflow }) => workflow.id
  )

export const workflowOf = (id: WorkflowId) =>
  Effect.flatMap(Store, ({ workflows }) =>
    Effect.map(workflows.find(id), (row) => Option.getOrThrow(row).workflow)
  )

/** Status, state and why it is stalled. */
export const placeOf = (id: WorkflowId) =>
  Effect.map(
    workflowOf(id),
    ({ currentState, stalledReason, status }) =>
      [status, currentState, Option.getOrNull(stalledReason)] as const
  )

/** All tasks of a workflow, oldest first. */
export const tasksOf = (id: WorkflowId) =>
  Effect.gen(function* () {
    const store = yield* Store
    const none = { status: [], kind: Option.none(), source: Option.none() }
    const page = Option.getOrThrow(yield* store.tasks.list(none, { limit: 500, after: Option.none() }))
    return page.tasks.filter((task) => Option.contains(task.workflowId, id)).toReversed()
  })

/** Of each task of a workflow its state and status, oldest first. */
export const storyOf = (id: WorkflowId) =>
  Effect.map(tasksOf(id), (tasks) => tasks.map((task) => `${stateOf(task)} ${task.status}`))

const stateOf = (task: Task): string => String(task.payload.workflow_state)

export const lastTaskOf = (id: WorkflowId) => Effect.map(tasksOf(id), (tasks) => tasks.at(-1)!)

/** Events of a workflow by type, and what each tells. */
export const eventsOf = (id: WorkflowId, type: string) =>
  Effect.flatMap(Store, ({ workflows }) =>
    Effect.map(workflows.history(id, 1_000), (events) =>
      events.filter((event) => event.eventType === type).map((event) => event.detail)
    )
  )

/** Cycles until there is nothing to do, a second after each other; answers how many tasks ran, at most `most`. */
export const runDry = (most = 50) =>
  Effect.gen(function* () {
    for (let ran = 0; ran < most; ran++) {
      if ((yield* runOnce)._tag !== "Ran") return ran
      yield* TestClock.adjust("1 seconds")
    }
    return yield* Effect.dieMessage(`${most} tasks ran, and there are more`)
  })

export const transition = (id: WorkflowId, to: string, context: JsonObject = {}) =>
  Effect.gen(function* () {
    return yield* Moves.transition(id, to, context, { at: yield* now, actor: OLGA })
  })

export const completeNow = (id: WorkflowId) =>
  Effect.gen(function* () {
    return yield* Moves.complete(id, { at: yield* now, actor: OLGA })
  })

export const cancelTask = (task: Task) =>
  Tasks.cancel.run({ id: task.taskId, reason: Option.none(), force: false }, OLGA)

export const retryTask = (task: Task) => Tasks.retry.run({ id: task.taskId, note: Option.none() }, OLGA)

/** An adapter that answers by the state that its task stands for; every other state is completed. */
export const inState =
  (states: Readonly<Record<string, Scripted>>): Scripted =>
  (job: Job) =>
    states[String(job.payload.workflow_state)]?.(job) ?? Effect.succeed(answer())

/** An adapter that gives these answers one after the other, the last one for ever. */
export const inTurn = (answers: ReadonlyArray<JsonObject>): Scripted => {
  let at = 0
  return () => Effect.sync(() => answer(answers[Math.min(at++, answers.length - 1)]))
}

export const blocked = (more: JsonObject = {}): JsonObject => ({
  status: "blocked",
  machine_status: "blocked",
  operator_summary: "it needs a key",
  ...more
})

/** A template of the user's own: `look` leads to `tidy` and there again, or to the end. */
export const rounds: Template = {
  name: "rounds",
  initial_state: "look",
  context: {},
  states: {
    look: {
      task: { kind: "look", payload: { place: "{{context.place | the desk}}" } },
      advance_on: { look: "seen" },
      on: { seen: "tidy", again: "look" }
    },
    tidy: {
      task: { kind: "tidy", payload: {} },
      advance_on: { tidy: "$signal" },
      on: { back: "look", over: "end" }
    },
    end: {}
  }
}

/** SQL as another program would send it. */
export const sql = (text: string) =>
  Effect.flatMap(Sqlite, (sqlite) => sqlite.transact("test", sqlite.rows({ text, names: [] })))
