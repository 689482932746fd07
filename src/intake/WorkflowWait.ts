import { type DateTime, Effect, Option } from "effect"
import { secretsMasked } from "../artifact/KnownSecrets.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { isOpen } from "../domain/AskedQuestion.ts"
import type { TaskId } from "../domain/Ids.ts"
import { traced } from "../domain/Traced.ts"
import type { Workflow } from "../domain/Workflow.ts"
import { Store } from "../store/Store.ts"
import { stateOf, taskOf } from "../workflow/Machine.ts"
import { resumed, templateOf } from "../workflow/Templates.ts"

/** What an active workflow waits for: one of `dedupeKey` and `question` is there. */
export interface WaitsFor {
  /** The task that holds the key, or asks. */
  readonly taskId: TaskId
  /** What the task of the workflow's state wants too: it is made once the key is free. */
  readonly dedupeKey: Option.Option<string>
  /** What its own task has asked its operator. */
  readonly question: Option.Option<string>
  /** When the question runs out; none where it does not. */
  readonly until: Option.Option<DateTime.Utc>
}

/**
 * What keeps an active workflow from going on by itself: that its task waits for an answer, or that another holds the
 * dedupe_key of the task that is to be made; none where nothing does. It is judged by what is so now.
 */
export const waitsFor = traced("WorkflowWait.waitsFor")(function* (workflow: Workflow) {
  if (workflow.status !== "active") return Option.none<WaitsFor>()
  const store = yield* Store
  const own = yield* store.workflows.unfinishedTask(workflow.id, workflow.currentState)
  return Option.isSome(own) ? yield* answerTo(own.value) : yield* keyOf(workflow)
})

const answerTo = (taskId: TaskId) =>
  Effect.gen(function* () {
    const store = yield* Store
    const open = Option.filter(yield* store.questions.lastOf(taskId), isOpen)
    return Option.map(
      open,
      ({ expiresAt, text }): WaitsFor => ({
        taskId,
        dedupeKey: Option.none(),
        question: Option.some(text),
        until: expiresAt
      })
    )
  })

/** Whoever evaluates idle workflows makes the task once the key is free. */
const keyOf = (workflow: Workflow) =>
  Effect.gen(function* () {
    const { workflows } = yield* RuntimeConfig
    const template = templateOf(workflow.template, workflows)
    // Few templates name a key: of all others this is known without asking.
    if (
      Option.isNone(template) ||
      stateOf(template.value, workflow.currentState)?.task?.dedupe_key === undefined
    )
      return Option.none<WaitsFor>()
    const context = resumed(template.value, workflow, {})
    const wanted = Option.flatten(Option.getRight(taskOf(template.value, { ...workflow, context })))
    const given = Option.flatMapNullable(wanted, ({ dedupe_key }) => dedupe_key)
    if (Option.isNone(given) || typeof given.value !== "string") return Option.none<WaitsFor>()
    const store = yield* Store
    const { text } = yield* secretsMasked
    const dedupeKey = text(given.value)
    return Option.map(
      yield* store.tasks.holderOf(dedupeKey),
      (taskId): WaitsFor => ({
        taskId,
        dedupeKey: Option.some(dedupeKey),
        question: Option.none(),
        until: Option.none()
      })
    )
  })
