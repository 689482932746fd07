import { Effect, Option } from "effect"
import { TERMINAL } from "../../src/domain/Task.ts"
import { attemptOf, bundleOf } from "../../src/store/adopt/AttemptOf.ts"
import { objectIn } from "../../src/store/adopt/Cells.ts"
import { renumbered } from "../../src/store/adopt/Renumber.ts"
import { type AdoptedTask, isRunning, taskOf } from "../../src/store/adopt/TaskOf.ts"
import type { OriginalRow } from "../../src/store/Original.ts"
import { actorJson, json, NO_USAGE } from "./columns.ts"
import { type Adopting, compareTask, idHere, isGone, keep, remark, setAside } from "./SqlAdopting.ts"
import * as Rows from "./SqlAdoptRows.ts"
import { laneKey } from "./SqlReady.ts"

/** Doors through which others write. In the original their name in `source` is all that is left of them. */
const OUTSIDE = /^(github-bridge|discord-bridge|sensor:)/

const NO_ATTEMPTS = { count: 0, open: false } as const

const BY_ADOPTION = { surface: "adopt", name: "original" } as const

interface Visit {
  readonly id: number
  readonly original: number
  readonly state: string
  readonly template: string
}

/** The workflow and the state that a task was made for, by its source. */
const visitOf = (adopting: Adopting, { source }: AdoptedTask): Visit | undefined => {
  const [, original, state] = /^workflow:(\d{1,15}):(.+)$/.exec(source) ?? []
  const workflow = adopting.workflows.get(Number(original))
  return workflow === undefined || state === undefined
    ? undefined
    : { ...workflow, original: Number(original), state }
}

/** The payload of a workflow's task tells it which one it belongs to. */
const payloadHere = (adopting: Adopting, payload: string): string =>
  Option.match(objectIn(payload), {
    onNone: () => payload,
    onSome: (found) => json(renumbered(found, idHere(adopting)))
  })

/** Two unfinished tasks of one state cannot be: the later one is the state's, the other runs without moving it. */
const stateOf = (adopting: Adopting, task: AdoptedTask, visit: Visit | undefined) =>
  Effect.gen(function* () {
    if (visit === undefined || TERMINAL.includes(task.status)) return visit?.state ?? null
    const { sqlite } = adopting
    const at = { workflowId: visit.id, state: visit.state }
    const holder = (yield* sqlite.rows(Rows.AT_STATE, at))[0]
    if (holder === undefined) return visit.state
    const yields =
      String(holder.created_by_json) === actorJson(BY_ADOPTION) && String(holder.created_at) <= task.createdAt
    const other = yields ? String(holder.task_id) : task.taskId
    remark(
      adopting,
      `task ${other} runs without moving workflow ${visit.id}: another unfinished task is of its state ${visit.state}`
    )
    if (!yields) return null
    yield* sqlite.rows(Rows.LEAVE_STATE, { taskId: other })
    return visit.state
  })

/** The key, or why it is another's: then the task is set aside, for two with one key must not both run. */
const keyOf = (adopting: Adopting, task: AdoptedTask) =>
  Effect.gen(function* () {
    const key = task.dedupeKey
    if (key === null || TERMINAL.includes(task.status)) return { key, problems: [] }
    const holder = (yield* adopting.sqlite.rows(Rows.HOLDER, { key }))[0]
    return holder === undefined
      ? { key, problems: [] }
      : { key: null, problems: [`dedupe_key ${key} is held by the unfinished task ${holder.task_id}`] }
  })

