import { Effect } from "effect"
import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { heading, table } from "./Doc.ts"
import { fileOption, fileUsage, readDocument, stdinArgument } from "./Input.ts"

const said = (created: boolean): string => (created ? "created" : "was there")

export const seedBacklog = command({
  name: "seed-backlog",
  group: "Work",
  summary: "queue a file of workflows and tasks, each of them once",
  description:
    "Reads { workflows: [{ template, instance_key, state, context }], tasks: [intent] }. A workflow is known by its instance_key, a task by its source and subject, whatever became of it: a second run makes nothing. One entry that is wrong refuses the whole file.",
  usage: fileUsage,
  example: "agent-runtime seed-backlog --file fixtures/backlog.json",
  arguments: [stdinArgument],
  options: [fileOption],
  run: (input) =>
    Effect.flatMap(readDocument(input), (document) =>
      ask(async () => (await import("../operate/Backlog.ts")).seed, document)
    ),
  view: ({ tasks, workflows }) => [
    heading("Workflows"),
    table(
      [{ title: "id", keep: true }, "key", "now"],
      workflows.map((one) => [one.workflow_id, one.instance_key, said(one.created)])
    ),
    heading("Tasks"),
    table(
      [{ title: "task", keep: true }, "kind", "source", "now"],
      tasks.map((one) => [one.task_id, one.kind, one.source, said(one.created)])
    )
  ]
})
