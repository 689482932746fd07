import { Effect, Either, Option } from "effect"
import { intendedOf } from "../config/Intended.ts"
import { sentence } from "../config/Issues.ts"
import { RuntimeConfig, type Settings } from "../config/RuntimeConfig.ts"
import type { Stamp } from "../domain/Actor.ts"
import type { AttemptId } from "../domain/Ids.ts"
import { isSameJson, type JsonObject } from "../domain/Json.ts"
import type { Profile } from "../domain/Profile.ts"
import type { Intent, NewTask, Round, Task } from "../domain/Task.ts"
import { traced } from "../domain/Traced.ts"
import { Store } from "../store/Store.ts"
import { type Door, readIntent, toTask } from "./Enqueue.ts"
import { isOneTooMany } from "./OperatorLimit.ts"

// The bounds of SPEC.md section 3.
const MOST_OF_ONE_OUTCOME = 20
const MOST_GENERATIONS = 5
const MOST_UNFINISHED_DESCENDANTS = 100

/** The task that asks for follow-ups, and what it ran with. */
export interface Parent {
  readonly task: Task
  readonly round: Round
  readonly attemptId: AttemptId
  readonly profile: Profile
  readonly adapterId: string
}

/** A follow-up that may be made, or why not, as the event tells it. */
export type Planned = Either.Either<NewTask, JsonObject>

/**
 * Reads what an outcome asks for and judges each by what can be known before the transaction. What is beyond
 * the most of one outcome is refused as one, however much it is.
 */
export const plan = traced("FollowUps.plan")(function* (asked: ReadonlyArray<JsonObject>, parent: Parent) {
  const planned = yield* Effect.forEach(asked.slice(0, MOST_OF_ONE_OUTCOME), (one) => planOne(one, parent))
  const beyond = asked.length - MOST_OF_ONE_OUTCOME
  if (beyond <= 0) return planned
  const reason = `one outcome makes at most ${MOST_OF_ONE_OUTCOME}, this one asked for ${asked.length}`
  return [...planned, Either.left<JsonObject>({ reason, dropped: beyond })]
})

const planOne = (asked: JsonObject, parent: Parent) =>
  Effect.gen(function* () {
    const settings = yield* RuntimeConfig
    const read = yield* Effect.either(readIntent({ source: `task:${parent.task.taskId}`, ...asked }))
    if (Either.isLeft(read))
      return Either.left({ reason: read.left.problems.map(sentence).join("; "), asked }) satisfies Planned
    const reason = objection(read.right, parent, settings)
    if (reason !== undefined) return Either.left({ reason, asked }) satisfies Planned
    const task = yield* toTask(confined(read.right, parent, settings), doorOf(parent))
    return Either.right(task) satisfies Planned
  })

const objection = (intent: Intent, parent: Parent, settings: Settings): string | undefined => {
  if (Option.isSome(parent.round.replayOf)) return "a replay makes no follow-up tasks, its first run did"
  if (!parent.profile.resultSchema.allowFollowUpTasks) return "the profile does not allow follow-up tasks"
  if (parent.round.generation >= MOST_GENERATIONS)
    return `at most ${MOST_GENERATIONS} generations follow each other`
  // A model cannot promote itself to another profile, adapter or model.
  const { requestedAdapter, requestedModel, requestedProfile } = intent
  if (requestedProfile !== undefined && !profilesFor(parent, settings).includes(requestedProfile))
    return `profile ${requestedProfile} is neither the parent's nor the default`
  if (requestedAdapter !== undefined && !adaptersFor(parent, settings).includes(requestedAdapter))
    return `adapter ${requestedAdapter} is neither the parent's nor the default`
  if (requestedModel !== undefined && !Option.contains(parent.task.requestedModel, requestedModel))
    return `model ${requestedModel} is not the one that the parent requested`
  return undefined
}

const profilesFor = (parent: Parent, settings: Settings) => [
  parent.profile.profileId,
  settings.defaultProfile
]

const adaptersFor = (parent: Parent, settings: Settings) => [
  parent.adapterId,
  settings.defaultAdapter,
  intendedOf({ profile: Option.none(), adapter: Option.none() }, settings)
]

/** A profile whose own default adapter is neither of those that are allowed runs on the parent's. */
const confined = (intent: Intent, parent: Parent, settings: Settings): Intent => {
  const profile = Option.fromNullable(intent.requestedProfile)
  const adapter = Option.fromNullable(intent.requestedAdapter)
  return adaptersFor(parent, settings).includes(intendedOf({ profile, adapter }, settings))
    ? intent
    : { ...intent, requestedAdapter: parent.adapterId }
}

const rootOf = ({ round, task }: Parent) => Option.getOrElse(round.rootTaskId, () => task.taskId)

const doorOf = (parent: Parent): Door => ({
  actor: { surface: "dispatch", name: `task:${parent.task.taskId}` },
  untrusted: parent.task.untrusted,
  parent: Option.some({
    taskId: parent.task.taskId,
    rootTaskId: rootOf(parent),
    generation: parent.round.generation
  }),
  traceParent: parent.round.traceParent
})

/** A parent has at most 20 children of a round: these are those of its first 50 rounds. */
const MOST_CHILDREN = 1_000

/**
 * Makes the planned follow-ups inside the caller's transaction. What is refused, or was made in an earlier
 * round of the parent, is told as an event.
 */
export const create = traced("FollowUps.create")(function* (
  planned: ReadonlyArray<Planned>,
  parent: Parent,
  stamp: Stamp
) {
  if (planned.length === 0) return
  const store = yield* Store
  const { attemptId, task } = parent
  const root = rootOf(parent)
  const made = yield* store.tasks.children(task.taskId, MOST_CHILDREN)
  let unfinished = yield* store.tasks.unfinishedDescendants(root)
  const tell = (type: "follow_up_created" | "follow_up_refused", detail: JsonObject) =>
    store.events.append(
      { type, taskId: Option.some(task.taskId), attemptId: Option.some(attemptId), detail },
      stamp
    )
  for (const one of planned) {
    if (Either.isLeft(one)) {
      yield* tell("follow_up_refused", one.left)
      continue
    }
    const { intent } = one.right
    const refused = (reason: string) => tell("follow_up_refused", { reason, kind: intent.kind })
    const before = made.find((child) => isSame(child, intent))
    if (before !== undefined) yield* refused(`it was made before, as task ${before.taskId}`)
    else if (unfinished >= MOST_UNFINISHED_DESCENDANTS)
      yield* refused(`task ${root} has ${MOST_UNFINISHED_DESCENDANTS} unfinished descendants`)
    else if (yield* isOneTooMany(intent))
      yield* refused("too many tasks of operators are not finished, of which it would be one")
    else {
      const added = yield* store.tasks.add(one.right, stamp)
      unfinished += added.created ? 1 : 0
      if (added.created) yield* tell("follow_up_created", { follow_up_task_id: added.task.taskId })
      else yield* refused(`task ${added.task.taskId}, which is not finished, holds its dedupe key`)
    }
  }
})

const isSame = (child: Task, intent: Intent): boolean =>
  child.kind === intent.kind &&
  child.source === intent.source &&
  Option.getOrUndefined(child.subject) === intent.subject &&
  isSameJson(child.payload, intent.payload)