/** See SqlAdoption: whether the row was added now. */
export const addTask = (adopting: Adopting, row: OriginalRow) =>
  Effect.gen(function* () {
    const { at, original, sqlite, substitute } = adopting
    const attempts = isRunning(row) ? yield* original.attemptsOf(String(row.cells.task_id)) : NO_ATTEMPTS
    const { cells, task } = taskOf(row, { at, substitute: substitute("tasks", row), attempts })
    const { taskId } = task
    const here = (yield* sqlite.rows(Rows.HAS_TASK, { taskId }))[0]
    if (here !== undefined) {
      const { status, updated_at: updatedAt } = here
      yield* compareTask(adopting, task, cells, { status: String(status), updatedAt: String(updatedAt) })
      return false
    }
    if (yield* isGone(adopting, "tasks", taskId)) return false
    const { key, problems } = yield* keyOf(adopting, task)
    const status = problems.length > 0 ? "blocked" : task.status
    const visit = visitOf(adopting, task)
    const isMoved = visit !== undefined && visit.id !== visit.original
    const workflowState = yield* stateOf(adopting, { ...task, status }, visit)
    const untrusted =
      OUTSIDE.test(task.source) ||
      original.ledTo.tasks.has(taskId) ||
      (visit !== undefined && original.ledTo.workflows.has(visit.original))
    const { requestedAdapter, requestedProfile } = task
    const waits = status === "pending" || status === "retryable_failure"
    yield* sqlite.rows(Rows.ADD_TASK, {
      ...task,
      source: visit === undefined ? task.source : `workflow:${visit.id}:${visit.state}`,
      payload: isMoved ? payloadHere(adopting, task.payload) : task.payload,
      dedupeKey: key,
      status,
      lastError: problems[0] ?? task.lastError,
      workflowId: visit?.id ?? null,
      workflowState,
      untrusted: untrusted ? 1 : 0,
      lane: laneKey({
        requestedAdapter,
        requestedProfile,
        untrusted,
        workflowTemplate: visit?.template ?? null
      }),
      ready: waits && task.availableAt <= at ? 1 : 0,
      createdBy: actorJson(BY_ADOPTION)
    })
    if (status === "running") adopting.running.add(taskId)
    if (cells.changed || problems.length > 0 || isMoved) yield* keep(adopting, "tasks", taskId, taskId, cells)
    const told = [...cells.problems, ...problems]
    if (told.length > 0) setAside(adopting, { taskId }, `task ${taskId}`, told, status === "blocked")
    else if (cells.raw("status") !== status)
      moved(adopting, task, String(cells.raw("status")), cells.raw("last_error") !== task.lastError)
    return true
  })

/** Tells of a task that stands otherwise here than it did there: by another word alone, or by a rule. */
const moved = (
  adopting: Adopting,
  { lastError, status, taskId }: AdoptedTask,
  was: string,
  byRule: boolean
): void => {
  remark(adopting, `task ${taskId} was ${was} and is ${status}${byRule ? ` (${lastError})` : ""}`)
  if (!byRule) return
  if (status === "blocked") adopting.setAside++
  else if (was === "running") adopting.reclaimed++
  adopting.told.push({
    type: was === "running" ? "boot_sweep_reclaimed" : "record_quarantined",
    subject: { taskId },
    detail: { original_status: was, status, reason: lastError }
  })
}

/** A row that only the rows that name it know of: they are kept, and an operator sees that it is missing. */
const addMissingTask = (adopting: Adopting, taskId: string, by: string) =>
  Effect.gen(function* () {
    const { at, sqlite } = adopting
    if ((yield* sqlite.rows(Rows.HAS_TASK, { taskId })).length > 0) return
    const problem = `it is missing in the original database, where ${by} names it`
    const untrusted = true
    yield* sqlite.rows(Rows.ADD_TASK, {
      taskId,
      kind: "unknown",
      source: "adopt",
      subject: null,
      description: null,
      priority: 0,
      payload: "{}",
      requestedProfile: null,
      requestedAdapter: null,
      requestedModel: null,
      maxAttempts: 1,
      dedupeKey: null,
      status: "blocked",
      attemptCount: 1,
      createdAt: at,
      updatedAt: at,
      availableAt: at,
      startedAt: null,
      finishedAt: null,
      outcome: null,
      lastError: `this record is damaged: ${problem}`,
      parent: null,
      workflowId: null,
      workflowState: null,
      untrusted: 1,
      lane: laneKey({ requestedAdapter: null, requestedProfile: null, untrusted, workflowTemplate: null }),
      ready: 0,
      createdBy: actorJson(BY_ADOPTION)
    })
    setAside(adopting, { taskId }, `task ${taskId}`, [problem], true)
  })

