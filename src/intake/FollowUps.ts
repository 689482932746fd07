import { type DateTime, Effect, Either, Option } from "effect"
import { sentence } from "../config/Issues.ts"
import { RuntimeConfig, type Settings } from "../config/RuntimeConfig.ts"
import type { Stamp } from "../domain/Actor.ts"
import { type AttemptId, IdSource, TaskId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { Profile } from "../domain/Profile.ts"
import { DEFAULT_PRIORITY, type Intent, type NewTask, type Round, type Task } from "../domain/Task.ts"
import { now } from "../domain/Time.ts"
import { Store } from "../store/Store.ts"
import { dueAt, readIntent } from "./Enqueue.ts"

// The bounds of SPEC.md section 3.
const MOST_OF_ONE_OUTCOME = 20
const MOST_GENERATIONS = 5
const MOST_UNFINISHED_DESCENDANTS = 100

/** The task that asks for follow-ups, and what it ran with. */
export interface Parent {
  readonly task: Task
  readonly round: Round
  readonly profile: Profile
  readonly adapterId: string
}

/** A follow-up that may be made, or why not. */
export type Planned = Either.Either<NewTask, { readonly asked: JsonObject; readonly why: string }>

const mayUse = (asked: string | undefined, own: string, byDefault: string): boolean =>
  asked === undefined || asked === own || asked === byDefault

const objection = (intent: Intent, index: number, parent: Parent, settings: Settings): string | undefined => {
  if (!parent.profile.resultSchema.allowFollowUpTasks) return "the profile does not allow follow-up tasks"
  if (index >= MOST_OF_ONE_OUTCOME) return `one outcome makes at most ${MOST_OF_ONE_OUTCOME}`
  if (parent.round.generation >= MOST_GENERATIONS)
    return `at most ${MOST_GENERATIONS} generations follow each other`
  // A model cannot promote itself to another profile or adapter.
  if (!mayUse(intent.requestedProfile, parent.profile.profileId, settings.defaultProfile))
    return `profile ${intent.requestedProfile} is neither the parent's nor the default`
  if (!mayUse(intent.requestedAdapter, parent.adapterId, settings.defaultAdapter))
    return `adapter ${intent.requestedAdapter} is neither the parent's nor the default`
  return undefined
}

const newTask = (
  taskId: TaskId,
  intent: Intent,
  parent: Parent,
  settings: Settings,
  at: DateTime.Utc
): NewTask => ({
  taskId,
  intent,
  priority: intent.priority ?? DEFAULT_PRIORITY,
  maxAttempts: intent.maxAttempts ?? settings.maxAttempts,
  availableAt: dueAt(intent, at),
  untrusted: parent.task.untrusted,
  parent: Option.some({
    taskId: parent.task.taskId,
    rootTaskId: Option.getOrElse(parent.round.rootTaskId, () => parent.task.taskId),
    generation: parent.round.generation
  }),
  workflow: Option.none(),
  replayOf: Option.none(),
  traceParent: parent.round.traceParent,
  createdBy: { surface: "dispatch", name: `task:${parent.task.taskId}` }
})

/** Reads what an outcome asks for and judges each by what can be known before the transaction. */
export const plan = Effect.fn("FollowUps.plan")(function* (asked: ReadonlyArray<JsonObject>, parent: Parent) {
  const settings = yield* RuntimeConfig
  const ids = yield* IdSource
  const at = yield* now
  return yield* Effect.forEach(asked, (one, index) =>
    Effect.gen(function* () {
      const read = yield* Effect.either(readIntent({ source: `task:${parent.task.taskId}`, ...one }))
      if (Either.isLeft(read))
        return Either.left({ asked: one, why: read.left.problems.map(sentence).join("; ") }) satisfies Planned
      const why = objection(read.right, index, parent, settings)
      if (why !== undefined) return Either.left({ asked: one, why }) satisfies Planned
      const taskId = TaskId.make(yield* ids.next)
      return Either.right(newTask(taskId, read.right, parent, settings, at)) satisfies Planned
    })
  )
})

const isSame = (child: Task, planned: NewTask): boolean =>
  child.kind === planned.intent.kind &&
  child.source === planned.intent.source &&
  Option.getOrUndefined(child.subject) === planned.intent.subject &&
  JSON.stringify(child.payload) === JSON.stringify(planned.intent.payload)

/**
 * Makes the planned follow-ups inside the caller's transaction. What is refused, or was made in an earlier
 * round of the parent, is told as an event.
 */
export const create = Effect.fn("FollowUps.create")(function* (
  planned: ReadonlyArray<Planned>,
  parent: Parent,
  attemptId: AttemptId,
  stamp: Stamp
) {
  if (planned.length === 0) return
  const store = yield* Store
  const root = Option.getOrElse(parent.round.rootTaskId, () => parent.task.taskId)
  const made = yield* store.tasks.children(parent.task.taskId, 1_000)
  let unfinished = yield* store.tasks.unfinishedDescendants(root)
  const tell = (type: "follow_up_created" | "follow_up_refused", detail: JsonObject) =>
    store.events.append(
      { type, taskId: Option.some(parent.task.taskId), attemptId: Option.some(attemptId), detail },
      stamp
    )
  for (const one of planned) {
    if (Either.isLeft(one)) yield* tell("follow_up_refused", { reason: one.left.why, asked: one.left.asked })
    else if (made.some((child) => isSame(child, one.right)))
      yield* tell("follow_up_refused", {
        reason: "it was made in an earlier round",
        kind: one.right.intent.kind
      })
    else if (unfinished >= MOST_UNFINISHED_DESCENDANTS)
      yield* tell("follow_up_refused", {
        reason: `task ${root} has ${MOST_UNFINISHED_DESCENDANTS} unfinished descendants`,
        kind: one.right.intent.kind
      })
    else {
      const { created, task } = yield* store.tasks.add(one.right, stamp)
      unfinished += created ? 1 : 0
      yield* tell("follow_up_created", { follow_up_task_id: task.taskId, created })
    }
  }
})
