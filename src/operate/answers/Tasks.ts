import { Schema } from "effect"
import { Attempt, ExitStatus } from "../../domain/Attempt.ts"
import { AttemptId, TaskId } from "../../domain/Ids.ts"
import { RunEvent } from "../../domain/RunEvent.ts"
import { Task, TaskStatus } from "../../domain/Task.ts"
import { Time } from "../../domain/Time.ts"
import { Usage } from "../../domain/Usage.ts"
import { nullable, wireStruct } from "../../domain/Wire.ts"
import { Waiting } from "./Waiting.ts"

/** Stands where a page ended because 10,000 rows had been read, not because it was full: `next` goes on from there. */
const partial = Schema.optional(Schema.Literal(true))

/** Tasks, newest first, a page at a time. */
export const TaskList = wireStruct({
  tasks: Schema.Array(Task),
  next: nullable(Schema.String),
  partial
}).annotations({ identifier: "TaskList" })

/** A task as a list shows it: a payload beyond 2 KiB is shortened, and what its outcome says stands beside it. */
export const TaskRow = Schema.extend(
  Task,
  wireStruct({ operatorSummary: nullable(Schema.String), machineStatus: nullable(Schema.String) })
)
export type TaskRow = typeof TaskRow.Type

/** A page of tasks, in the order of their list. */
export const TaskPage = wireStruct({
  tasks: Schema.Array(TaskRow),
  next: nullable(Schema.String),
  partial
}).annotations({ identifier: "TaskPage" })

/** A page of tasks that have ended, each with what its last attempt used; null where it has none. */
export const EndedPage = wireStruct({
  tasks: Schema.Array(Schema.extend(TaskRow, wireStruct({ usage: nullable(Usage) }))),
  next: nullable(Schema.String)
}).annotations({ identifier: "EndedPage" })

/** What those that would be taken first wait for; one that waits for nothing any more is left out. */
export const QueueReasons = wireStruct({
  reasons: Schema.Array(wireStruct({ taskId: TaskId, waiting: Waiting }))
}).annotations({ identifier: "QueueReasons" })

/** The task that a message of an operator became. */
export const QueuedMessage = wireStruct({
  ok: Schema.Literal(true),
  taskId: TaskId,
  kind: Schema.String,
  source: Schema.String
}).annotations({ identifier: "QueuedMessage" })

/**
 * One run of a bundle, as it is compared with another of the same: what ran it, what it came to and what it
 * took. `ofAttemptId` is the attempt whose bundle it runs; null for the first run. A replay that has not
 * started has no attempt; `status` is always the task's.
 */
export const Run = wireStruct({
  taskId: TaskId,
  attemptId: nullable(AttemptId),
  ofAttemptId: nullable(Schema.String),
  adapterId: nullable(Schema.String),
  model: nullable(Schema.String),
  status: TaskStatus,
  exitStatus: nullable(ExitStatus),
  reason: nullable(Schema.String),
  bundleHash: nullable(Schema.String),
  usage: nullable(Usage),
  durationMs: nullable(Schema.Int),
  operatorSummary: nullable(Schema.String)
}).annotations({ identifier: "Run" })
export type Run = typeof Run.Type

const ArtifactShown = wireStruct({
  path: Schema.String,
  exists: Schema.Boolean,
  size: nullable(Schema.Int)
})

/** The whole story of one task. */
export const TaskStory = wireStruct({
  task: Task,
  attempts: Schema.Array(Attempt),
  events: Schema.Array(RunEvent),
  artifacts: Schema.Array(ArtifactShown),
  children: Schema.Array(Task),
  waiting: nullable(Waiting),
  replayOf: nullable(Run),
  replays: Schema.Array(Run)
}).annotations({ identifier: "TaskStory" })

/** What a move of one task came to: the status that it has now, or `cancel_requested`. */
export const MovedTask = Schema.Struct({ ok: Schema.Boolean, task_id: TaskId, status: Schema.String })

/** The task that runs a bundle again. */
export const ReplayedTask = wireStruct({
  ok: Schema.Boolean,
  taskId: TaskId,
  status: TaskStatus
}).annotations({ identifier: "ReplayedTask" })

/** `queued` is false when an unfinished task with the same dedupe key is there already. */
export const QueuedTask = wireStruct({
  queued: Schema.Boolean,
  taskId: TaskId,
  profile: Schema.String,
  availableAt: Time
}).annotations({ identifier: "QueuedTask" })
