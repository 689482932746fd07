import { Option } from "effect"
import { secretsMasked } from "../artifact/KnownSecrets.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { traced } from "../domain/Traced.ts"
import type { Workflow } from "../domain/Workflow.ts"
import { Store } from "../store/Store.ts"
import { stateOf, taskOf } from "../workflow/Machine.ts"
import { resumed, templateOf } from "../workflow/Templates.ts"

/**
 * The unfinished task that keeps the task of an active workflow's state from being made, and the dedupe_key that both
 * want; none where nothing does. It is judged by what is so now: whoever evaluates idle workflows makes the task once
 * the key is free.
 */
export const waitsFor = traced("WorkflowWait.waitsFor")(function* (workflow: Workflow) {
  const { currentState, id, status } = workflow
  if (status !== "active") return Option.none()
  const { workflows } = yield* RuntimeConfig
  const template = templateOf(workflow.template, workflows)
  // Few templates name a key: of all others this is known without asking.
  if (Option.isNone(template) || stateOf(template.value, currentState)?.task?.dedupe_key === undefined)
    return Option.none()
  const context = resumed(template.value, workflow, {})
  const wanted = Option.flatten(Option.getRight(taskOf(template.value, { ...workflow, context })))
  const given = Option.flatMapNullable(wanted, ({ dedupe_key }) => dedupe_key)
  if (Option.isNone(given) || typeof given.value !== "string") return Option.none()
  const store = yield* Store
  if (Option.isSome(yield* store.workflows.unfinishedTask(id, currentState))) return Option.none()
  const { text } = yield* secretsMasked
  const dedupeKey = text(given.value)
  return Option.map(yield* store.tasks.holderOf(dedupeKey), (taskId) => ({ taskId, dedupeKey }))
})
