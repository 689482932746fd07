import { DateTime, Effect, Option } from "effect"
import { Invalid } from "../config/Issues.ts"
import { didYouMean, nearest } from "../config/NearMiss.ts"
import { unaskable } from "../dispatch/Asking.ts"
import { expireQuestionOf, isDecided } from "../dispatch/Expiring.ts"
import { quoted } from "../domain/Abridged.ts"
import { type AskedQuestion, isExpired, isOpen } from "../domain/AskedQuestion.ts"
import type { Round, Task } from "../domain/Task.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { taskRetried } from "../intake/WorkflowStep.ts"
import { Store } from "../store/Store.ts"
import { AnsweredQuestion, QuestionList } from "./answers/Questions.ts"
import { namedTask } from "./NamedId.ts"
import { operation } from "./Operation.ts"
import { badCursor, Refusal } from "./Refusal.ts"
import { said } from "./Said.ts"
import { found } from "./Tasks.ts"

/**
 * The questions that wait for an answer, newest first. `expired` are those whose time has run out; one whose default is the
 * answer then waits for none, whether or not a dispatcher has seen it. So a page may have fewer than `limit` before the last.
 */
export const list = operation({
  name: "questions.list",
  role: "read",
  output: QuestionList,
  run: traced("Questions.list")(function* (input: {
    /** 1..500. */
    readonly limit: number
    readonly after: Option.Option<string>
  }) {
    const store = yield* Store
    const page = yield* store.questions.list(input)
    if (Option.isNone(page)) return yield* badCursor(input.after)
    const at = yield* now
    const waiting = yield* Effect.filter(page.value.questions, (one) =>
      Effect.map(isDecided(one, at), (decided) => !decided)
    )
    const questions = waiting.map((one) => ({
      ...one,
      default: one.defaultAnswer,
      expired: isExpired(one, at)
    }))
    return { questions, next: page.value.next }
  })
})

export interface AnswerInput {
  readonly id: string
  /** One of the choices that were offered. */
  readonly choice: Option.Option<string>
  /** Words of the operator's own, also where choices were offered. */
  readonly text: Option.Option<string>
}

/** The one answer that was given; Invalid where none was, or two. */
const given = ({ choice, text }: AnswerInput) =>
  Option.isSome(choice) === Option.isSome(text)
    ? new Invalid({
        problems: [
          {
            kind: "rule",
            path: "the answer",
            found: Option.isSome(choice) ? "both choice and text" : "neither choice nor text",
            expected: "one of them: --choice C (one that was offered) or --text T (your own words)",
            remedy: "agent-runtime question-list shows what is offered"
          }
        ]
      })
    : Effect.map(
        said("text", text),
        Option.orElse(() => choice)
      )

const notOffered = ({ choices, taskId }: AskedQuestion, choice: string) => {
  const likely = nearest(choice, choices)
  const offered = choices.map((each) => quoted(each)).join(", ")
  return new Refusal({
    code: "choice_not_offered",
    message: `task ${taskId} offers ${offered === "" ? "no choices" : offered}, not ${quoted(choice)}`,
    hint: `${likely === undefined ? "" : `${didYouMean(likely)} `}--text answers in your own words`
  })
}

/** Why nobody is asked: who was quicker, and with what. */
const sayingWhy = (last: Option.Option<AskedQuestion>): string => {
  const answered = Option.flatMap(last, ({ answer, answeredAt, answeredBy }) =>
    Option.all({ answer, answeredAt, answeredBy })
  )
  return Option.match(answered, {
    onNone: () => (Option.isSome(last) ? "its question was withdrawn" : "it has asked nothing"),
    onSome: ({ answer, answeredAt, answeredBy }) =>
      `${answeredBy.name} answered it at ${DateTime.formatIso(answeredAt)}: ${quoted(answer)}`
  })
}

/** There is nothing to answer, which a replay's outcome may leave in doubt: its question was put to nobody. */
const notOpen = (
  { round, task }: { readonly task: Task; readonly round: Round },
  last: Option.Option<AskedQuestion>
) =>
  Effect.gen(function* () {
    const hasQuestion = Option.exists(task.outcome, ({ question }) => question !== undefined)
    const kept = hasQuestion && Option.isNone(last) ? yield* unaskable(round) : Option.none()
    const why = Option.match(kept, {
      onNone: () => sayingWhy(last),
      onSome: (one) => `its question was not asked, as ${one.why}`
    })
    return yield* new Refusal({
      code: "no_open_question",
      message: `task ${task.taskId} waits for no answer, it is ${task.status}: ${why}`,
      hint: Option.match(kept, {
        onNone: () => "agent-runtime question-list shows what waits for one",
        onSome: ({ instead }) => instead
      })
    })
  })

/**
 * Answers the open question of a task and begins a fresh round of it, whose prompt has question and answer. Where its
 * time has run out the default is the answer, whether or not a dispatcher has seen it; without one it can be answered.
 */
export const answer = operation({
  name: "questions.answer",
  role: "operate",
  output: AnsweredQuestion,
  run: traced("Questions.answer")(function* (input: AnswerInput, actor) {
    const store = yield* Store
    const words = yield* given(input)
    const id = yield* namedTask(input.id)
    // In a transaction of its own: what comes of a question that has run out holds, whatever is answered to the caller.
    const at = yield* expireQuestionOf(id)
    const row = yield* found(id)
    const last = yield* store.questions.lastOf(id)
    const open = Option.filter(last, isOpen)
    if (Option.isNone(open) || Option.isNone(words)) return yield* notOpen(row, last)
    const question = open.value
    if (Option.isSome(input.choice) && !question.choices.includes(words.value))
      return yield* notOffered(question, words.value)
    const stamp = { at, actor }
    const answered = yield* store.transact(
      "Questions.answer",
      Effect.tap(store.questions.answer(question.questionId, words.value, stamp), ({ _tag }) =>
        _tag === "Answered" ? taskRetried(id, stamp) : Effect.void
      )
    )
    if (answered._tag === "NotOpen")
      return yield* notOpen(yield* found(id), yield* store.questions.lastOf(id))
    const { status, taskId } = answered.task
    return { ok: true, taskId, status, question: question.text, answer: words.value }
  })
})
