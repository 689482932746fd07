import { Context, type DateTime, type Effect, type Option } from "effect"
import type { TaskId } from "../domain/Ids.ts"
import type { StoreUnavailable } from "../store/StoreError.ts"

/** What one evaluation of the schedules did. */
export interface Tick {
  readonly schedulesEvaluated: number
  readonly taskIds: ReadonlyArray<TaskId>
}

/** Produces the tasks of recurring schedules. */
export class Scheduler extends Context.Tag("agent-runtime/Scheduler")<
  Scheduler,
  {
    /** Puts schedules right, then evaluates every one that is due at `at`; each creates at most one task, whatever was missed. */
    readonly tick: (at: DateTime.Utc) => Effect.Effect<Tick, StoreUnavailable>
    /** Puts schedules right that would stand still until a clock that was set back says again what it had said. */
    readonly putRight: Effect.Effect<void, StoreUnavailable>
    /** When the next schedule is due; none when there is none. */
    readonly nextDue: Effect.Effect<Option.Option<DateTime.Utc>, StoreUnavailable>
  }
>() {}
