import { DateTime, Duration, Effect, Option } from "effect"
import { secretsMasked } from "../artifact/KnownSecrets.ts"
import { intendedOf } from "../config/Intended.ts"
import { decodeWith, type Invalid } from "../config/Issues.ts"
import { RuntimeConfig, type Settings } from "../config/RuntimeConfig.ts"
import type { Actor } from "../domain/Actor.ts"
import { IdSource, TaskId } from "../domain/Ids.ts"
import { DEFAULT_PRIORITY, Intent, type NewTask } from "../domain/Task.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { addFromOutside } from "./OperatorLimit.ts"
import { withoutSecrets } from "./WithoutSecrets.ts"

/**
 * The door that an intent came through: who brought it and what follows from that. An intent's content
 * decides none of this.
 */
export interface Door {
  readonly actor: Actor
  readonly untrusted: boolean
  readonly parent?: NewTask["parent"]
  readonly workflow?: NewTask["workflow"]
  readonly replayOf?: NewTask["replayOf"]
  readonly traceParent?: NewTask["traceParent"]
}

const decodeFields = decodeWith(Intent, ({ available_at, schedule }) =>
  available_at === undefined || schedule === undefined
    ? []
    : [
        {
          kind: "rule",
          path: "schedule",
          found: "there is an available_at beside it",
          expected: "one of the two",
          remedy: "remove schedule or available_at"
        }
      ]
)

/** Reads an intent from outside; every problem at once, by its wire name. */
export const readIntent = (input: unknown): Effect.Effect<Intent, Invalid> =>
  Effect.suspend(() => decodeFields(input))

/** When an intent's task is due: as it says, after its delay, or now. */
const dueAt = (intent: Intent, at: DateTime.Utc): DateTime.Utc =>
  intent.availableAt ??
  (intent.schedule === undefined
    ? at
    : DateTime.addDuration(at, Duration.minutes(intent.schedule.delayMinutes)))

/** How many attempts a round has: as the intent says, else its adapter, else the configuration. */
const maxAttemptsOf = (intent: Intent, settings: Settings): number => {
  if (intent.maxAttempts !== undefined) return intent.maxAttempts
  const profile = Option.fromNullable(intent.requestedProfile)
  const adapter = Option.fromNullable(intent.requestedAdapter)
  return Option.fromNullable(settings.adapters.get(intendedOf({ profile, adapter }, settings))).pipe(
    Option.flatMap(({ retry }) => retry.maxAttempts),
    Option.getOrElse(() => settings.maxAttempts)
  )
}

/** The task that an intent becomes: what it leaves out is decided here, once, and stands in the record. */
export const toTask = traced("Enqueue.toTask")(function* (intent: Intent, door: Door) {
  const ids = yield* IdSource
  return yield* taskWith(intent, door, TaskId.make(yield* ids.next), yield* now)
})

/** As `toTask`, where id and time were taken before. */
export const taskWith = Effect.fnUntraced(function* (
  intent: Intent,
  door: Door,
  taskId: TaskId,
  at: DateTime.Utc
) {
  const settings = yield* RuntimeConfig
  return {
    taskId,
    intent: withoutSecrets(intent, yield* secretsMasked),
    priority: intent.priority ?? DEFAULT_PRIORITY,
    maxAttempts: maxAttemptsOf(intent, settings),
    availableAt: dueAt(intent, at),
    untrusted: door.untrusted,
    parent: door.parent ?? Option.none(),
    workflow: door.workflow ?? Option.none(),
    replayOf: door.replayOf ?? Option.none(),
    traceParent: door.traceParent ?? Option.none(),
    createdBy: door.actor
  } satisfies NewTask
})

/**
 * Makes a task of an intent: the one door to the queue. While another unfinished task holds its dedupe key
 * that one is answered and `created` is false. Fails where it is one of operators and one too many.
 */
export const enqueue = traced("Enqueue.enqueue")(function* (intent: Intent, door: Door) {
  const task = yield* toTask(intent, door)
  return yield* addFromOutside(task, { at: yield* now, actor: door.actor })
})

/** The profile that a task runs with. */
export const profileOf = (
  intent: Pick<Intent, "requestedProfile">,
  settings: { readonly defaultProfile: string }
): string => intent.requestedProfile ?? settings.defaultProfile
