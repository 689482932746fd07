import { Effect, Option, Schema } from "effect"
import { didYouMean, nearest } from "../config/NearMiss.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { abridged } from "../domain/Abridged.ts"
import { WorkflowId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import type { WorkflowStatus } from "../domain/Workflow.ts"
import { UNENDED, WORKFLOW_STATUSES } from "../domain/WorkflowStatuses.ts"
import { openNow } from "../intake/Workflow.ts"
import * as Moves from "../intake/WorkflowMoves.ts"
import { waitsFor } from "../intake/WorkflowWait.ts"
import { Store } from "../store/Store.ts"
import type { WorkflowRow } from "../store/Workflows.ts"
import { mermaid } from "../workflow/Diagram.ts"
import { BUILT_IN } from "../workflow/Templates.ts"
import {
  CompletedWorkflow,
  MovedWorkflow,
  OpenedWorkflow,
  TemplateList,
  WorkflowList,
  WorkflowStory
} from "./answers/Workflows.ts"
import { operation } from "./Operation.ts"
import { badCursor, Refusal } from "./Refusal.ts"

/** How much of a long story `show` tells, the newest part. */
const MOST_EVENTS = 1_000

/** A workflow by its id or by its key; one of the two is given. */
export interface Named {
  readonly id: Option.Option<number>
  readonly instanceKey: Option.Option<string>
}

/** So many of the newest keys are looked through for the one that was meant. */
const MOST_KEYS = 200

const notFound = (named: string, likely?: string) =>
  new Refusal({
    code: "workflow_not_found",
    message: `there is no workflow ${abridged(named)}`,
    hint: `${likely === undefined ? "" : `${didYouMean(likely)} `}agent-runtime workflow-list --all shows all of them`
  })

const readId = Schema.decodeUnknownOption(WorkflowId)

const found = ({ id, instanceKey }: Named) =>
  Effect.gen(function* () {
    const store = yield* Store
    const byId = Option.flatMap(id, readId)
    const row: Option.Option<WorkflowRow> = Option.isSome(byId)
      ? yield* store.workflows.find(byId.value)
      : Option.isSome(instanceKey)
        ? yield* store.workflows.findByKey(instanceKey.value)
        : Option.none()
    if (Option.isSome(row)) return row.value
    if (Option.isNone(instanceKey))
      return yield* notFound(Option.match(id, { onNone: () => "", onSome: String }))
    const newest = yield* store.workflows.list({
      status: WORKFLOW_STATUSES,
      limit: MOST_KEYS,
      after: Option.none()
    })
    const keys = Option.map(newest, ({ workflows }) => workflows.map((one) => one.instanceKey))
    return yield* notFound(
      instanceKey.value,
      nearest(
        instanceKey.value,
        Option.getOrElse(keys, () => [])
      )
    )
  })

/** Opens an instance; while its key is taken the one that has it is answered with `created` false. */
export const create = operation({
  name: "workflows.create",
  role: "operate",
  output: OpenedWorkflow,
  run: traced("Workflows.create")(function* (
    input: {
      readonly template: string
      readonly instanceKey: string
      readonly state: Option.Option<string>
      readonly context: JsonObject
    },
    actor
  ) {
    const { created, workflow } = yield* openNow(input, actor)
    const { currentState, id, instanceKey, template } = workflow
    return { created, workflowId: id, template, instanceKey, state: currentState }
  })
})

/**
 * The instances of some statuses, newest first; where none is named those that go on or wait for an operator, with
 * `all` the completed ones as well. With `counted` all of each status are counted.
 */
export const list = operation({
  name: "workflows.list",
  role: "read",
  output: WorkflowList,
  run: traced("Workflows.list")(function* ({
    after,
    all,
    counted = false,
    limit,
    status
  }: {
    readonly status: ReadonlyArray<WorkflowStatus>
    readonly all: boolean
    /** 1..500. */
    readonly limit: number
    readonly after: Option.Option<string>
    readonly counted?: boolean
  }) {
    const store = yield* Store
    const asked = status.length > 0 ? status : all ? WORKFLOW_STATUSES : UNENDED
    const page = yield* store.workflows.list({ status: asked, limit, after })
    if (Option.isNone(page)) return yield* badCursor(after)
    const workflows = yield* Effect.forEach(page.value.workflows, (one) =>
      Effect.map(waitsFor(one), (waits) => ({ ...one, waitsFor: waits }))
    )
    return {
      workflows,
      next: page.value.next,
      ...(counted ? { counts: yield* store.workflows.counts } : {})
    }
  })
})

/** One instance with its history. */
export const show = operation({
  name: "workflows.show",
  role: "read",
  output: WorkflowStory,
  run: traced("Workflows.show")(function* (input: Named) {
    const store = yield* Store
    const { workflow } = yield* found(input)
    return {
      ...workflow,
      waitsFor: yield* waitsFor(workflow),
      unfinishedTask: yield* store.workflows.unfinishedTask(workflow.id, workflow.currentState),
      history: yield* store.workflows.history(workflow.id, MOST_EVENTS)
    }
  })
})

/** The refusal that a move is for the caller, or where it went. */
const answered = (id: WorkflowId, moved: Moves.WorkflowMoved) =>
  Moves.WorkflowMoved.$match(moved, {
    NotFound: () => Effect.fail(notFound(String(id))),
    Refused: ({ why }) =>
      Effect.fail(
        new Refusal({
          code: "move_refused",
          message: `workflow ${id} was not moved: ${why}`,
          hint: `agent-runtime workflow-show --id ${id} tells its story`
        })
      ),
    Moved: (way) => Effect.succeed(way)
  })

/** Takes an instance into a state that its present one leads to; its unfinished task is canceled. */
export const transition = operation({
  name: "workflows.transition",
  role: "operate",
  output: MovedWorkflow,
  run: traced("Workflows.transition")(function* (
    input: Named & { readonly state: string; readonly context: JsonObject },
    actor
  ) {
    const { workflow } = yield* found(input)
    const moved = yield* Moves.transition(workflow.id, input.state, input.context, { at: yield* now, actor })
    const { from, to } = yield* answered(workflow.id, moved)
    return { transitioned: true as const, workflowId: workflow.id, from, to }
  })
})

/** Ends an instance in the state that it is in; its unfinished task is canceled. */
export const complete = operation({
  name: "workflows.complete",
  role: "operate",
  output: CompletedWorkflow,
  run: traced("Workflows.complete")(function* (input: Named, actor) {
    const { workflow } = yield* found(input)
    const { to } = yield* answered(workflow.id, yield* Moves.complete(workflow.id, { at: yield* now, actor }))
    return { completed: true as const, workflowId: workflow.id, state: to }
  })
})

/** The templates that workflows can be opened from, each with its diagram. */
export const templates = operation({
  name: "workflows.templates",
  role: "read",
  output: TemplateList,
  run: traced("Workflows.templates")(function* () {
    const { workflows } = yield* RuntimeConfig
    const builtIn = BUILT_IN.filter(({ name }) => !workflows.has(name))
    return {
      templates: [...builtIn, ...workflows.values()].map((template) => ({
        name: template.name,
        builtIn: !workflows.has(template.name),
        initialState: template.initial_state,
        states: template.states,
        mermaid: mermaid(template)
      }))
    }
  })
})
