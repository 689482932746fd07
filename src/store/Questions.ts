import type { DateTime, Effect, Option } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import type { AskedQuestion } from "../domain/AskedQuestion.ts"
import type { AttemptId, QuestionId, TaskId } from "../domain/Ids.ts"
import type { Question } from "../domain/Outcome.ts"
import type { Task } from "../domain/Task.ts"
import type { StoreUnavailable } from "./StoreError.ts"

export interface QuestionPage {
  readonly questions: ReadonlyArray<AskedQuestion>
  /** Opaque; none on the last page. */
  readonly next: Option.Option<string>
}

/** `NotOpen`: somebody was quicker, or the task went on without an answer; nothing was changed. */
export type Answered =
  | { readonly _tag: "Answered"; readonly task: Task; readonly question: AskedQuestion }
  | { readonly _tag: "NotOpen" }

/** What attempts ask their operator. `Tasks.cancel` and `Tasks.retry` withdraw what is open. */
export interface Questions {
  /** Puts a question to the operator; it belongs into the transaction that ends the attempt. */
  readonly ask: (
    asked: {
      readonly questionId: QuestionId
      readonly taskId: TaskId
      readonly attemptId: AttemptId
      readonly question: Question
    },
    stamp: Stamp
  ) => Effect.Effect<void, StoreUnavailable>
  /** The last question of a task, open or not; none when it never asked. */
  readonly lastOf: (id: TaskId) => Effect.Effect<Option.Option<AskedQuestion>, StoreUnavailable>
  /** Open ones, newest first. `limit` 1..500; a cursor that this store did not give answers none. */
  readonly list: (page: {
    readonly limit: number
    readonly after: Option.Option<string>
  }) => Effect.Effect<Option.Option<QuestionPage>, StoreUnavailable>
  /** The answers that belong into a task's prompts, first to last, at most the newest 20. */
  readonly standing: (id: TaskId) => Effect.Effect<ReadonlyArray<AskedQuestion>, StoreUnavailable>
  /** Answers an open question and begins a fresh round of its task. */
  readonly answer: (
    questionId: QuestionId,
    answer: string,
    stamp: Stamp
  ) => Effect.Effect<Answered, StoreUnavailable>
  /** Open questions whose time had run out by `now` and that `expire` has not marked, at most 100, earliest first. */
  readonly ranOut: (now: DateTime.Utc) => Effect.Effect<ReadonlyArray<AskedQuestion>, StoreUnavailable>
  /** Marks an open question as expired, once; false when it was marked or closed meanwhile. */
  readonly expire: (questionId: QuestionId, stamp: Stamp) => Effect.Effect<boolean, StoreUnavailable>
  /** When the next open question runs out; none when none will. */
  readonly nextExpiry: Effect.Effect<Option.Option<DateTime.Utc>, StoreUnavailable>
}
