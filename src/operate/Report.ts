import { DateTime, Number, Option } from "effect"
import type { Delta, Report } from "../domain/Snapshot.ts"
import type { RecordedSnapshot, RecordedWorkflow } from "./RecordedSnapshot.ts"

/** The difference of two snapshots, whatever each of them has; looks at nothing else. */
export const compare = (
  before: RecordedSnapshot,
  after: RecordedSnapshot
): Omit<Report, "before" | "after"> => ({
  completedTaskDelta: delta(before.count("completed"), after.count("completed")),
  queuedTaskDelta: delta(before.queued, after.queued),
  newArtifactsCreated: newFiles(before, after),
  workflowCounts: {
    total: counted(before, after, ["active", "stalled", "completed"]),
    active: counted(before, after, ["active"]),
    stalled: counted(before, after, ["stalled"]),
    completed: counted(before, after, ["completed"])
  },
  workflowStateChanges: changes(before, after),
  blockedOrRetryableTasks: after.blockedOrRetryable,
  endedIdle: endedIdle(after),
  partial: LISTS.filter((list) =>
    list === "workflows" ? !hasAllChanges(before, after) : !before.isWhole(list) || !after.isWhole(list)
  )
})

const LISTS = ["artifact_files", "workflows", "blocked_or_retryable_tasks"]

/** Of the completed ones a snapshot that is not whole has those that were completed last, of the others all. */
const hasUnended = ({ isWhole }: RecordedSnapshot): boolean =>
  isWhole("workflows") || isWhole("active_workflows")

/** Whether every workflow that has moved between the two can be told: what is not listed was over before. */
const hasAllChanges = (before: RecordedSnapshot, after: RecordedSnapshot): boolean => {
  if (!hasUnended(before) || !hasUnended(after)) return false
  if (after.isWhole("workflows")) return true
  const ends = Option.getOrElse(after.workflows, () => []).flatMap((one) => Option.toArray(one.completedAt))
  return Option.exists(before.capturedAt, (taken) => ends.some((end) => DateTime.lessThan(end, taken)))
}

const delta = (before: Option.Option<number>, after: Option.Option<number>): Delta => ({
  before,
  after,
  delta: Option.zipWith(before, after, (from, to) => to - from)
})

const counted = (
  before: RecordedSnapshot,
  after: RecordedSnapshot,
  statuses: ReadonlyArray<RecordedWorkflow["status"]>
): Delta => {
  const count = ({ workflowCount }: RecordedSnapshot) =>
    Option.map(Option.all(statuses.map(workflowCount)), Number.sumAll)
  return delta(count(before), count(after))
}

// What comes after the last one that a cut list has may have been there all the same.
const newFiles = (before: RecordedSnapshot, after: RecordedSnapshot): ReadonlyArray<string> => {
  const known = new Set(before.artifactFiles)
  const order = (path: string) => path.replaceAll("/", "\0")
  const last = before.isWhole("artifact_files") ? undefined : order(before.artifactFiles.at(-1) ?? "")
  return after.artifactFiles.filter((path) => !known.has(path) && (last === undefined || order(path) < last))
}

const changes = (before: RecordedSnapshot, after: RecordedSnapshot): Report["workflowStateChanges"] => {
  const earlier = new Map(
    Option.getOrElse(before.workflows, () => []).map((one) => [one.instanceKey, one] as const)
  )
  const later = Option.getOrElse(after.workflows, () => [])
  const isNew = (one: RecordedWorkflow) =>
    !earlier.has(one.instanceKey) &&
    (before.isWhole("workflows") ||
      Option.getOrElse(Option.zipWith(one.createdAt, before.capturedAt, DateTime.greaterThan), () => false))
  const named = ({ id, instanceKey, template }: RecordedWorkflow) => ({ id, template, instanceKey })
  const change = (one: RecordedWorkflow) => ({
    ...named(one),
    from: Option.flatMap(Option.fromNullable(earlier.get(one.instanceKey)), ({ state }) => state),
    to: one.state
  })
  const wasOver = (one: RecordedWorkflow) => earlier.get(one.instanceKey)?.status === "completed"
  const hasMoved = (one: RecordedWorkflow) => {
    const { from, to } = change(one)
    return earlier.has(one.instanceKey) && Option.getOrNull(from) !== Option.getOrNull(to)
  }
  return {
    new: later.filter(isNew).map((one) => ({ ...named(one), state: one.state })),
    advanced: later.filter((one) => one.status !== "completed" && hasMoved(one)).map(change),
    completed: later
      .filter(
        (one) => one.status === "completed" && !wasOver(one) && (earlier.has(one.instanceKey) || isNew(one))
      )
      .map(change)
  }
}

/** Nothing that a dispatcher would still do; a task that waits for its time is something. */
const endedIdle = ({ count, queued, runtimeState }: RecordedSnapshot): Option.Option<boolean> =>
  Option.orElse(
    Option.map(Option.all([queued, count("running"), count("retryable_failure")]), (figures) =>
      figures.every((one) => one === 0)
    ),
    () => Option.map(runtimeState, (state) => state === "idle" && !Option.exists(queued, (n) => n > 0))
  )
