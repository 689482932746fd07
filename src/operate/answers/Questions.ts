import { Schema } from "effect"
import { TaskId } from "../../domain/Ids.ts"
import { Time } from "../../domain/Time.ts"
import { nullable, wireStruct } from "../../domain/Wire.ts"

const OpenQuestion = wireStruct({
  taskId: TaskId,
  text: Schema.String,
  choices: Schema.Array(Schema.String),
  askedAt: Time,
  expiresAt: nullable(Time),
  default: nullable(Schema.String),
  expired: Schema.Boolean
})

/** Questions that wait for an answer, newest first. */
export const QuestionList = wireStruct({
  questions: Schema.Array(OpenQuestion),
  next: nullable(Schema.String)
}).annotations({ identifier: "QuestionList" })

/** What was answered, and the status that the task has now. */
export const AnsweredQuestion = wireStruct({
  ok: Schema.Boolean,
  taskId: TaskId,
  status: Schema.String,
  question: Schema.String,
  answer: Schema.String
}).annotations({ identifier: "AnsweredQuestion" })
