import { Effect } from "effect"
import type { Stamp } from "../../src/domain/Actor.ts"
import { traced } from "../../src/domain/Traced.ts"
import type { Adopted, AdoptedCount, Adoption } from "../../src/store/Adoption.ts"
import { renumbered } from "../../src/store/adopt/Renumber.ts"
import { eventOf, scheduleOf, sensorEventOf, workflowOf } from "../../src/store/adopt/RestOf.ts"
import {
  ADOPTED_TABLES,
  type AdoptedTable,
  type OriginalDatabase,
  type OriginalRow
} from "../../src/store/Original.ts"
import type { StoreUnavailable } from "../../src/store/StoreError.ts"
import { actorJson, json, time } from "./columns.ts"
import {
  type Adopting,
  begin,
  differingRemark,
  idHere,
  isGone,
  keep,
  remark,
  setAside
} from "./SqlAdopting.ts"
import * as Rows from "./SqlAdoptRows.ts"
import { addAttempt, addBundle, addTask } from "./SqlAdoptTasks.ts"
import { appendEvent } from "./SqlEvents.ts"
import type { Sqlite } from "./Sqlite.ts"
import { list } from "./SqlListing.ts"

type Sql = Sqlite["Type"]

/** Whether the row was added now; one that was here before is counted as present. */
type Add = (adopting: Adopting, row: OriginalRow) => Effect.Effect<boolean, StoreUnavailable>

const addWorkflow: Add = (adopting, row) =>
  Effect.gen(function* () {
    const { at, original, sqlite, substitute } = adopting
    const { cells, isStalled, workflow } = workflowOf(row, { at, substitute: substitute("workflows", row) })
    const { id, ...columns } = workflow
    const there = (yield* sqlite.rows(Rows.WORKFLOW_OF_KEY, { instanceKey: workflow.instanceKey }))[0]
    if (there !== undefined) {
      const given = Number(there.id)
      adopting.workflows.set(id, { id: given, template: String(there.template) })
      if (given !== id)
        remark(
          adopting,
          `workflow ${id} (${workflow.instanceKey}) is workflow ${given} here, which has its instance_key`
        )
      return false
    }
    const isTaken = (yield* sqlite.rows(Rows.WORKFLOW_OF_ID, { id })).length > 0
    const surface = original.ledTo.workflows.has(id) ? "sensor" : "adopt"
    const added = yield* sqlite.rows(Rows.ADD_WORKFLOW, {
      ...columns,
      id: isTaken ? null : id,
      createdBy: actorJson({ surface, name: "original" })
    })
    const given = Number(added[0]?.id)
    adopting.workflows.set(id, { id: given, template: workflow.template })
    if (isTaken)
      remark(
        adopting,
        `workflow ${id} (${workflow.instanceKey}) is workflow ${given} here, where ${id} was taken`
      )
    if (isTaken || cells.changed) yield* keep(adopting, "workflows", String(given), null, cells)
    if (cells.problems.length > 0)
      setAside(adopting, { workflowId: given }, `workflow ${given}`, cells.problems, isStalled)
    return true
  })

const addSchedule: Add = (adopting, row) =>
  Effect.gen(function* () {
    const { at, sqlite, substitute } = adopting
    const { cells, isDamaged, schedule } = scheduleOf(row, { at, substitute: substitute("schedules", row) })
    const { name, scheduleId } = schedule
    if (yield* isGone(adopting, "schedules", scheduleId)) return false
    const createdBy = actorJson({ surface: "adopt", name: "original" })
    const added = yield* sqlite.rows(Rows.ADD_SCHEDULE, { ...schedule, createdBy })
    if (added.length === 0) {
      if ((yield* sqlite.rows(Rows.HAS_SCHEDULE, { scheduleId })).length === 0)
        remark(adopting, `schedule ${name} is here under another id, and stays as it is here`)
      return false
    }
    adopting.schedules.add(scheduleId)
    if (cells.changed) yield* keep(adopting, "schedules", scheduleId, null, cells)
    if (isDamaged) setAside(adopting, { scheduleId }, `schedule ${name}`, cells.problems, true)
    return true
  })

const addSensorEvent: Add = (adopting, row) =>
  Effect.gen(function* () {
    const { at, sqlite, substitute } = adopting
    const { cells, event, workflowId } = sensorEventOf(row, {
      at,
      substitute: substitute("sensor_events", row)
    })
    const { sensorEventId } = event
    const workflow = workflowId === null ? null : (adopting.workflows.get(workflowId)?.id ?? null)
    const added = yield* sqlite.rows(Rows.ADD_SENSOR_EVENT, { ...event, workflowId: workflow })
    if (added.length === 0) {
      if ((yield* sqlite.rows(Rows.HAS_SENSOR_EVENT, { sensorEventId })).length === 0)
        remark(adopting, `sensor event ${sensorEventId} (${event.dedupeKey}) is here under another id`)
      return false
    }
    if (cells.changed || workflow !== workflowId)
      yield* keep(adopting, "sensor_events", sensorEventId, null, cells)
    if (cells.problems.length > 0)
      setAside(adopting, {}, `sensor event ${sensorEventId}`, cells.problems, false)
    return true
  })