/** See SqlAdoption: whether the row was added now. */
export const addAttempt = (adopting: Adopting, row: OriginalRow) =>
  Effect.gen(function* () {
    const { at, running, sqlite, substitute } = adopting
    const mayRun = (taskId: string) => running.has(taskId)
    const { abandoned, attempt, cells } = attemptOf(row, {
      at,
      substitute: substitute("attempts", row),
      mayRun
    })
    const { attemptId, taskId } = attempt
    if ((yield* sqlite.rows(Rows.HAS_ATTEMPT, { attemptId, taskId })).length > 0) return false
    if (yield* isGone(adopting, "tasks", taskId)) return false
    yield* addMissingTask(adopting, taskId, `attempt ${attemptId}`)
    // Of several that are open the last is the one that ran.
    const closed = attempt.status === "running" ? yield* sqlite.rows(Rows.CLOSE_OPEN, { taskId, at }) : []
    const added = yield* sqlite.rows(Rows.ADD_ATTEMPT, { ...attempt, usage: NO_USAGE() })
    if (added.length === 0) {
      remark(adopting, `attempt ${attemptId} is here as one of another task, and stays as it is here`)
      return false
    }
    const closedIds = closed.map((one) => String(one.attempt_id))
    for (const id of [...closedIds, attemptId]) yield* sqlite.rows(Rows.ADD_USE, { attemptId: id })
    for (const id of [...closedIds, ...(abandoned ? [attemptId] : [])])
      adopting.told.push({
        type: "boot_sweep_reclaimed",
        subject: { taskId, attemptId: id },
        detail: { reason: "it was open, and is not the attempt that its task is running" }
      })
    if (cells.changed) yield* keep(adopting, "attempts", attemptId, taskId, cells)
    if (cells.problems.length > 0)
      setAside(adopting, { taskId, attemptId }, `attempt ${attemptId}`, cells.problems, false)
    return true
  })

/** See SqlAdoption: whether the row was added now. */
export const addBundle = (adopting: Adopting, row: OriginalRow) =>
  Effect.gen(function* () {
    const { at, sqlite, substitute } = adopting
    const { bundle, cells } = bundleOf(row, { at, substitute: substitute("bundles", row) })
    const { attemptId, bundleHash, bundleId, profileId, replayGrade, taskId } = bundle
    if ((yield* isGone(adopting, "tasks", taskId)) || (yield* isGone(adopting, "bundles", bundleId)))
      return false
    yield* addMissingTask(adopting, taskId, `bundle ${bundleId}`)
    const attempt = (yield* sqlite.rows(Rows.HAS_ATTEMPT, { attemptId, taskId }))[0]
    if (attempt === undefined) yield* addMissingAttempt(adopting, bundle)
    // The original kept no mode with a bundle; without one of its attempt a script stands for it.
    const adapterMode = attempt?.adapter_mode ?? "script"
    const added = yield* sqlite.rows(Rows.ADD_BUNDLE, { ...bundle, adapterMode })
    if (added.length === 0) return false
    yield* sqlite.rows(Rows.OF_BUNDLE, { attemptId, bundleHash, bundleId, profileId, replayGrade })
    if (cells.changed) yield* keep(adopting, "bundles", bundleId, taskId, cells)
    if (cells.problems.length > 0)
      setAside(adopting, { taskId, attemptId }, `bundle ${bundleId}`, cells.problems, false)
    return true
  })

const addMissingAttempt = (
  adopting: Adopting,
  { adapterId, attemptId, bundleId, createdAt, model, taskId }: ReturnType<typeof bundleOf>["bundle"]
) =>
  Effect.gen(function* () {
    yield* adopting.sqlite.rows(Rows.ADD_ATTEMPT, {
      attemptId,
      taskId,
      runnerId: "unknown",
      host: "unknown",
      adapterId,
      adapterMode: null,
      model,
      status: "finished",
      startedAt: createdAt,
      endedAt: createdAt,
      exitStatus: null,
      retryClass: null,
      reason: "missing_in_original",
      bundleId,
      usage: NO_USAGE(),
      promptPath: null,
      stdoutPath: null,
      stderrPath: null,
      resultPath: null
    })
    const problem = `it is missing in the original database, where bundle ${bundleId} names it`
    setAside(adopting, { taskId, attemptId }, `attempt ${attemptId}`, [problem], false)
  })
