import { Either, Option } from "effect"
import { Round, Task } from "../../src/domain/Task.ts"
import type { RecordInvalid } from "../../src/store/StoreError.ts"
import { plainTask } from "./plainTask.ts"
import { EPOCH, reader, salvager, toWire } from "./rows.ts"
import type { Row } from "./Sqlite.ts"

const readTask = reader("tasks", "task_id", Task)
const readRound = reader("tasks", "task_id", Round)

export interface TaskAndRound {
  readonly task: Task
  readonly round: Round
}

/** Task and round of a row as their schemas read it, or what does not decode. */
export const bySchema = (row: Row): Either.Either<TaskAndRound, RecordInvalid> => {
  const wire = toWire(row)
  return Either.flatMap(readTask(row, wire), (task) =>
    Either.map(readRound(row, wire), (round) => ({ task, round }))
  )
}

/** The same, sooner where there is nothing special about the row. */
export const strict = (row: Row): Either.Either<TaskAndRound, RecordInvalid> =>
  Option.match(plainTask(row), { onNone: () => bySchema(row), onSome: Either.right })

const salvagedTask = salvager(
  Task,
  {
    task_id: "unreadable",
    priority: 0,
    payload: {},
    max_attempts: 1,
    attempt_count: 0,
    created_at: EPOCH,
    updated_at: EPOCH,
    available_at: EPOCH
  },
  (problem) => ({ last_error: `this record is damaged: ${problem}` })
)
const salvagedRound = salvager(Round, { round: 1, not_counted: 0, generation: 0 }, () => ({}))

/**
 * Task and round of a row, whatever is in it: a damaged column is shown empty and named in `last_error`, so
 * that lists go on and an operator sees which record to mend.
 */
export const lenient = (row: Row): TaskAndRound =>
  Either.getOrElse(strict(row), ({ problem }) => ({
    task: salvagedTask(row, problem),
    round: salvagedRound(row, problem)
  }))
