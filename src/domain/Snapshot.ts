import { DateTime, Option, Schema } from "effect"
import { TaskId, WorkflowId } from "./Ids.ts"
import { JsonObject } from "./Json.ts"
import { TaskStatus } from "./Task.ts"
import { Time } from "./Time.ts"
import { nullable, wireStruct } from "./Wire.ts"
import { WorkflowStatus } from "./Workflow.ts"

/** A task as a snapshot keeps it: what it was about, without what it carried. */
export const SnapshotTask = wireStruct({
  taskId: TaskId,
  kind: Schema.String,
  source: Schema.String,
  subject: nullable(Schema.String),
  priority: Schema.Int,
  status: TaskStatus,
  attemptCount: Schema.Int,
  workflowId: nullable(WorkflowId),
  createdAt: Time,
  updatedAt: Time,
  availableAt: Time,
  finishedAt: nullable(Time),
  operatorSummary: nullable(Schema.String)
})
export type SnapshotTask = typeof SnapshotTask.Type

/** A workflow as a snapshot keeps it: where it stood, without its context. */
export const SnapshotWorkflow = wireStruct({
  id: WorkflowId,
  template: Schema.String,
  instanceKey: Schema.String,
  currentState: Schema.String,
  status: WorkflowStatus,
  stalledReason: nullable(Schema.String),
  createdAt: Time,
  updatedAt: Time,
  completedAt: nullable(Time)
})
export type SnapshotWorkflow = typeof SnapshotWorkflow.Type

/** A list of a snapshot that does not hold all there was; the total is null where it is not known. */
export const Truncated = wireStruct({
  list: Schema.String,
  shown: Schema.Int,
  total: nullable(Schema.Int)
})
export type Truncated = typeof Truncated.Type

/** A captured state of the runtime (SPEC.md section 17). */
export const Snapshot = wireStruct({
  capturedAt: Time,
  label: Schema.String,
  runtimeName: Schema.String,
  /** What `status` answered. */
  status: JsonObject,
  /** Exact, also where the lists are cut. */
  workflowCounts: wireStruct({ active: Schema.Int, stalled: Schema.Int, completed: Schema.Int }),
  workflows: Schema.Array(SnapshotWorkflow),
  activeWorkflows: Schema.Array(SnapshotWorkflow),
  queuedTasks: Schema.Array(SnapshotTask),
  blockedOrRetryableTasks: Schema.Array(SnapshotTask),
  recentCompleted: Schema.Array(SnapshotTask),
  /** Below the artifact root, outside the runtime's own folders. */
  artifactFiles: Schema.Array(Schema.String),
  truncated: Schema.Array(Truncated)
}).annotations({ identifier: "Snapshot" })
export type Snapshot = typeof Snapshot.Type

/** The part of a snapshot's file name that its maker chooses. */
export const SnapshotLabel = Schema.String.pipe(
  Schema.filter((label) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(label), {
    description: "1 to 100 letters, digits, dots, hyphens and underscores, a letter or digit first",
    jsonSchema: { pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$" }
  })
)

/** `<time>-<label>.json`: a name that sorts as the time does. */
export const snapshotName = (capturedAt: DateTime.Utc, label: string): string =>
  `${DateTime.formatIso(capturedAt).replace(/[:.]/g, "-")}-${label}.json`

const NAME = /^(\d{4}-\d\d-\d\d)T(\d\d)[-:](\d\d)[-:](\d\d)[-.](\d{3})Z(?:-(.+))?\.json$/

/** What a snapshot's name tells; none of what it does not. */
export const ofSnapshotName = (
  name: string
): { readonly capturedAt: Option.Option<DateTime.Utc>; readonly label: Option.Option<string> } => {
  const [, day, hour, minute, second, millis, label] = NAME.exec(name.slice(name.lastIndexOf("/") + 1)) ?? []
  return {
    capturedAt: DateTime.make(`${day}T${hour}:${minute}:${second}.${millis}Z`).pipe(
      Option.map(DateTime.toUtc)
    ),
    label: Option.fromNullable(label)
  }
}

/** A snapshot's file; `name` is below the folder of snapshots, `path` below the artifact root. */
export const SnapshotFile = wireStruct({
  name: Schema.String,
  path: Schema.String,
  capturedAt: nullable(Time),
  label: nullable(Schema.String)
}).annotations({ identifier: "SnapshotFile" })
export type SnapshotFile = typeof SnapshotFile.Type

const Delta = wireStruct({
  before: nullable(Schema.Number),
  after: nullable(Schema.Number),
  delta: nullable(Schema.Number)
})
/** A figure of two snapshots; null what one of them does not tell. */
export type Delta = typeof Delta.Type

const named = {
  id: nullable(Schema.Number),
  template: nullable(Schema.String),
  instanceKey: Schema.String
}
const Change = wireStruct({ ...named, from: nullable(Schema.String), to: nullable(Schema.String) })

/** The difference of two snapshots (SPEC.md section 17). */
export const Report = wireStruct({
  before: SnapshotFile,
  after: SnapshotFile,
  completedTaskDelta: Delta,
  queuedTaskDelta: Delta,
  newArtifactsCreated: Schema.Array(Schema.String),
  workflowCounts: wireStruct({ total: Delta, active: Delta, stalled: Delta, completed: Delta }),
  workflowStateChanges: wireStruct({
    new: Schema.Array(wireStruct({ ...named, state: nullable(Schema.String) })),
    advanced: Schema.Array(Change),
    completed: Schema.Array(Change)
  }),
  /** As the later snapshot has them. */
  blockedOrRetryableTasks: Schema.Array(JsonObject),
  /** Whether nothing was left to do in the end; null where the later snapshot does not tell. */
  endedIdle: nullable(Schema.Boolean),
  /** The lists that one of the two does not hold in full: what the report tells of them may not be all. */
  partial: Schema.Array(Schema.String)
}).annotations({ identifier: "Report" })
export type Report = typeof Report.Type
