import { Data, Effect, Option } from "effect"
import { secretsMasked } from "../artifact/KnownSecrets.ts"
import { Invalid } from "../config/Issues.ts"
import { didYouMean, nearest } from "../config/NearMiss.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { abridged } from "../domain/Abridged.ts"
import type { Stamp } from "../domain/Actor.ts"
import { IdSource, TaskId, type WorkflowId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import { redactJson } from "../domain/Redactor.ts"
import { traced } from "../domain/Traced.ts"
import type { Workflow } from "../domain/Workflow.ts"
import type { Template } from "../domain/WorkflowTemplate.ts"
import { Store } from "../store/Store.ts"
import { hasIterations, ITERATIONS, moved, Step, stateOf } from "../workflow/Machine.ts"
import { resumed, templateOf } from "../workflow/Templates.ts"
import { isKeepable, KEEPABLE, unfitContext } from "./Workflow.ts"
import { goOn } from "./WorkflowStep.ts"

/** What came of an operator's move. `Refused` says why in a sentence; nothing was changed then. */
export type WorkflowMoved = Data.TaggedEnum<{
  Moved: { readonly from: string; readonly to: string }
  NotFound: Record<never, never>
  Refused: { readonly why: string }
}>
export const WorkflowMoved = Data.taggedEnum<WorkflowMoved>()

const refused = (why: string) => Effect.succeed(WorkflowMoved.Refused({ why }))

/** Ends what is unfinished of the state that a workflow is in: what waits is canceled, what runs is asked to stop. */
const leave = (workflow: Workflow, how: "left" | "was completed in", stamp: Stamp) =>
  Effect.gen(function* () {
    const store = yield* Store
    const task = yield* store.workflows.unfinishedTask(workflow.id, workflow.currentState)
    if (Option.isNone(task)) return
    const reason = Option.some(`workflow ${workflow.instanceKey} ${how} the state ${workflow.currentState}`)
    const canceled = yield* store.tasks.cancel(task.value, reason, stamp)
    if (canceled._tag === "Refused") yield* store.tasks.requestCancel(task.value, reason, stamp)
  })

type Way = readonly [signal: string, to: string]

const waysFrom = (template: Template, { currentState }: Workflow): ReadonlyArray<Way> =>
  Object.entries(stateOf(template, currentState)?.on ?? {})

const noWay = (template: Template, { currentState }: Workflow, to: string, ways: ReadonlyArray<Way>) => {
  const targets = [...new Set(ways.map(([, target]) => target))]
  const likely = nearest(to, targets)
  const states = Object.keys(template.states)
  const unknown = states.includes(to) ? "" : `, which is no state of ${template.name}`
  return refused(
    `${currentState} leads to ${targets.join(", ") || "no other state"}, not to ${abridged(to)}${unknown}${
      likely === undefined ? "" : `; ${didYouMean(likely)}`
    }`
  )
}

/**
 * Takes a workflow into a state that its present one leads to, whatever its task came to. Invalid where the context that
 * is put in names what no task may write.
 */
export const transition = traced("WorkflowMoves.transition")(function* (
  id: WorkflowId,
  to: string,
  given: JsonObject,
  stamp: Stamp
) {
  const store = yield* Store
  const settings = yield* RuntimeConfig
  const ids = yield* IdSource
  const nextTaskId = TaskId.make(yield* ids.next)
  const put = redactJson(given, yield* secretsMasked)
  return yield* store.transact(
    "WorkflowMoves.transition",
    Effect.gen(function* () {
      const row = yield* store.workflows.find(id)
      if (Option.isNone(row)) return WorkflowMoved.NotFound()
      const { damage, workflow } = row.value
      const from = workflow.currentState
      if (Option.isSome(damage)) return yield* refused(`its record is damaged: ${damage.value}`)
      if (workflow.status === "completed") return yield* refused("it is completed")
      const template = templateOf(workflow.template, settings.workflows)
      if (Option.isNone(template))
        return yield* refused(`its template ${workflow.template} is not configured`)
      const ways = waysFrom(template.value, workflow)
      const way = ways.find(([, target]) => target === to)
      if (way === undefined) return yield* noWay(template.value, workflow, to, ways)
      const carried = { ...resumed(template.value, workflow, {}), ...put }
      if (!isKeepable(carried)) return yield* refused(`its context would be larger than allowed: ${KEEPABLE}`)
      if (!hasIterations(put))
        return yield* refused(
          `context.max_iterations is ${JSON.stringify(put.max_iterations)}: give ${ITERATIONS}`
        )
      const problems = unfitContext(template.value, put, settings.artifactDir)
      if (problems.length > 0) return yield* new Invalid({ problems })
      const [signal] = way
      const next = moved(template.value, from, to, signal, carried)
      if (Step.$is("Stall")(next))
        return yield* refused(`${next.reason}; a larger max_iterations in the context lets it go on`)
      yield* leave(workflow, "left", stamp)
      if (Step.$is("Complete")(next)) {
        const move = { id, from, to, context: Option.some(next.context), signal: Option.some(signal) }
        yield* store.workflows.complete(move, stamp)
      } else yield* goOn(template.value, row.value, { to, context: next.context, signal }, nextTaskId, stamp)
      return WorkflowMoved.Moved({ from, to })
    })
  )
})

/** Ends a workflow in the state that it is in; what is unfinished of it is canceled. */
export const complete = traced("WorkflowMoves.complete")(function* (id: WorkflowId, stamp: Stamp) {
  const store = yield* Store
  return yield* store.transact(
    "WorkflowMoves.complete",
    Effect.gen(function* () {
      const row = yield* store.workflows.find(id)
      if (Option.isNone(row)) return WorkflowMoved.NotFound()
      const { workflow } = row.value
      const from = workflow.currentState
      if (workflow.status === "completed") return yield* refused("it is completed already")
      // In the order of a transition: first what is unfinished ends, then the workflow.
      yield* leave(workflow, "was completed in", stamp)
      const move = { id, from, to: from, context: Option.none(), signal: Option.none() }
      yield* store.workflows.complete(move, stamp)
      return WorkflowMoved.Moved({ from, to: from })
    })
  )
})
