import { Context, type Effect, type Option } from "effect"
import type { AttemptId } from "../domain/Ids.ts"

/** An attempt whose dispatcher is dead, and its direct child as far as it was written down. */
export interface Abandoned {
  readonly attemptId: AttemptId
  readonly pid: Option.Option<number>
  readonly startTime: Option.Option<string>
}

/** Ends the processes that a killed dispatcher left behind, before anything is claimed again. */
export class LeftOvers extends Context.Tag("agent-runtime/LeftOvers")<
  LeftOvers,
  {
    /**
     * Ends every process that can be shown to be the attempt's and answers when they are gone: an empty
     * list, also when nothing was left or it is called twice; else the survivors as `pid (command)`.
     * A pid that was given to another process meanwhile is left alone. Only for attempts whose runner is dead.
     */
    readonly sweep: (attempt: Abandoned) => Effect.Effect<ReadonlyArray<string>>
  }
>() {}
