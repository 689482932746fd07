import { DateTime, Effect, Option, Schema } from "effect"
import { secretsMasked } from "../artifact/KnownSecrets.ts"
import { decode, Invalid, type Problem } from "../config/Issues.ts"
import type { Stamp } from "../domain/Actor.ts"
import { counted } from "../domain/Figure.ts"
import { IdSource, TaskId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import { redactJson } from "../domain/Redactor.ts"
import { type SensorEvent, SensorReport, type WorkflowProposal } from "../domain/SensorEvent.ts"
import { Intent, type NewTask } from "../domain/Task.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { Store } from "../store/Store.ts"
import { readIntent, taskWith } from "./Enqueue.ts"
import { addFromOutside } from "./OperatorLimit.ts"
import { type JudgedProposal, judgeProposal, under } from "./Proposal.ts"
import { open, repeated } from "./Workflow.ts"

/** The most of an object in characters of JSON: what a request over the network may hold. */
const MOST_CHARACTERS = 1_048_576

/** What became of an observation; where it was not accepted `event` is the one that had used up a key of it. */
export interface Ingested {
  readonly accepted: boolean
  readonly event: SensorEvent
}

const decodeFields = decode(SensorReport)
const encodeTask = Schema.encodeSync(Intent)

const tooLarge = (path: string, value: JsonObject | undefined): ReadonlyArray<Problem> => {
  const { length } = value === undefined ? "" : JSON.stringify(value)
  if (length <= MOST_CHARACTERS) return []
  const found = `it is ${counted(length)} characters of JSON`
  const remedy = "keep what is large where source_ref says"
  return [{ kind: "rule", path, found, expected: `at most ${counted(MOST_CHARACTERS)}`, remedy }]
}

/** What one field cannot say of an intent by itself. */
const taskProblems = (task: Intent): Effect.Effect<ReadonlyArray<Problem>> =>
  Effect.match(readIntent(encodeTask(task)), {
    onSuccess: () => [],
    onFailure: ({ problems }) => problems.map((problem) => under("proposed_task", problem))
  })

/** Reads an observation from outside; every problem at once, those of what it proposes by their path. */
export const readReport = (input: unknown): Effect.Effect<SensorReport, Invalid> =>
  Effect.gen(function* () {
    const report = yield* decodeFields(input)
    const { payload, proposedTask, proposedWorkflow } = report
    const problems = [
      ...tooLarge("payload", payload),
      ...tooLarge("proposed_task.payload", proposedTask?.payload),
      ...tooLarge("proposed_workflow.context", proposedWorkflow?.context),
      ...(proposedTask === undefined ? [] : yield* taskProblems(proposedTask))
    ]
    return problems.length === 0 ? report : yield* new Invalid({ problems })
  })

/** A proposed workflow, judged, with the id that its first task would have. */
interface ToOpen {
  readonly instanceKey: string
  readonly judged: JudgedProposal
  readonly firstTaskId: TaskId
}

interface Proposed {
  readonly task: Option.Option<NewTask>
  readonly workflow: Option.Option<ToOpen>
}

const propose = ({ proposedTask, proposedWorkflow }: SensorReport, { actor, at }: Stamp) =>
  Effect.gen(function* () {
    const ids = yield* IdSource
    const nextId = Effect.map(ids.next, (id) => TaskId.make(id))
    const taskFor = (intent: Intent) =>
      Effect.flatMap(nextId, (id) => taskWith(intent, { actor, untrusted: true }, id, at))
    const workflowFor = (proposal: WorkflowProposal) =>
      Effect.gen(function* () {
        const judged = yield* judgeProposal(proposal, "proposed_workflow")
        return { instanceKey: proposal.instanceKey, judged, firstTaskId: yield* nextId }
      })
    return {
      task: yield* Effect.transposeMapOption(Option.fromNullable(proposedTask), taskFor),
      workflow: yield* Effect.transposeMapOption(Option.fromNullable(proposedWorkflow), workflowFor)
    } satisfies Proposed
  })

const makeTask = (sensorEventId: string, task: NewTask, stamp: Stamp) =>
  Effect.gen(function* () {
    const store = yield* Store
    const { created, task: made } = yield* addFromOutside(task, stamp)
    yield* store.sensors.ledToTask(sensorEventId, { taskId: made.taskId, created }, stamp)
    return made.taskId
  })

/** Opens the proposed workflow, or takes the one that has its key. */
const makeWorkflow = (sensorEventId: string, toOpen: ToOpen, stamp: Stamp) =>
  Effect.gen(function* () {
    const store = yield* Store
    const { firstTaskId, judged } = toOpen
    const { created, workflow } = yield* judged._tag === "Opens"
      ? open(judged.opened, firstTaskId, stamp)
      : repeated(toOpen.instanceKey, judged)
    const { id, instanceKey } = workflow
    yield* store.sensors.ledToWorkflow(sensorEventId, { workflowId: id, instanceKey, created }, stamp)
    return id
  })

/**
 * Records an observation and makes what it proposes, untrusted, as one transaction: a repeat makes nothing, a
 * stale one is recorded and makes nothing. Fails when its workflow cannot be opened or its task is one too many of
 * operators; then nothing is recorded.
 */
export const ingest = traced("Sensor.ingest")(function* (report: SensorReport) {
  const store = yield* Store
  const ids = yield* IdSource
  const at = yield* now
  const secrets = yield* secretsMasked
  const { text } = secrets
  const sensorId = text(report.sensorId)
  const names = {
    sensorId,
    eventId: text(report.eventId),
    sourceRef: text(report.sourceRef),
    dedupeKey: text(report.dedupeKey)
  }
  const stamp: Stamp = { at, actor: { surface: "sensor", name: sensorId } }
  const sensorEventId = yield* ids.next
  const { task, workflow } = yield* propose(report, stamp)
  const freshnessDeadline = Option.fromNullable(report.freshnessDeadline)
  const stale = Option.exists(freshnessDeadline, DateTime.lessThan(at))
  const observedAt = report.observedAt ?? at
  const payload = redactJson(report.payload, secrets)
  const observed = { sensorEventId, ...names, payload, observedAt, freshnessDeadline, stale }
  return yield* store.transact(
    "Sensor.ingest",
    Effect.gen(function* () {
      const { event, recorded } = yield* store.sensors.record(observed, stamp)
      if (!recorded) return { accepted: false, event } satisfies Ingested
      // After the record: a repeat stays one when its template has gone since.
      const judged = Option.map(workflow, (one) => one.judged)
      if (Option.isSome(judged) && judged.value._tag === "Unfit" && judged.value.anyway)
        return yield* judged.value.invalid
      if (stale) return { accepted: true, event } satisfies Ingested
      const taskId = yield* Effect.transposeMapOption(task, (one) => makeTask(sensorEventId, one, stamp))
      const workflowId = yield* Effect.transposeMapOption(workflow, (one) =>
        makeWorkflow(sensorEventId, one, stamp)
      )
      return { accepted: true, event: { ...event, taskId, workflowId } } satisfies Ingested
    })
  )
})
