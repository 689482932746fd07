import { Array as Arr, Effect, Either, Option, Schema } from "effect"
import { decode, Invalid, type Problem } from "../config/Issues.ts"
import type { Stamp } from "../domain/Actor.ts"
import { IdSource, TaskId, type WorkflowId } from "../domain/Ids.ts"
import { WorkflowProposal } from "../domain/SensorEvent.ts"
import type { Intent } from "../domain/Task.ts"
import { traced } from "../domain/Traced.ts"
import type { Workflow } from "../domain/Workflow.ts"
import { Store } from "../store/Store.ts"
import { readIntent, taskWith } from "./Enqueue.ts"
import { addFromOutside } from "./OperatorLimit.ts"
import { judgeProposal, under } from "./Proposal.ts"
import { type Opened, open, repeated } from "./Workflow.ts"

/** Entries of each kind in one file: all of it is one transaction, and others wait for that. */
const MOST_ENTRIES = 1_000

const entries = Schema.optionalWith(Schema.Array(Schema.Unknown), { default: () => [] })
const decodeFile = decode(Schema.Struct({ workflows: entries, tasks: entries }))
const decodeProposal = decode(WorkflowProposal)

/** A workflow to be opened, or the one that has its key: then it matters no more what a new one would lack. */
type ToSeed =
  | { readonly _tag: "Opens"; readonly opened: Opened }
  | { readonly _tag: "There"; readonly workflow: Workflow }

/** A backlog that was judged as a whole: it can be written. */
export interface JudgedBacklog {
  readonly workflows: ReadonlyArray<ToSeed>
  readonly tasks: ReadonlyArray<Intent>
}

/** What became of the entries, in their order; `created` is false for what was there already. */
export interface Seeding {
  readonly workflows: ReadonlyArray<{
    readonly created: boolean
    readonly workflowId: WorkflowId
    readonly instanceKey: string
  }>
  readonly tasks: ReadonlyArray<{
    readonly created: boolean
    readonly taskId: TaskId
    readonly kind: string
    readonly source: string
  }>
}

/** A source has so many tasks that it cannot be told which of them are there already; nothing was seeded. */
export class SourceCrowded extends Schema.TaggedError<SourceCrowded>()("SourceCrowded", {
  source: Schema.String
}) {}

const tooMany = (path: string, found: number): ReadonlyArray<Problem> =>
  found <= MOST_ENTRIES
    ? []
    : [
        {
          kind: "rule",
          path,
          found: `there are ${found} of them`,
          expected: `at most ${MOST_ENTRIES} in one file`,
          remedy: "put the rest into another file"
        }
      ]

const readWorkflow = (entry: unknown, path: string) =>
  Effect.gen(function* () {
    const decoded = decodeProposal(entry)
    if (Either.isLeft(decoded)) return Either.left(placed(decoded.left.problems, path))
    const judged = yield* judgeProposal(decoded.right, path)
    if (judged._tag === "Opens") return Either.right<ToSeed>({ _tag: "Opens", opened: judged.opened })
    return yield* repeated(decoded.right.instanceKey, judged).pipe(
      Effect.map(({ workflow }) => Either.right<ToSeed>({ _tag: "There", workflow })),
      Effect.catchTag("Invalid", ({ problems }) => Effect.succeed(Either.left(problems)))
    )
  })

const readTask = (entry: unknown, path: string) =>
  Effect.mapError(readIntent(entry), ({ problems }) => placed(problems, path))

const placed = (problems: ReadonlyArray<Problem>, path: string): ReadonlyArray<Problem> =>
  problems.map((problem) => under(path, problem))

/** Reads a backlog from outside; of all entries every problem at once, by the entry's index. */
export const readBacklog = traced("Backlog.readBacklog")(function* (input: unknown) {
  const file = yield* decodeFile(input)
  const many = [...tooMany("workflows", file.workflows.length), ...tooMany("tasks", file.tasks.length)]
  if (many.length > 0) return yield* new Invalid({ problems: many })
  const [badWorkflows, workflows] = Arr.separate(
    yield* Effect.forEach(file.workflows, (entry, at) => readWorkflow(entry, `workflows[${at}]`))
  )
  const [badTasks, tasks] = yield* Effect.partition(file.tasks, (entry, at) =>
    readTask(entry, `tasks[${at}]`)
  )
  const problems = [...badWorkflows, ...badTasks].flat()
  return problems.length === 0
    ? ({ workflows, tasks } satisfies JudgedBacklog)
    : yield* new Invalid({ problems })
})

/**
 * Makes what of a backlog is not there yet, as one transaction: a workflow is known by its instance_key, a task
 * by its source and subject among all tasks there ever were, those among them that were seeded and are pruned by now.
 * A second run makes nothing.
 */
export const seed = traced("Backlog.seed")(function* ({ tasks, workflows }: JudgedBacklog, stamp: Stamp) {
  const store = yield* Store
  const ids = yield* IdSource
  const nextId = Effect.map(ids.next, (id) => TaskId.make(id))
  const toSeed = yield* Effect.forEach(workflows, (one) => Effect.map(nextId, (taskId) => ({ one, taskId })))
  const toAdd = yield* Effect.forEach(tasks, (intent) =>
    Effect.flatMap(nextId, (id) => taskWith(intent, { actor: stamp.actor, untrusted: false }, id, stamp.at))
  )
  return yield* store.transact(
    "Backlog.seed",
    Effect.gen(function* () {
      const opened = yield* Effect.forEach(toSeed, ({ one, taskId }) =>
        Effect.map(
          one._tag === "Opens"
            ? open(one.opened, taskId, stamp)
            : Effect.succeed({ created: false, workflow: one.workflow }),
          ({ created, workflow }) => ({
            created,
            workflowId: workflow.id,
            instanceKey: workflow.instanceKey
          })
        )
      )
      const added = yield* Effect.forEach(toAdd, (task) =>
        Effect.gen(function* () {
          const { kind, payload, source, subject } = task.intent
          const known = { source, subject: Option.fromNullable(subject), kind, payload }
          const seeded = yield* store.backlog.find(known)
          if (seeded._tag === "Crowded") return yield* new SourceCrowded({ source })
          if (seeded._tag === "Found") {
            yield* store.backlog.remember(known, seeded)
            return { created: false, taskId: seeded.taskId, kind: seeded.kind, source }
          }
          const { created, task: made } = yield* addFromOutside(task, stamp)
          // One that holds its dedupe_key is another task: when that has ended, this one is still to be made.
          if (created) yield* store.backlog.remember(known, made)
          return { created, taskId: made.taskId, kind: made.kind, source: made.source }
        })
      )
      return { workflows: opened, tasks: added } satisfies Seeding
    })
  )
})
