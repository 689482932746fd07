import { DateTime, Option, Schema } from "effect"
import { Actor } from "./Actor.ts"
import { AttemptId, QuestionId, TaskId } from "./Ids.ts"
import { Time } from "./Time.ts"
import { nullable, whenUsed, wireStruct } from "./Wire.ts"

/** A question that an attempt has put to its operator, and what became of it. A task has at most one open one. */
export const AskedQuestion = whenUsed(() =>
  wireStruct({
    questionId: QuestionId,
    taskId: TaskId,
    attemptId: AttemptId,
    text: Schema.String,
    choices: Schema.Array(Schema.String),
    /** The answer once its time has run out. */
    defaultAnswer: nullable(Schema.String),
    askedAt: Time,
    expiresAt: nullable(Time),
    /** When it was seen that its time had run out. */
    expiredAt: nullable(Time),
    answer: nullable(Schema.String),
    answeredAt: nullable(Time),
    answeredBy: nullable(Actor),
    /** When it stopped being open: answered, or withdrawn by a cancel or a plain retry. */
    closedAt: nullable(Time)
  })
)
export type AskedQuestion = typeof AskedQuestion.Type

export const isOpen = ({ closedAt }: AskedQuestion): boolean => Option.isNone(closedAt)

/** Whether its time had run out by `at`, seen by a dispatcher or not. */
export const isExpired = ({ expiresAt }: AskedQuestion, at: DateTime.Utc): boolean =>
  Option.exists(expiresAt, DateTime.lessThanOrEqualTo(at))
