import { Data, DateTime, Either, Option } from "effect"
import type { TaskId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { Workflow } from "../domain/Workflow.ts"
import { DEFAULT_RETRY_LIMIT, OUTCOME_SIGNAL, type State, type Template } from "../domain/WorkflowTemplate.ts"
import { brief } from "./Brief.ts"
import { filled } from "./References.ts"

/** How the task of a workflow's present state ended. */
export type TaskEnd = Data.TaggedEnum<{
  Completed: {
    readonly taskId: TaskId
    readonly kind: string
    readonly at: DateTime.Utc
    /** `workflow_signal` of its outcome. */
    readonly signal: Option.Option<string>
  }
  /** Blocked or failed for good; `retries` are the fresh rounds that the state's tasks have had. */
  Failed: { readonly reason: string; readonly retries: number }
  Canceled: Record<never, never>
}>
export const TaskEnd = Data.taggedEnum<TaskEnd>()

/** What becomes of the workflow. */
export type Step = Data.TaggedEnum<{
  /** Into another state, or the same one anew; its task is to be made. */
  Advance: { readonly to: string; readonly signal: string; readonly context: JsonObject }
  /** The end; `state` is the one that it ends in. */
  Complete: { readonly state: string; readonly signal: Option.Option<string>; readonly context: JsonObject }
  /** The task gets a fresh round. */
  Retry: Record<never, never>
  /** Nothing goes on by itself; an operator sees why. */
  Stall: { readonly reason: string }
}>
export const Step = Data.taggedEnum<Step>()

/** How often a workflow may go back to an earlier state where its context has no `max_iterations`. */
export const DEFAULT_MAX_ITERATIONS = 100

/** Contexts come from outside too: no `max_iterations` of theirs is more than this. */
export const MOST_ITERATIONS = 1_000

/** What a `max_iterations` that is given must be, in words. */
export const ITERATIONS = `an integer from 1 to ${MOST_ITERATIONS}`

/** Whether a context says how often its workflow may go back in a way that counts; null is as left out. */
export const hasIterations = ({ max_iterations: most }: JsonObject): boolean =>
  most === undefined ||
  most === null ||
  (typeof most === "number" && Number.isSafeInteger(most) && most >= 1 && most <= MOST_ITERATIONS)

const MOST_SIGNAL = 100
const MOST_SUBJECT = 200

type Instance = Pick<Workflow, "currentState" | "context">

/** One step of a workflow, from how its task ended; looks at nothing else and changes nothing. */
export const step = (template: Template, instance: Instance, end: TaskEnd): Step => {
  const state = stateOf(template, instance.currentState)
  if (state === undefined)
    return Step.Stall({ reason: `template ${template.name} has no state ${instance.currentState}` })
  return TaskEnd.$match(end, {
    Canceled: () => Step.Stall({ reason: "task_canceled" }),
    Failed: ({ reason, retries }) =>
      retries < (state.retry_limit ?? DEFAULT_RETRY_LIMIT) ? Step.Retry() : Step.Stall({ reason }),
    Completed: (done) => afterCompletion(template, state, instance, done)
  })
}

const afterCompletion = (
  template: Template,
  state: State,
  instance: Instance,
  done: TaskEnd & { readonly _tag: "Completed" }
): Step => {
  const remembered: JsonObject = {
    ...instance.context,
    last_completed_task_id: done.taskId,
    last_completed_task_kind: done.kind,
    last_completed_task_at: DateTime.formatIso(done.at)
  }
  if (state.complete_on?.includes(done.kind) === true)
    return Step.Complete({ state: instance.currentState, signal: Option.none(), context: remembered })
  const named = own(state.advance_on, done.kind)
  if (named === undefined)
    return Step.Stall({ reason: `state ${instance.currentState} knows no way on after a ${done.kind}` })
  const signal = named === OUTCOME_SIGNAL ? done.signal : Option.some(named)
  const to = Option.flatMapNullable(signal, (one) => own(state.on, one))
  if (Option.isNone(signal) || Option.isNone(to)) return Step.Stall({ reason: notAccepted(state, signal) })
  return moved(template, instance.currentState, to.value, signal.value, {
    ...remembered,
    last_workflow_signal: signal.value
  })
}

/** The step into a state by a signal, with what it counts; an operator's transition takes it as well. */
export const moved = (
  template: Template,
  from: string,
  to: string,
  signal: string,
  context: JsonObject
): Exclude<Step, { readonly _tag: "Retry" }> => {
  const counted = own(template.counts, signal)
  const counts =
    counted === undefined ? context : { ...context, [counted]: countIn(context, counted, 1, 1) + 1 }
  if (isEnd(stateOf(template, to)))
    return Step.Complete({ state: to, signal: Option.some(signal), context: counts })
  if (!leadsBack(template, from, to)) return Step.Advance({ to, signal, context: counts })
  const most = Math.min(countIn(context, "max_iterations", 1, DEFAULT_MAX_ITERATIONS), MOST_ITERATIONS)
  const iteration = countIn(context, "returns", 0, 0) + 2
  return iteration > most
    ? Step.Stall({ reason: `max_iterations: ${most} iterations did not complete it` })
    : Step.Advance({ to, signal, context: { ...counts, returns: iteration - 1 } })
}

/** A template's state of that name, if it has one. */
export const stateOf = (template: Template, name: string): State | undefined =>
  Object.hasOwn(template.states, name) ? template.states[name] : undefined

/** The states that a template reaches from one of them, its first one if none is said; that one first, nearest first. */
export const reachable = (template: Template, from = template.initial_state): ReadonlyArray<string> => {
  const found = [from]
  for (const name of found)
    for (const target of Object.values(stateOf(template, name)?.on ?? {}))
      if (!found.includes(target)) found.push(target)
  return found
}

/** A state with no task and no way on: a workflow that comes there is completed. */
export const isEnd = (state: State | undefined): boolean =>
  state !== undefined && state.task === undefined && Object.keys(state.on ?? {}).length === 0

/** Whether a step goes back in a loop: into a state no further from the first one that leads to this one again. */
const leadsBack = (template: Template, from: string, to: string): boolean => {
  const order = reachable(template)
  return order.indexOf(to) <= order.indexOf(from) && reachable(template, to).includes(from)
}

/** A key of the context that a task needs and that has no value; `why` says so in a sentence. */
export interface Lacking {
  readonly key: string
  readonly why: string
}

/**
 * The intent of a state's task, as it would stand in JSON: references filled in, the source
 * `workflow:<id>:<state>`, and the workflow's own keys in the payload. None for a state that has no task; Left
 * names what is missing.
 */
export const taskOf = (
  template: Template,
  workflow: Pick<Workflow, "id" | "instanceKey" | "currentState" | "context">
): Either.Either<Option.Option<JsonObject>, Lacking> => {
  const { context, currentState, id, instanceKey } = workflow
  const task = stateOf(template, currentState)?.task
  if (task === undefined) return Either.right(Option.none())
  return Either.mapBoth(filled(task, context), {
    onLeft: (key) => ({
      key,
      why: `context.${key} has no value, which the task of state ${currentState} needs`
    }),
    onRight: (intent) => {
      const fields = fitting(objectOf(intent))
      return Option.some({
        ...fields,
        source: `workflow:${id}:${currentState}`,
        payload: {
          ...objectOf(fields.payload),
          workflow_id: id,
          workflow_template: template.name,
          workflow_state: currentState,
          workflow_instance_key: instanceKey
        }
      })
    }
  })
}

const notAccepted = ({ on }: State, signal: Option.Option<string>): string => {
  const given = Option.match(signal, {
    onNone: () => "no workflow_signal",
    onSome: (one) => JSON.stringify(brief(one, MOST_SIGNAL))
  })
  return `signal_not_accepted: the outcome gave ${given}; accepted are ${Object.keys(on ?? {}).join(", ")}`
}

const objectOf = (value: unknown): JsonObject =>
  typeof value === "object" && value !== null ? { ...value } : {}

const own = (record: Readonly<Record<string, string>> | undefined, key: string): string | undefined =>
  record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined

/** A whole number of the context from `least` up; whatever else stands there counts as `otherwise`. */
const countIn = (context: JsonObject, key: string, least: number, otherwise: number): number => {
  const value = Object.hasOwn(context, key) ? context[key] : undefined
  return typeof value === "number" && Number.isSafeInteger(value) && value >= least ? value : otherwise
}

/** Texts of an intent; what comes of the context may be a number. */
const TEXTS = [
  "subject",
  "description",
  "requested_profile",
  "requested_adapter",
  "requested_model",
  "dedupe_key"
]

/**
 * Fields as an intent holds them: a subject is one short line, a text may have come of a number and a number of a
 * text; one that came to nothing is left out.
 */
const fitting = (fields: JsonObject): JsonObject => {
  const left = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
  const given: JsonObject = { ...left, ...texts(left, ...TEXTS) }
  const { schedule, subject } = given
  return {
    ...given,
    ...(typeof subject === "string" ? { subject: brief(subject, MOST_SUBJECT) } : {}),
    ...numbers(given, "priority", "max_attempts"),
    ...(typeof schedule === "object"
      ? { schedule: { ...schedule, ...numbers(objectOf(schedule), "delay_minutes") } }
      : {})
  }
}

const texts = (fields: JsonObject, ...keys: ReadonlyArray<string>): JsonObject =>
  Object.fromEntries(
    keys.flatMap((key) => {
      const value = fields[key]
      return typeof value === "number" || typeof value === "boolean" ? [[key, String(value)]] : []
    })
  )

const numbers = (fields: JsonObject, ...keys: ReadonlyArray<string>): JsonObject =>
  Object.fromEntries(
    keys.flatMap((key) => {
      const value = fields[key]
      return typeof value === "string" && /^\d+(\.\d+)?$/.test(value) ? [[key, Number(value)]] : []
    })
  )
