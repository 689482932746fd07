import { Data, Effect, Option } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import type { Stamp } from "../domain/Actor.ts"
import { IdSource, TaskId, type WorkflowId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { Workflow } from "../domain/Workflow.ts"
import type { Template } from "../domain/WorkflowTemplate.ts"
import { Store } from "../store/Store.ts"
import { moved, Step } from "../workflow/Machine.ts"
import { templateOf } from "../workflow/Templates.ts"
import { goOn } from "./WorkflowStep.ts"

/** What came of an operator's move. `Refused` says why in a sentence; nothing was changed then. */
export type WorkflowMoved = Data.TaggedEnum<{
  Moved: { readonly from: string; readonly to: string }
  NotFound: Record<never, never>
  Refused: { readonly why: string }
}>
export const WorkflowMoved = Data.taggedEnum<WorkflowMoved>()

const refused = (why: string) => Effect.succeed(WorkflowMoved.Refused({ why }))

/** Ends what is unfinished of a state that is left: what waits is canceled, what runs is asked to stop. */
const leave = (workflow: Workflow, stamp: Stamp) =>
  Effect.gen(function* () {
    const store = yield* Store
    const task = yield* store.workflows.unfinishedTask(workflow.id, workflow.currentState)
    if (Option.isNone(task)) return
    const reason = Option.some(`workflow ${workflow.instanceKey} left the state ${workflow.currentState}`)
    const canceled = yield* store.tasks.cancel(task.value, reason, stamp)
    if (canceled._tag === "Refused") yield* store.tasks.requestCancel(task.value, reason, stamp)
  })

const ways = (
  template: Template,
  { currentState }: Workflow
): ReadonlyArray<readonly [signal: string, to: string]> =>
  Object.entries(template.states[currentState]?.on ?? {})

/** Takes a workflow into a state that its present one leads to, whatever its task came to. */
export const transition = Effect.fn("WorkflowMoves.transition")(function* (
  id: WorkflowId,
  to: string,
  given: JsonObject,
  stamp: Stamp
) {
  const store = yield* Store
  const settings = yield* RuntimeConfig
  const ids = yield* IdSource
  const nextTaskId = TaskId.make(yield* ids.next)
  return yield* store.transact(
    "WorkflowMoves.transition",
    Effect.gen(function* () {
      const row = yield* store.workflows.find(id)
      if (Option.isNone(row)) return WorkflowMoved.NotFound()
      const { workflow } = row.value
      const from = workflow.currentState
      if (workflow.status === "completed") return yield* refused("it is completed")
      const template = templateOf(workflow.template, settings.workflows)
      if (Option.isNone(template))
        return yield* refused(`its template ${workflow.template} is not configured`)
      const way = ways(template.value, workflow).find(([, target]) => target === to)
      if (way === undefined) {
        const allowed = [...new Set(ways(template.value, workflow).map(([, target]) => target))].join(", ")
        return yield* refused(`${from} leads to ${allowed === "" ? "no other state" : allowed}, not to ${to}`)
      }
      const next = moved(template.value, from, to, way[0], { ...workflow.context, ...given })
      if (Step.$is("Stall")(next)) return yield* refused(next.reason)
      yield* leave(workflow, stamp)
      const context = Step.$is("Retry")(next) ? workflow.context : next.context
      const signal = Option.some(way[0])
      if (Step.$is("Complete")(next))
        yield* store.workflows.complete({ id, from, to, context, signal }, stamp)
      else yield* goOn(template.value, row.value, { to, context, signal }, nextTaskId, stamp)
      return WorkflowMoved.Moved({ from, to })
    })
  )
})

/** Ends a workflow in the state that it is in; what is unfinished of it is canceled. */
export const complete = Effect.fn("WorkflowMoves.complete")(function* (id: WorkflowId, stamp: Stamp) {
  const store = yield* Store
  return yield* store.transact(
    "WorkflowMoves.complete",
    Effect.gen(function* () {
      const row = yield* store.workflows.find(id)
      if (Option.isNone(row)) return WorkflowMoved.NotFound()
      const { context, currentState, status } = row.value.workflow
      if (status === "completed") return yield* refused("it is completed already")
      yield* leave(row.value.workflow, stamp)
      const move = { id, from: currentState, to: currentState, context, signal: Option.none<string>() }
      yield* store.workflows.complete(move, stamp)
      return WorkflowMoved.Moved({ from: currentState, to: currentState })
    })
  )
})
