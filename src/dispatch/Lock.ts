import { Context, type DateTime, Effect, Option, Schema } from "effect"
import { RunnerId } from "../domain/Ids.ts"

/** Who holds a lock. `runnerId` is none when the lock file does not tell (garbage in it harms nobody). */
export interface Holder {
  readonly runnerId: Option.Option<RunnerId>
  readonly since: Option.Option<DateTime.Utc>
}

/** Another process holds the lock. */
export class LockHeld extends Schema.TaggedError<LockHeld>()("LockHeld", {
  path: Schema.String,
  runnerId: Schema.OptionFromSelf(RunnerId)
}) {}

/** The lock file cannot be used at all: `reason` says why, `remedy` what to do. Exit code 3. */
export class LockUnusable extends Schema.TaggedError<LockUnusable>()("LockUnusable", {
  path: Schema.String,
  reason: Schema.String,
  remedy: Schema.String,
  /** What lies there is no lock, so that nobody holds it. */
  isForeign: Schema.optionalWith(Schema.Boolean, { default: () => false })
}) {}

/**
 * At most one holder per lock path. The kernel holds it: it is free the moment its holder dies, and nobody
 * has to judge whether a holder is alive.
 */
export class Lock extends Context.Tag("agent-runtime/Lock")<
  Lock,
  {
    /**
     * Runs a program while the lock is held; LockHeld at once when another process has it. A lock file that is removed
     * or replaced meanwhile is made and locked anew within seconds; where another process was quicker the program is
     * interrupted, and when it has ended that is LockUnusable.
     */
    readonly hold: (
      path: string,
      runnerId: RunnerId
    ) => <A, E, R>(program: Effect.Effect<A, E, R>) => Effect.Effect<A, E | LockHeld | LockUnusable, R>
    /** Who holds it now; none when it is free. Never takes it, not even for a moment. */
    readonly holder: (path: string) => Effect.Effect<Option.Option<Holder>, LockUnusable>
  }
>() {}

/**
 * Who holds a lock, for those that tell of it: what lies in its place and is no lock is held by nobody, and keeps nobody
 * from reading.
 */
export const holderOf = (path: string) =>
  Effect.flatMap(Lock, (lock) => lock.holder(path)).pipe(
    Effect.catchIf(
      ({ isForeign }) => isForeign,
      () => Effect.succeedNone
    )
  )

/** What is to be done where the lock of a dispatcher cannot be looked at, of a task of its or of any. */
export const unseenRemedy = (taskId = "TASK_ID"): string =>
  `agent-runtime run-once as a user that can read that file puts back what a dead one left, and agent-runtime task-cancel ${taskId} --force ends it`

export const unknownHolder: Holder = { runnerId: Option.none(), since: Option.none() }
