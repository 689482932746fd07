import { Effect, Schedule } from "effect"
import { StoreUnavailable } from "../store/StoreError.ts"
import { errorOf, finish, type Ran } from "./Finish.ts"
import type { handOver } from "./HandOver.ts"

/** How the end of an attempt gets into the store. */
export interface Recording {
  readonly end: ReturnType<typeof handOver>
  /** When it is tried again while the store cannot be written. */
  readonly patience: Schedule.Schedule<unknown>
}

/**
 * A store that cannot be written now may be writable later: an attempt's end is not given up for that, unless the store
 * is lost.
 */
export const untilWritable = Schedule.exponential("200 millis", 2).pipe(
  Schedule.either(Schedule.spaced("10 seconds")),
  Schedule.whileInput((error: unknown) => !(error instanceof StoreUnavailable && error.isLost))
)

/** So long a single cycle holds on to what it could not record; whoever began it waits for its end. */
const HOLDS_ON = "1 minute"

/** How a single cycle records: as long as it may become possible, but not beyond its being told to end. */
export const holdingOn = (isStopped: Effect.Effect<boolean>): Recording => ({
  end: finish,
  patience: untilWritable.pipe(
    Schedule.upTo(HOLDS_ON),
    Schedule.whileInputEffect(() => Effect.negate(isStopped))
  )
})

/**
 * Records what an attempt came to; while the store cannot be written it is tried again. An end that a sound store
 * refuses dies: it would be refused each time.
 */
export const recorded = (ran: Ran, { end, patience }: Recording) =>
  end(ran).pipe(
    Effect.tapErrorTag("StoreUnavailable", ({ reason }) =>
      Effect.logWarning(`The attempt's end could not be recorded: ${reason}`)
    ),
    Effect.retry({ schedule: patience, while: ({ isFault }) => !isFault }),
    // What would be refused each time must not leave the task running: it ends by that fault.
    Effect.catchIf(
      ({ isFault }) => isFault,
      ({ reason }) => Effect.die(new Error(reason))
    ),
    Effect.mapError((error) => unrecorded(ran, error))
  )

const unrecorded = ({ claimed, verdict }: Ran, error: StoreUnavailable): StoreUnavailable => {
  const { attemptId, taskId } = claimed.attempt
  return new StoreUnavailable({
    ...error,
    reason: `${error.reason}; attempt ${attemptId} of task ${taskId} has ended and that is not on record (${errorOf(verdict)})`,
    remedy: `what it did is done, its evidence lies in adapter-runs/${taskId}/${attemptId} below artifactDir: mend the store first; the next dispatcher runs the task again, unless agent-runtime task-cancel ${taskId} --force comes before`
  })
}
