import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { fields, table } from "./Doc.ts"
import { afterOption, limitOption } from "./Input.ts"

const operations = () => import("../operate/Questions.ts")

export const questionList = command({
  name: "question-list",
  group: "Look",
  summary: "questions that wait for an operator's answer",
  description:
    "What blocked tasks ask. When a question expires, its `default` is the answer; one without stays, and `expired` is true. `next` is the cursor of the page after, null on the last one.",
  example: "agent-runtime question-list",
  arguments: [],
  options: [limitOption, afterOption],
  run: (input) => ask(async () => (await operations()).list, input),
  view: ({ next, questions }) => [
    table(
      [{ title: "task", keep: true }, "question", "choices", "default", "asked", "expires"],
      questions.map((one) => [
        one.task_id,
        one.text,
        one.choices.join(" | "),
        one.default,
        one.asked_at,
        one.expired ? `expired ${one.expires_at}` : one.expires_at
      ]),
      "none waits"
    ),
    ...(next === null ? [] : [fields([["next", next]])])
  ]
})

export const taskAnswer = command({
  name: "task-answer",
  group: "Steer",
  summary: "answer what a blocked task asks",
  description:
    "Begins a fresh round of the task at once; the question and the answer stand in its prompt. --choice is one of those that were offered, --text your own words, whatever was offered.",
  usage: "ID (--choice CHOICE | --text TEXT)",
  example: "agent-runtime task-answer 0196a1b2-0000-7000-8000-000000000001 --choice blue",
  arguments: [{ name: "id", required: true, live: "questions", description: "The task's id." }],
  options: [
    { name: "choice", kind: "text", description: "One of the choices that question-list shows." },
    { name: "text", kind: "text", description: "The answer in your own words." }
  ],
  run: (input) => ask(async () => (await operations()).answer, input)
})
