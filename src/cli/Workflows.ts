import { Effect, Either, Option } from "effect"
import { decode, Invalid } from "../config/Issues.ts"
import { parseJson } from "../config/JsonText.ts"
import { JsonObject } from "../domain/Json.ts"
import { WORKFLOW_STATUSES } from "../domain/WorkflowStatuses.ts"
import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { fields, heading, status, table, text } from "./Doc.ts"
import { afterOption, limitOption } from "./Input.ts"
import { write } from "./Output.ts"
import { UsageError } from "./UsageError.ts"

const operations = () => import("../operate/Workflows.ts")

const named = [
  { name: "id", kind: "integer", min: 1, live: "workflow-ids", description: "The workflow's id." },
  {
    name: "instance_key",
    kind: "text",
    value: "KEY",
    live: "workflow-keys",
    description: "The workflow's key, instead of its id."
  }
] as const

const context = {
  name: "context",
  kind: "json",
  description: "An object of values for the context."
} as const

/** What an active workflow waits for. */
const waitWords = (
  waits: {
    readonly task_id: string
    readonly dedupe_key: string | null
    readonly question: string | null
  } | null
): string | null => {
  if (waits === null) return null
  return waits.question === null
    ? `task ${waits.task_id}, which holds the dedupe_key ${waits.dedupe_key}`
    : `an answer to task ${waits.task_id}: ${waits.question}`
}

/** One of the two names of a workflow. */
const only = <I extends { readonly id: Option.Option<number>; readonly instanceKey: Option.Option<string> }>(
  name: string,
  input: I
) =>
  Option.isSome(input.id) === Option.isSome(input.instanceKey)
    ? Effect.fail(
        new UsageError({
          command: name,
          problems: [
            {
              wrong: Option.isSome(input.id)
                ? "--id and --instance_key name the workflow twice"
                : "nothing names the workflow",
              remedy: "give one of --id and --instance_key"
            }
          ]
        })
      )
    : Effect.succeed(input)

const contextOf = (given: Option.Option<string>): Effect.Effect<JsonObject, Invalid> =>
  Option.match(given, {
    onNone: () => Effect.succeed({}),
    onSome: (source) =>
      Either.mapLeft(
        parseJson(source),
        (faults) =>
          new Invalid({
            problems: faults.map(({ expected, remedy, wrong }) => ({
              kind: "rule",
              path: "--context",
              found: wrong,
              expected,
              remedy
            }))
          })
      ).pipe(
        Either.flatMap((value) =>
          Either.mapLeft(
            decode(JsonObject)(value),
            ({ problems }) =>
              new Invalid({
                problems: problems.map((one) => ({
                  ...one,
                  path: one.path === "" ? "--context" : `--context: ${one.path}`
                }))
              })
          )
        )
      )
  })

export const workflowCreate = command({
  name: "workflow-create",
  group: "Work",
  summary: "open a workflow and queue its first task",
  description:
    "While a workflow has the key, that one is answered with `created` false and nothing is made. agent-runtime workflow-templates shows what there is.",
  example: `agent-runtime workflow-create --template goal-loop --instance_key pump --context '{"summary":"quiet the pump"}'`,
  arguments: [],
  options: [
    {
      name: "template",
      kind: "text",
      required: true,
      value: "NAME",
      live: "templates",
      description: "The template."
    },
    {
      name: "instance_key",
      kind: "text",
      required: true,
      value: "KEY",
      description: "Its name, unique for ever."
    },
    context,
    { name: "state", kind: "text", description: "The state to begin in; the template's first by default." }
  ],
  run: (input) =>
    Effect.flatMap(contextOf(input.context), (given) =>
      ask(async () => (await operations()).create, { ...input, context: given })
    )
})

