import type { Effect, Option } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import type { TaskId, WorkflowId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { RunEvent } from "../domain/RunEvent.ts"
import type { Workflow, WorkflowStatus } from "../domain/Workflow.ts"
import type { StoreUnavailable } from "./StoreError.ts"

export interface NewWorkflow {
  readonly template: string
  readonly instanceKey: string
  readonly state: string
  readonly context: JsonObject
}

/** An instance with how many fresh rounds the tasks of its present state have had. */
export interface WorkflowRow {
  readonly workflow: Workflow
  readonly retries: number
  /** Opened by what came from outside: its tasks carry that on. */
  readonly untrusted: boolean
  /** What does not decode of its row; then `workflow` holds only what could be read. */
  readonly damage: Option.Option<string>
}

export interface WorkflowPage {
  readonly workflows: ReadonlyArray<Workflow>
  /** Opaque; none on the last page. */
  readonly next: Option.Option<string>
}

/** A move that is written only while the workflow is still in the state that it was decided for. */
export interface WorkflowMove {
  readonly id: WorkflowId
  readonly from: string
  readonly to: string
  /** None leaves it as it is. */
  readonly context: Option.Option<JsonObject>
  /** The signal that was taken; none for a completion without one. */
  readonly signal: Option.Option<string>
}

/** Workflow instances and their moves; each move writes its event in the same transaction. */
export interface Workflows {
  /** Opens an instance; while its key is taken, the one that has it is answered and none is made. */
  readonly open: (
    workflow: NewWorkflow,
    stamp: Stamp
  ) => Effect.Effect<{ readonly created: boolean; readonly workflow: Workflow }, StoreUnavailable>
  /** None when there is none of that id. */
  readonly find: (id: WorkflowId) => Effect.Effect<Option.Option<WorkflowRow>, StoreUnavailable>
  /** None when no instance has that key. */
  readonly findByKey: (instanceKey: string) => Effect.Effect<Option.Option<WorkflowRow>, StoreUnavailable>
  /**
   * Those of some statuses as one list, newest first. `limit` 1..500; a cursor that this store did not give answers
   * none.
   */
  readonly list: (page: {
    readonly status: ReadonlyArray<WorkflowStatus>
    readonly limit: number
    readonly after: Option.Option<string>
  }) => Effect.Effect<Option.Option<WorkflowPage>, StoreUnavailable>
  /** Completed ones, those first that were completed last; paged as `list` is. */
  readonly completed: (page: {
    readonly limit: number
    readonly after: Option.Option<string>
  }) => Effect.Effect<Option.Option<WorkflowPage>, StoreUnavailable>
  /** How many there are of each status. */
  readonly counts: Effect.Effect<Readonly<Record<WorkflowStatus, number>>, StoreUnavailable>
  /**
   * Active ones whose present state has no task that goes on by itself: none at all, or a blocked one. Looks at
   * no more than 1,000 active ones; where there are more, `turn` (a whole number from 0) chooses which.
   */
  readonly idle: (turn: number) => Effect.Effect<ReadonlyArray<WorkflowRow>, StoreUnavailable>
  /** The unfinished task of a workflow's state. */
  readonly unfinishedTask: (
    id: WorkflowId,
    state: string
  ) => Effect.Effect<Option.Option<TaskId>, StoreUnavailable>
  /** The newest task of a workflow's state, whatever its status; none when it never had one. */
  readonly lastTask: (id: WorkflowId, state: string) => Effect.Effect<Option.Option<TaskId>, StoreUnavailable>
  /** Whether the workflow has entered a state since that task was made: then it is not of its present visit. */
  readonly isOfEarlierVisit: (id: WorkflowId, taskId: TaskId) => Effect.Effect<boolean, StoreUnavailable>
  /** Into another state, active again if it was stalled; false when it is not in `from` any more. */
  readonly advance: (move: WorkflowMove, stamp: Stamp) => Effect.Effect<boolean, StoreUnavailable>
  /** Ends it in a state; false when it is not in `from` any more, or had ended before. */
  readonly complete: (move: WorkflowMove, stamp: Stamp) => Effect.Effect<boolean, StoreUnavailable>
  /** Stops it with a reason that operators see; a second reason replaces the first. */
  readonly stall: (id: WorkflowId, reason: string, stamp: Stamp) => Effect.Effect<void, StoreUnavailable>
  /** As `stall`, for a record that does not decode: it is set aside. */
  readonly quarantine: (
    id: WorkflowId,
    problem: string,
    stamp: Stamp
  ) => Effect.Effect<void, StoreUnavailable>
  /** A stalled one goes on in its state, its fresh rounds counted anew; nothing when it is not stalled. */
  readonly revive: (id: WorkflowId, stamp: Stamp) => Effect.Effect<void, StoreUnavailable>
  /** Counts a fresh round of the present state's task. */
  readonly retried: (id: WorkflowId, stamp: Stamp) => Effect.Effect<void, StoreUnavailable>
  /** Tells that a state's task was made. */
  readonly taskCreated: (
    id: WorkflowId,
    taskId: TaskId,
    state: string,
    stamp: Stamp
  ) => Effect.Effect<void, StoreUnavailable>
  /** Its events, oldest first, at most the newest `limit`. */
  readonly history: (
    id: WorkflowId,
    limit: number
  ) => Effect.Effect<ReadonlyArray<RunEvent>, StoreUnavailable>
}
