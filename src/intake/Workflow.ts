import { Effect, Either, Option, Schema } from "effect"
import { secretsMasked } from "../artifact/KnownSecrets.ts"
import { Invalid, type Problem } from "../config/Issues.ts"
import { didYouMean, nearest, remedyFor } from "../config/NearMiss.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { abridged } from "../domain/Abridged.ts"
import type { Actor, Stamp } from "../domain/Actor.ts"
import { counted } from "../domain/Figure.ts"
import { IdSource, TaskId, WorkflowId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import { redactJson } from "../domain/Redactor.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { InstanceKey } from "../domain/Workflow.ts"
import type { Template } from "../domain/WorkflowTemplate.ts"
import { Store } from "../store/Store.ts"
import { unfitKeys } from "../workflow/ContextKeys.ts"
import { hasIterations, ITERATIONS, taskOf } from "../workflow/Machine.ts"
import { namesOf, opened, templateOf } from "../workflow/Templates.ts"
import { readIntent } from "./Enqueue.ts"
import { enter } from "./WorkflowEntry.ts"

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

/** A context is written anew with every step, and lists show it. */
export const MOST_CONTEXT_CHARACTERS = 65_536

/** Whether a context is small enough to be kept. */
export const isKeepable = (context: JsonObject): boolean =>
  JSON.stringify(context).length <= MOST_CONTEXT_CHARACTERS

/** What `isKeepable` asks for, in words. */
export const KEEPABLE = `a context of at most ${counted(MOST_CONTEXT_CHARACTERS)} characters of JSON`

const isInstanceKey = Schema.is(InstanceKey)

const unfit = (path: string, found: string, expected: string, remedy = ""): Problem => ({
  kind: "unfit",
  path,
  found: abridged(found),
  expected,
  remedy
})

const invalid = (...problems: ReadonlyArray<Problem>) => new Invalid({ problems })

/** What of a context that is given its template cannot take, see `unfitKeys`. */
export const unfitContext = (
  template: Template,
  given: JsonObject,
  artifactDir: string
): ReadonlyArray<Problem> =>
  unfitKeys(template, given, artifactDir).map(({ expected, found, key }) =>
    unfit(`context.${key}`, found, expected)
  )

/** Judges what is to be opened: template and state are there, and the context has what its first task needs. */
export const judgeOpening = traced("Workflow.judgeOpening")(function* (opening: Opening) {
  const { artifactDir, workflows } = yield* RuntimeConfig
  const secrets = yield* secretsMasked
  const instanceKey = secrets.text(opening.instanceKey)
  const names = namesOf(workflows)
  const template = yield* Effect.mapError(templateOf(opening.template, workflows), () =>
    invalid(
      unfit(
        "template",
        JSON.stringify(opening.template),
        "the name of a workflow template",
        remedyFor(opening.template, names, "templates")
      )
    )
  )
  const state = Option.getOrElse(opening.state, () => template.initial_state)
  const states = Object.keys(template.states)
  const given = redactJson(opening.context, secrets)
  const context = opened(template, given, yield* now, instanceKey)
  const problems = [
    ...(isInstanceKey(instanceKey)
      ? []
      : [
          unfit("instance_key", JSON.stringify(instanceKey), "text of 1 to 200 characters that is not blank")
        ]),
    ...(states.includes(state)
      ? []
      : [
          unfit(
            "state",
            JSON.stringify(state),
            `a state of ${template.name}`,
            remedyFor(state, states, "states")
          )
        ]),
    ...(hasIterations(given)
      ? []
      : [unfit("context.max_iterations", JSON.stringify(given.max_iterations), ITERATIONS)]),
    ...unfitContext(template, given, artifactDir),
    ...(isKeepable(context) ? [] : [unfit("context", "a larger one", KEEPABLE)])
  ]
  if (problems.length > 0) return yield* invalid(...problems)
  const first = taskOf(template, { id: WorkflowId.make(1), instanceKey, currentState: state, context })
  if (Either.isLeft(first)) return yield* invalid(lacking(first.left, given))
  if (Option.isSome(first.right)) yield* readIntent(first.right.value)
  return { template, instanceKey, state, context } satisfies Opened
})

const lacking = (
  { key, why }: { readonly key: string; readonly why: string },
  given: JsonObject
): Problem => {
  const likely = nearest(key, Object.keys(given))
  return unfit("context", why, "a context with that key", likely === undefined ? "" : didYouMean(likely))
}

/**
 * Opens a judged workflow and makes the task of its state; while its key is taken nothing is made. A part of the
 * caller's transaction: `taskId` and `stamp` were taken before it.
 */
export const open = traced("Workflow.open")(function* (
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

/** As `open`, as a transaction of its own. Whose key is taken is answered, though a new one would lack something. */
export const openNow = traced("Workflow.openNow")(function* (opening: Opening, actor: Actor) {
  const store = yield* Store
  const ids = yield* IdSource
  const judged = yield* Effect.either(judgeOpening(opening))
  if (Either.isLeft(judged)) return yield* repeated(opening.instanceKey, unfitOf(judged.left))
  const taskId = TaskId.make(yield* ids.next)
  const stamp = { at: yield* now, actor }
  return yield* store.transact("Workflow.open", open(judged.right, taskId, stamp))
})

/** Why nothing can be opened so; `anyway` where that is wrong even while an instance has the key. */
export interface Unfit {
  readonly invalid: Invalid
  readonly anyway: boolean
}

/** What names no template that there is cannot be a repeat either. */
export const unfitOf = (invalid: Invalid): Unfit => ({
  invalid,
  anyway: invalid.problems.some(({ path }) => path === "template")
})

/** The instance that has the key of what is unfit to be opened: a repeat of it, whatever a new one would lack. */
export const repeated = (instanceKey: string, { anyway, invalid }: Unfit) =>
  Effect.gen(function* () {
    if (anyway) return yield* invalid
    const store = yield* Store
    const { text } = yield* secretsMasked
    const holder = yield* store.workflows.findByKey(text(instanceKey))
    return Option.isNone(holder) ? yield* invalid : { created: false, workflow: holder.value.workflow }
  })
