import { Effect, Option, Schema } from "effect"
import { abridged } from "../domain/Abridged.ts"
import { type Attempt, durationOf } from "../domain/Attempt.ts"
import { AttemptId, type TaskId } from "../domain/Ids.ts"
import type { Round, Task } from "../domain/Task.ts"
import { traced } from "../domain/Traced.ts"
import { Store } from "../store/Store.ts"
import type { Run } from "./answers/Tasks.ts"

/** Characters of a summary that are told; the whole one is in its task. */
const MOST_SUMMARY = 1_000

/** How many replays of one task are told; more of them are in `task-list --source`. */
const MOST_REPLAYS = 50

/** The replays of a task, attempt by attempt, first to last, at most 50; each by its own last attempt. */
export const replaysOf = traced("SideBySide.replaysOf")(function* (id: TaskId) {
  const store = yield* Store
  const tasks = yield* store.tasks.replays(id, MOST_REPLAYS)
  const last = yield* store.attempts.lastOfTasks(tasks.map(({ taskId }) => taskId))
  return yield* Effect.forEach(tasks, (task) =>
    Effect.gen(function* () {
      const found = yield* store.tasks.find(task.taskId)
      const of = Option.flatMap(found, ({ round }) => round.replayOf)
      return runOf(task, Option.fromNullable(last.get(task.taskId)), of, summaryOf(task))
    })
  )
})

/** The attempt that a replay's task runs again; none for other tasks. */
export const replayOf = traced("SideBySide.replayOf")(function* (round: Round) {
  const store = yield* Store
  const attempt = yield* Option.match(Option.flatMap(round.replayOf, readId), {
    onNone: () => Effect.succeedNone,
    onSome: store.attempts.find
  })
  if (Option.isNone(attempt)) return Option.none<Run>()
  const { attemptId, taskId } = attempt.value
  const found = yield* store.tasks.find(taskId)
  if (Option.isNone(found)) return Option.none<Run>()
  const { round: itsRound, task } = found.value
  const last = (yield* store.attempts.lastOfTasks([taskId])).get(taskId)
  // A task keeps the outcome of its last attempt only.
  const summary = last?.attemptId === attemptId ? summaryOf(task) : Option.none<string>()
  return Option.some(runOf(task, attempt, itsRound.replayOf, summary))
})

const readId = Schema.decodeUnknownOption(AttemptId)

const summaryOf = (task: Task): Option.Option<string> =>
  Option.map(task.outcome, (outcome) => abridged(outcome.operatorSummary, MOST_SUMMARY))

const runOf = (
  task: Task,
  attempt: Option.Option<Attempt>,
  ofAttemptId: Option.Option<string>,
  operatorSummary: Option.Option<string>
): Run => ({
  taskId: task.taskId,
  attemptId: Option.map(attempt, (one) => one.attemptId),
  ofAttemptId,
  adapterId: Option.orElse(
    Option.flatMap(attempt, (one) => one.adapterId),
    () => task.requestedAdapter
  ),
  model: Option.flatMap(attempt, (one) => one.model),
  status: task.status,
  exitStatus: Option.flatMap(attempt, (one) => one.exitStatus),
  reason: Option.flatMap(attempt, (one) => one.reason),
  bundleHash: Option.flatMap(attempt, (one) => one.bundleHash),
  usage: Option.map(attempt, (one) => one.usage),
  durationMs: Option.flatMap(attempt, durationOf),
  operatorSummary
})
