import { Effect, Option, Schema } from "effect"
import { RuntimeConfig, type Settings } from "../config/RuntimeConfig.ts"
import type { Task, TaskStatus } from "../domain/Task.ts"
import { traced } from "../domain/Traced.ts"
import { wireStruct } from "../domain/Wire.ts"
import { UNENDED } from "../domain/WorkflowStatuses.ts"
import { Store } from "../store/Store.ts"
import { namesOf } from "../workflow/Templates.ts"
import type { CandidateKind } from "./CandidateKinds.ts"
import { operation } from "./Operation.ts"

/** More than a screen of them helps nobody who waits at a keyboard. */
const MOST = 50
/** The attempts of so many of the newest tasks are offered. */
const MOST_TASKS_OF_ATTEMPTS = 20

const Candidate = wireStruct({ value: Schema.String, about: Schema.String })
type Candidate = typeof Candidate.Type

const OPEN: ReadonlyArray<TaskStatus> = ["running", "blocked", "pending", "retryable_failure"]
const ENDED: ReadonlyArray<TaskStatus> = ["blocked", "permanent_failure", "operator_canceled", "completed"]

const aboutTask = (task: Task): string => `${task.status} ${Option.getOrElse(task.subject, () => task.kind)}`

const tasksOf = (store: Store["Type"], status: ReadonlyArray<TaskStatus>, limit = MOST) =>
  Effect.map(
    store.tasks.list(
      { status, kind: Option.none(), source: Option.none() },
      { limit, after: Option.none() },
      "none"
    ),
    Option.match({ onNone: () => [], onSome: ({ tasks }) => tasks })
  )

const taskCandidates = (store: Store["Type"], status: ReadonlyArray<TaskStatus>) =>
  Effect.map(tasksOf(store, status), (tasks) =>
    tasks.map((task): Candidate => ({ value: task.taskId, about: aboutTask(task) }))
  )

const attemptCandidates = (store: Store["Type"]) =>
  Effect.gen(function* () {
    const tasks = yield* tasksOf(store, [], MOST_TASKS_OF_ATTEMPTS)
    const attempts = yield* Effect.forEach(tasks, (task) =>
      Effect.map(store.attempts.ofTask(task.taskId), (all) =>
        all.map(
          (one): Candidate => ({ value: one.attemptId, about: `attempt ${one.number}: ${aboutTask(task)}` })
        )
      )
    )
    return attempts.flat().slice(0, MOST)
  })

const stored = (kind: CandidateKind, store: Store["Type"]) => {
  switch (kind) {
    case "tasks":
      return taskCandidates(store, [])
    case "open-tasks":
      return taskCandidates(store, OPEN)
    case "ended-tasks":
      return taskCandidates(store, ENDED)
    case "attempts":
      return attemptCandidates(store)
    case "questions":
      return Effect.map(
        store.questions.list({ limit: MOST, after: Option.none() }),
        Option.match({
          onNone: () => [],
          onSome: ({ questions }) =>
            questions.map((one): Candidate => ({ value: one.taskId, about: one.text }))
        })
      )
    case "messages":
      return Effect.map(
        store.outbox.list({ all: false, limit: MOST, after: Option.none() }),
        Option.match({
          onNone: () => [],
          onSome: ({ messages }) =>
            messages.map((one): Candidate => ({ value: one.id, about: `of task ${one.taskId}` }))
        })
      )
    case "schedules":
      return Effect.map(store.schedules.list, (all) =>
        all.map(({ enabled, name }): Candidate => ({ value: name, about: enabled ? "enabled" : "disabled" }))
      )
    case "workflow-ids":
    case "workflow-keys":
      return Effect.map(
        store.workflows.list({ status: UNENDED, limit: MOST, after: Option.none() }),
        Option.match({
          onNone: () => [],
          onSome: ({ workflows }) =>
            workflows.map(
              (one): Candidate => ({
                value: kind === "workflow-ids" ? String(one.id) : one.instanceKey,
                about: `${one.template} ${one.currentState} (${one.status})`
              })
            )
        })
      )
    default:
      return Effect.succeed<ReadonlyArray<Candidate>>([])
  }
}

const configured = (kind: CandidateKind, settings: Settings): ReadonlyArray<Candidate> => {
  switch (kind) {
    case "adapters":
      return [...settings.adapters.values()].map(({ id, mode }) => ({ value: id, about: mode }))
    case "profiles":
      return [...settings.profiles.values()].map(({ profileId, role }) => ({ value: profileId, about: role }))
    case "templates":
      return namesOf(settings.workflows).map((value) => ({ value, about: "" }))
    case "budgets":
      return settings.budgets.map(({ id, limit, unit }) => ({ value: id, about: `${limit} ${unit}` }))
    default:
      return []
  }
}

/** What exists now of a kind, at most 50, the newest first: for completions. Without a store, nothing of it. */
export const candidates = operation({
  name: "candidates.list",
  role: "read",
  output: wireStruct({ candidates: Schema.Array(Candidate) }),
  run: traced("Candidates.candidates")(function* (input: { readonly kind: CandidateKind }) {
    const settings = yield* RuntimeConfig
    const store = yield* Effect.serviceOption(Store)
    const known = Option.isNone(store) ? [] : yield* stored(input.kind, store.value)
    return { candidates: [...known, ...configured(input.kind, settings)].slice(0, MOST) }
  })
})
