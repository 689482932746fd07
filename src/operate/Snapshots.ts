import { DateTime, Effect, Number, Option, Schema } from "effect"
import { ArtifactStore } from "../artifact/ArtifactStore.ts"
import { EVIDENCE_FOLDERS } from "../artifact/Declared.ts"
import { secretsMasked } from "../artifact/KnownSecrets.ts"
import { decode, Invalid } from "../config/Issues.ts"
import type { Actor } from "../domain/Actor.ts"
import {
  Report,
  Snapshot,
  SnapshotLabel,
  type SnapshotTask,
  type SnapshotWorkflow,
  snapshotName,
  type Truncated
} from "../domain/Snapshot.ts"
import type { Task, TaskStatus } from "../domain/Task.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { UNENDED } from "../domain/WorkflowStatuses.ts"
import { Store } from "../store/Store.ts"
import type { WorkflowPage, Workflows } from "../store/Workflows.ts"
import { LatestReport, ShownSnapshot, SnapshotList, TakenSnapshot } from "./answers/Snapshots.ts"
import { operation } from "./Operation.ts"
import { recorded } from "./RecordedSnapshot.ts"
import { Refusal } from "./Refusal.ts"
import { compare } from "./Report.ts"
import { fileOf, load, newest, newestTwo, unusable } from "./SnapshotFiles.ts"
import { Status, status } from "./State.ts"

/** Rows of a list of tasks in one snapshot; what is beyond is counted. */
const MOST_ROWS = 500
/** Workflows that go on or are stalled in one snapshot, and the last completed ones; what is beyond is counted. */
const MOST_WORKFLOWS = 10_000
const PAGE = 500
/** Paths of artifacts in one snapshot; what is beyond is counted. */
const MOST_FILES = 10_000
const RECENT_COMPLETED = 15
/** Of so many of the newest tasks that are completed, the last that ended are the recent ones. */
const MOST_SEARCHED = 200

/** Files that are no snapshots and are named where there are too few. */
const MOST_NAMED = 5

const encodeStatus = Schema.encode(Status)
const encodeSnapshot = Schema.encode(Snapshot)

const kept = (task: Task): SnapshotTask => ({
  ...task,
  operatorSummary: Option.map(task.outcome, ({ operatorSummary }) => operatorSummary)
})

const tasksOf = (statuses: ReadonlyArray<TaskStatus>, limit: number) =>
  Effect.gen(function* () {
    const store = yield* Store
    const page = yield* store.tasks.list(
      { status: statuses, kind: Option.none(), source: Option.none() },
      { limit, after: Option.none() },
      "none"
    )
    return Option.match(page, {
      onNone: () => ({ tasks: [], isWhole: true }),
      onSome: ({ next, tasks }) => ({ tasks: tasks.map(kept), isWhole: Option.isNone(next) })
    })
  })

const finishedLast = (a: SnapshotTask, b: SnapshotTask): number => {
  const at = ({ finishedAt }: SnapshotTask) =>
    Option.match(finishedAt, { onNone: () => 0, onSome: DateTime.toEpochMillis })
  return at(b) - at(a)
}

const cut = (list: string, shown: number, total: Option.Option<number>): ReadonlyArray<Truncated> =>
  Option.contains(total, shown) ? [] : [{ list, shown, total }]

type PageOfWorkflows = Parameters<Workflows["completed"]>[0]

/** All of a list of workflows, as far as the bound, a page at a time. */
const walked = <E, R>(read: (page: PageOfWorkflows) => Effect.Effect<Option.Option<WorkflowPage>, E, R>) =>
  Effect.gen(function* () {
    const rows: Array<SnapshotWorkflow> = []
    let after = Option.none<string>()
    do {
      const page = yield* read({ limit: Math.min(PAGE, MOST_WORKFLOWS - rows.length), after })
      after = Option.flatMap(page, ({ next }) => next)
      rows.push(...Option.match(page, { onNone: () => [], onSome: ({ workflows }) => workflows }))
    } while (Option.isSome(after) && rows.length < MOST_WORKFLOWS)
    return { rows, isCut: Option.isSome(after) }
  })

/** All that go on or are stalled, and the last completed ones, newest first. */
const workflowsNow = Effect.gen(function* () {
  const { workflows } = yield* Store
  const counts = yield* workflows.counts
  const unended = yield* walked((page) => workflows.list({ status: UNENDED, ...page }))
  const completed = yield* walked(workflows.completed)
  // One that was completed meanwhile is in both.
  const byId = new Map([...unended.rows, ...completed.rows].map((one) => [one.id, one]))
  const rows = [...byId.values()].sort((a, b) => b.id - a.id)
  const active = rows.filter((one) => one.status === "active")
  const total = Number.sumAll(Object.values(counts))
  const cuts: ReadonlyArray<Truncated> = [
    ...(unended.isCut || completed.isCut
      ? [{ list: "workflows", shown: rows.length, total: Option.some(total) }]
      : []),
    ...(unended.isCut
      ? [{ list: "active_workflows", shown: active.length, total: Option.some(counts.active) }]
      : [])
  ]
  return { counts, rows, active, cuts }
})

