import { DateTime, Option } from "effect"
import { type JsonObject, objectOf } from "../domain/Json.ts"

/** A workflow as a snapshot has it. */
export interface RecordedWorkflow {
  readonly id: Option.Option<number>
  readonly template: Option.Option<string>
  readonly instanceKey: string
  readonly state: Option.Option<string>
  readonly status: "active" | "stalled" | "completed"
  readonly createdAt: Option.Option<DateTime.Utc>
  readonly completedAt: Option.Option<DateTime.Utc>
}

/** What a report reads of a snapshot. Files of other makers may lie there: what they lack is none. */
export interface RecordedSnapshot {
  readonly capturedAt: Option.Option<DateTime.Utc>
  readonly runtimeState: Option.Option<string>
  readonly count: (status: string) => Option.Option<number>
  readonly queued: Option.Option<number>
  readonly workflows: Option.Option<ReadonlyArray<RecordedWorkflow>>
  /** As it was counted; else as many as its list has, where that holds all. */
  readonly workflowCount: (status: RecordedWorkflow["status"]) => Option.Option<number>
  readonly blockedOrRetryable: ReadonlyArray<JsonObject>
  readonly artifactFiles: ReadonlyArray<string>
  /** Whether a list holds all there was. */
  readonly isWhole: (list: string) => boolean
}

/**
 * Whether a JSON object tells anything that a snapshot tells. Another maker's may lack much of it; one that has nothing
 * of it would be compared as a runtime in which nothing is.
 */
export const isSnapshot = (object: JsonObject): boolean =>
  Option.isSome(timeOf(object.captured_at)) ||
  Object.keys(objectOf(object.status)).length > 0 ||
  Object.keys(objectOf(object.workflow_counts)).length > 0 ||
  LISTS.some((list) => Option.isSome(listOf(object[list])))

const LISTS = [
  "workflows",
  "active_workflows",
  "queued_tasks",
  "blocked_or_retryable_tasks",
  "recent_completed",
  "artifact_files"
]

/** Reads a snapshot, whoever made it. */
export const recorded = (snapshot: JsonObject): RecordedSnapshot => {
  const status = objectOf(snapshot.status)
  const counts = objectOf(status.counts)
  const queuedTasks = listOf(snapshot.queued_tasks)
  const cut = Option.getOrElse(listOf(snapshot.truncated), () => []).map((one) => objectOf(one).list)
  const isWhole = (list: string) => !cut.includes(list)
  const workflows = Option.map(listOf(snapshot.workflows), (all) => all.map(objectOf).flatMap(workflowOf))
  const workflowCounts = objectOf(snapshot.workflow_counts)
  return {
    capturedAt: timeOf(snapshot.captured_at),
    runtimeState: textOf(status.runtime_state),
    count: (name) => numberOf(counts[name]),
    queued: Option.orElse(numberOf(counts.queued), () => Option.map(queuedTasks, (all) => all.length)),
    workflows,
    workflowCount: (status) =>
      Option.orElse(numberOf(workflowCounts[status]), () =>
        Option.map(
          Option.filter(workflows, () => isWhole("workflows")),
          (all) => all.filter((one) => one.status === status).length
        )
      ),
    blockedOrRetryable: Option.getOrElse(listOf(snapshot.blocked_or_retryable_tasks), () =>
      Option.getOrElse(queuedTasks, () => [])
    )
      .map(objectOf)
      .filter(({ status: word }) => word === "blocked" || word === "retryable_failure"),
    artifactFiles: Option.getOrElse(listOf(snapshot.artifact_files), () => []).flatMap((file) =>
      Option.toArray(Option.orElse(textOf(file), () => textOf(objectOf(file).path)))
    ),
    isWhole
  }
}

const workflowOf = (row: JsonObject): ReadonlyArray<RecordedWorkflow> => {
  const id = numberOf(row.id)
  const key = Option.orElse(textOf(row.instance_key), () => Option.map(id, String))
  const isOver = row.status === "completed" || Option.isSome(textOf(row.completed_at))
  return Option.toArray(key).map((instanceKey) => ({
    id,
    template: textOf(row.template),
    instanceKey,
    state: textOf(row.current_state),
    status: isOver ? "completed" : row.status === "stalled" ? "stalled" : "active",
    createdAt: timeOf(row.created_at),
    completedAt: timeOf(row.completed_at)
  }))
}

const listOf = (value: unknown): Option.Option<ReadonlyArray<unknown>> =>
  Array.isArray(value) ? Option.some(value) : Option.none()
const textOf = (value: unknown): Option.Option<string> =>
  typeof value === "string" ? Option.some(value) : Option.none()
const numberOf = (value: unknown): Option.Option<number> =>
  typeof value === "number" && Number.isFinite(value) ? Option.some(value) : Option.none()
const timeOf = (value: unknown): Option.Option<DateTime.Utc> =>
  Option.map(Option.flatMap(textOf(value), DateTime.make), DateTime.toUtc)
