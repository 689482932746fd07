import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "@effect/platform"
import { Schema } from "effect"
import { OperatorText } from "../../domain/Task.ts"
import { MOST_CHOICE } from "../../evidence/Question.ts"
import { AckedMessage, OutboxList } from "../../operate/answers/Outbox.ts"
import { AnsweredQuestion, QuestionList } from "../../operate/answers/Questions.ts"
import { cursor, maybe, orNull, query, strict, toggle, whole } from "../Contract.ts"

const id = HttpApiSchema.param("id", Schema.String)

// What is no choice that was offered is told with those that were.
const Choice = Schema.String.annotations({
  jsonSchema: { type: "string", minLength: 1, maxLength: MOST_CHOICE }
})

/** What `POST /api/tasks/:id/answer` takes: one of the choices that were offered, or words of one's own. */
export const AnswerBody = strict(
  Schema.Struct({ choice: orNull(Choice), text: orNull(OperatorText) }).pipe(
    Schema.filter(({ choice, text }) => {
      if ((choice ?? null) === null && (text ?? null) === null) return "it has neither `choice` nor `text`"
      return (choice ?? null) !== null && (text ?? null) !== null ? "it has both `choice` and `text`" : true
    })
  )
).annotations({ description: "an object with either `choice` or `text`" })

/** What people and programs beside the runtime have to do: questions to answer, messages to send. */
export const Bridges = HttpApiGroup.make("bridges")
  .add(
    HttpApiEndpoint.get("questions", "/api/questions")
      .setUrlParams(query({ limit: maybe(whole(1, 500)), after: maybe(cursor) }))
      .addSuccess(QuestionList)
      .annotate(OpenApi.Summary, "The questions that wait for an answer, newest first")
  )
  .add(
    HttpApiEndpoint.post("answer")`/api/tasks/${id}/answer`
      .setPayload(AnswerBody)
      .addSuccess(AnsweredQuestion)
      .annotate(OpenApi.Summary, "Answers the open question of a task, which goes on at once")
  )
  .add(
    HttpApiEndpoint.get("outbox", "/api/outbox")
      .setUrlParams(query({ all: maybe(toggle), limit: maybe(whole(1, 500)), after: maybe(cursor) }))
      .addSuccess(OutboxList)
      .annotate(OpenApi.Summary, "The messages to send, newest first; all=1 has the acknowledged ones too")
  )
  .add(
    HttpApiEndpoint.post("ack")`/api/outbox/${id}/ack`
      .addSuccess(AckedMessage)
      .annotate(OpenApi.Summary, "Acknowledges a message, once")
  )