/** Captures what there is now. Counts are exact; a list that does not hold all of it is named in `truncated`. */
const capture = traced("Snapshots.capture")(function* (label: string, actor: Actor) {
  const artifacts = yield* ArtifactStore
  const capturedAt = yield* now
  const state = yield* status.run({}, actor)
  const { counts, runtimeName } = state
  const workflows = yield* workflowsNow
  const queued = yield* tasksOf(["pending"], MOST_ROWS)
  const held = yield* tasksOf(["blocked", "retryable_failure"], MOST_ROWS)
  const completed = yield* tasksOf(["completed"], MOST_SEARCHED)
  const files = yield* artifacts
    .files("", { most: MOST_FILES, descending: false, leaveOut: EVIDENCE_FOLDERS })
    .pipe(Effect.mapError(unusable))
  const masked = yield* secretsMasked
  const ofTasks = (name: string, { isWhole, tasks }: typeof queued, total: number) =>
    isWhole ? [] : [{ list: name, shown: tasks.length, total: Option.some(total) }]
  const snapshot: Snapshot = {
    capturedAt,
    label,
    runtimeName,
    status: { ...(yield* Effect.orDie(encodeStatus(state))) },
    workflowCounts: workflows.counts,
    workflows: workflows.rows,
    activeWorkflows: workflows.active,
    queuedTasks: queued.tasks,
    blockedOrRetryableTasks: held.tasks,
    recentCompleted: [...completed.tasks].sort(finishedLast).slice(0, RECENT_COMPLETED),
    artifactFiles: files.paths.map(masked.text),
    truncated: [
      ...workflows.cuts,
      ...ofTasks("queued_tasks", queued, counts.queued),
      ...ofTasks("blocked_or_retryable_tasks", held, counts.blocked + counts.retryableFailure),
      ...cut("artifact_files", files.paths.length, files.total)
    ]
  }
  return snapshot
})

const labelOf = (given: Option.Option<string>) =>
  Effect.mapError(
    decode(SnapshotLabel)(Option.getOrElse(given, () => "snapshot")),
    ({ problems }) => new Invalid({ problems: problems.map((problem) => ({ ...problem, path: "label" })) })
  )

/** Captures the state of now in a file of its own; `snapshot_path` is below the artifact root. */
export const create = operation({
  name: "snapshots.create",
  role: "operate",
  output: TakenSnapshot,
  run: traced("Snapshots.create")(function* (input: { readonly label: Option.Option<string> }, actor) {
    const artifacts = yield* ArtifactStore
    const { text: masked } = yield* secretsMasked
    const label = yield* labelOf(Option.map(input.label, masked))
    const snapshot = yield* capture(label, actor)
    const { name, path } = fileOf(snapshotName(snapshot.capturedAt, snapshot.label))
    const text = `${JSON.stringify(yield* Effect.orDie(encodeSnapshot(snapshot)), null, 2)}\n`
    if (Option.isSome(yield* artifacts.observe(path).pipe(Effect.mapError(unusable))))
      return yield* new Refusal({ code: "snapshot_exists", message: `there is a snapshot ${name} already` })
    yield* artifacts.write(path, text).pipe(Effect.mapError(unusable))
    return { snapshotPath: path, snapshot }
  })
})

/** The snapshots that there are, newest first. */
export const list = operation({
  name: "snapshots.list",
  role: "read",
  output: SnapshotList,
  run: traced("Snapshots.list")(function* () {
    return { snapshots: yield* newest() }
  })
})

/** A snapshot as its file has it. */
export const show = operation({
  name: "snapshots.show",
  role: "read",
  output: ShownSnapshot,
  run: traced("Snapshots.show")(function* (input: { readonly path: string }) {
    const { file, snapshot } = yield* load(input.path)
    return { ...file, snapshot }
  })
})

type Loaded = Effect.Effect.Success<ReturnType<typeof load>>

const reportOf = (earlier: Loaded, later: Loaded): Report => ({
  before: earlier.file,
  after: later.file,
  ...compare(recorded(earlier.snapshot), recorded(later.snapshot))
})

/** Compares two snapshots. */
export const report = operation({
  name: "snapshots.report",
  role: "read",
  output: Report,
  run: traced("Snapshots.report")(function* (input: { readonly before: string; readonly after: string }) {
    return reportOf(yield* load(input.before), yield* load(input.after))
  })
})

/** The report of the two newest snapshots; none when there are not two. */
const ofNewest = Effect.map(newestTwo(), ({ found: [after, before], passedOver }) => ({
  compared:
    before === undefined || after === undefined
      ? Option.none<Report>()
      : Option.some(reportOf(before, after)),
  passedOver
}))

/** Compares the two newest snapshots; refused when there are not two. */
export const newestReport = operation({
  name: "snapshots.newest",
  role: "read",
  output: Report,
  run: traced("Snapshots.newestReport")(function* () {
    const { compared, passedOver } = yield* ofNewest
    if (Option.isSome(compared)) return compared.value
    const none = passedOver.slice(0, MOST_NAMED).join(", ")
    return yield* new Refusal({
      code: "snapshots_too_few",
      message: `there are not two snapshots to compare${none === "" ? "" : ` (what is no snapshot there: ${none}${passedOver.length > MOST_NAMED ? ", ..." : ""})`}`,
      hint: "agent-runtime snapshot makes one"
    })
  })
})

/** Compares the two newest snapshots; null when there are not two. */
export const latestReport = operation({
  name: "snapshots.latest",
  role: "read",
  output: LatestReport,
  run: traced("Snapshots.latestReport")(function* () {
    return { report: (yield* ofNewest).compared }
  })
})