/**
 * Keeps the id where no event here has had it or a greater one, so that ids go on increasing in the order of
 * commits; otherwise the next free one is given and the old one stands in the detail.
 */
const addEvent: Add = (adopting, row) =>
  Effect.gen(function* () {
    if (row.rowid <= adopting.lastEventId) return false
    const event = eventOf(row, adopting.lastEventAt)
    const id = Math.max(event.id, adopting.lastGiven + 1)
    const ours = event.workflowId === null ? undefined : adopting.workflows.get(event.workflowId)?.id
    const workflowId = event.workflowId === null ? null : (ours ?? event.workflowId)
    const moved = workflowId !== event.workflowId
    yield* adopting.sqlite.rows(Rows.ADD_EVENT, {
      ...event,
      id,
      workflowId,
      actor: actorJson({ surface: "adopt", name: "original" }),
      detail: json({
        ...renumbered(event.detail, idHere(adopting)),
        ...(moved ? { original_workflow_id: event.workflowId } : {}),
        ...(id === event.id ? {} : { original_id: event.id })
      })
    })
    adopting.lastEventId = event.id
    adopting.lastGiven = id
    adopting.lastEventAt = event.createdAt
    const { scheduleId, taskId } = event
    if (event.type === "schedule_task_created" && scheduleId !== null && taskId !== null)
      adopting.lastTasks.set(scheduleId, taskId)
    return true
  })

const ADD: Readonly<Record<AdoptedTable, Add>> = {
  workflows: addWorkflow,
  tasks: addTask,
  attempts: addAttempt,
  bundles: addBundle,
  schedules: addSchedule,
  sensor_events: addSensorEvent,
  events: addEvent
}

const takeTable = (adopting: Adopting, table: AdoptedTable) =>
  Effect.gen(function* () {
    const { original } = adopting
    let [place, adopted, present] = [0, 0, 0]
    for (;;) {
      const rows = yield* original.page(table, place)
      for (const row of rows) {
        if (yield* ADD[table](adopting, row)) adopted++
        else present++
        place = row.rowid
      }
      if (rows.length === 0) break
    }
    const found = original.found[table]
    if (adopted + present !== found)
      return yield* Effect.dieMessage(`${found} rows of ${table} were found and ${adopted + present} came`)
    return { found, adopted, present } satisfies AdoptedCount
  })

const take = (sqlite: Sql, original: OriginalDatabase, stamp: Stamp) =>
  sqlite.transact(
    "Adoption.take",
    Effect.gen(function* () {
      const adopting = yield* begin(sqlite, original, time(stamp.at))
      const counted: Array<readonly [AdoptedTable, AdoptedCount]> = []
      for (const table of ADOPTED_TABLES) counted.push([table, yield* takeTable(adopting, table)])
      for (const [scheduleId, taskId] of adopting.lastTasks)
        if (adopting.schedules.has(scheduleId)) yield* sqlite.rows(Rows.LAST_TASK, { scheduleId, taskId })
      const isAny = counted.some(([, { adopted }]) => adopted > 0)
      if (isAny) yield* sqlite.write("Adoption.list", (writing) => list(writing, adopting.lastGiven))
      // After the history that they end.
      for (const { detail, subject, type } of adopting.told)
        yield* appendEvent(sqlite, type, subject, detail, stamp)
      if (isAny)
        yield* sqlite.rows(Rows.RECORD, {
          sourceId: original.sourceId,
          path: original.path,
          hash: original.sha256,
          lastEventId: adopting.lastEventId,
          at: time(stamp.at)
        })
      return adoptedBy(adopting, new Map(counted))
    })
  )

const MOST_REMARKS = 100

const adoptedBy = (adopting: Adopting, counts: ReadonlyMap<AdoptedTable, AdoptedCount>): Adopted => {
  const of = (table: AdoptedTable) => counts.get(table) ?? { found: 0, adopted: 0, present: 0 }
  const remarks = [...differingRemark(adopting), ...adopting.remarks]
  return {
    counts: {
      workflows: of("workflows"),
      tasks: of("tasks"),
      attempts: of("attempts"),
      bundles: of("bundles"),
      schedules: of("schedules"),
      sensor_events: of("sensor_events"),
      events: of("events")
    },
    setAside: adopting.setAside,
    reclaimed: adopting.reclaimed,
    remarks:
      remarks.length <= MOST_REMARKS
        ? remarks
        : [...remarks.slice(0, MOST_REMARKS - 1), `and ${remarks.length - MOST_REMARKS + 1} more`]
  }
}

export const make = (sqlite: Sql): Adoption => ({
  take: traced("Adoption.take")((original, stamp) => take(sqlite, original, stamp))
})