export const workflowList = command({
  name: "workflow-list",
  group: "Look",
  summary: "workflows that go on or are stalled",
  description: "Newest first. `next` is the cursor of the page after, null on the last one.",
  example: "agent-runtime workflow-list --all",
  arguments: [],
  options: [
    { name: "all", kind: "flag", description: "The completed ones as well." },
    {
      name: "status",
      kind: "choice",
      values: WORKFLOW_STATUSES,
      list: true,
      separator: ",",
      description: "Only workflows with one of these statuses."
    },
    limitOption,
    afterOption
  ],
  run: (input) => ask(async () => (await operations()).list, input),
  view: ({ next, workflows }) => [
    table(
      [{ title: "id", keep: true }, "template", "key", "state", "status", "because"],
      workflows.map((one) => [
        one.id,
        one.template,
        one.instance_key,
        one.current_state,
        status(one.status),
        one.waits_for === null ? one.stalled_reason : `waits for ${waitWords(one.waits_for)}`
      ]),
      "none; open one with agent-runtime workflow-create"
    ),
    ...(next === null ? [] : [fields([["next", next]])])
  ]
})

export const workflowShow = command({
  name: "workflow-show",
  group: "Look",
  summary: "a workflow with its context and history",
  usage: "(--id ID | --instance_key KEY)",
  example: "agent-runtime workflow-show --instance_key pump",
  arguments: [],
  options: named,
  run: (input) =>
    Effect.flatMap(only("workflow-show", input), (one) => ask(async () => (await operations()).show, one)),
  view: (one) => [
    heading(one.instance_key),
    fields([
      ["id", one.id],
      ["template", one.template],
      ["status", status(one.status)],
      ["state", one.current_state],
      ["stalled because", one.stalled_reason],
      ["unfinished task", one.unfinished_task],
      ["waits for", waitWords(one.waits_for)],
      ["created", one.created_at],
      ["completed", one.completed_at]
    ]),
    heading("Context"),
    fields(
      Object.entries(one.context).map(
        ([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)] as const
      )
    ),
    heading("History"),
    table(
      ["id", "event", "by", "at"],
      one.history.map((event) => [event.id, event.event_type, event.actor.name, event.created_at])
    )
  ]
})

export const workflowTransition = command({
  name: "workflow-transition",
  group: "Steer",
  summary: "take a workflow into another state",
  description:
    "Only into states that its present one leads to. Its unfinished task is canceled, a stalled workflow goes on.",
  usage: "(--id ID | --instance_key KEY) --state STATE",
  example: "agent-runtime workflow-transition --id 7 --state execute",
  arguments: [],
  options: [
    ...named,
    { name: "state", kind: "text", required: true, description: "The state to go to." },
    context
  ],
  run: (input) =>
    Effect.flatMap(
      Effect.all([only("workflow-transition", input), contextOf(input.context)]),
      ([one, given]) => ask(async () => (await operations()).transition, { ...one, context: given })
    )
})

export const workflowComplete = command({
  name: "workflow-complete",
  group: "Steer",
  summary: "end a workflow where it is",
  usage: "(--id ID | --instance_key KEY)",
  example: "agent-runtime workflow-complete --id 7",
  arguments: [],
  options: named,
  run: (input) =>
    Effect.flatMap(only("workflow-complete", input), (one) =>
      ask(async () => (await operations()).complete, one)
    )
})

export const workflowTemplates = command({
  name: "workflow-templates",
  group: "Look",
  summary: "the templates that workflows are opened from",
  description: "With --mermaid the diagrams alone, as Mermaid text.",
  example: "agent-runtime workflow-templates --mermaid",
  arguments: [],
  options: [{ name: "mermaid", kind: "flag", description: "Print the state diagrams." }],
  run: (input) =>
    Effect.gen(function* () {
      const found = yield* ask(async () => (await operations()).templates, {})
      if (!input.mermaid) return found
      yield* write(found.templates.map((one) => `%% ${one.name}\n${one.mermaid}`).join("\n"))
      return undefined
    }),
  view: (found) =>
    (found?.templates ?? []).flatMap((one) => [
      heading(one.name),
      text(one.built_in ? "built in" : "of the configuration"),
      table(
        ["state", "task", "signals"],
        Object.entries(one.states).map(([name, state]) => [
          name,
          state.task?.kind ?? null,
          Object.entries(state.on ?? {})
            .map(([signal, to]) => `${signal} -> ${to}`)
            .join(", ")
        ])
      )
    ])
})
