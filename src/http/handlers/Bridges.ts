import { HttpApiBuilder } from "@effect/platform"
import { Option } from "effect"
import * as Outbox from "../../operate/Outbox.ts"
import * as Questions from "../../operate/Questions.ts"
import { answer } from "../Answer.ts"
import { Api } from "../Api.ts"
import { taking, takingNothing } from "../Body.ts"
import { AnswerBody } from "../groups/Bridges.ts"

/** Rows of a list where the caller does not say how many. */
const ROWS = 50

export const bridges = HttpApiBuilder.group(Api, "bridges", (handlers) =>
  handlers
    .handle("questions", ({ urlParams: { after, limit = ROWS } }) =>
      answer(Questions.list, { limit, after: Option.fromNullable(after) })
    )
    .handleRaw("answer", ({ path: { id } }) =>
      taking(AnswerBody, ({ choice, text }) =>
        answer(Questions.answer, {
          id,
          choice: Option.fromNullable(choice),
          text: Option.fromNullable(text)
        })
      )
    )
    .handle("outbox", ({ urlParams: { after, all = false, limit = ROWS } }) =>
      answer(Outbox.list, { all, limit, after: Option.fromNullable(after) })
    )
    .handleRaw("ack", ({ path: { id } }) => takingNothing(() => answer(Outbox.ack, { id })))
)
