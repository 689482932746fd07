import { Effect, Layer, Option } from "effect"
import { bind, command } from "../../src/cli/Command.ts"
import { fields, heading, status, table } from "../../src/cli/Doc.ts"
import { documentOptions, documentUsage, readDocument, stdinArgument } from "../../src/cli/Input.ts"
import type { Program } from "../../src/cli/Main.ts"
import { emit } from "../../src/cli/Output.ts"
import { Refusal } from "../../src/operate/Refusal.ts"
import { StoreUnavailable } from "../../src/store/StoreError.ts"

const MANY = 120_000

const rows = [
  { task_id: "0196a1b2-0000-7000-8000-000000000001", status: "completed", subject: "Write the story" },
  {
    task_id: "0196a1b2-0000-7000-8000-000000000002",
    status: "blocked",
    subject: "\u001b[2Jhostile \u202etxet"
  }
]

export const taskList = command({
  name: "task-list",
  group: "Tasks",
  summary: "list tasks, newest first",
  description: "Lists the tasks that fit all filters. `next` is null on the last page.",
  example: "agent-runtime task-list --status pending,running --limit 5",
  arguments: [],
  options: [
    {
      name: "status",
      kind: "choice",
      values: ["pending", "running", "completed", "blocked", "operator_canceled"],
      list: true,
      separator: ",",
      description: "Only tasks with one of these statuses."
    },
    { name: "kind", kind: "text", list: true, description: "Only tasks of this kind." },
    { name: "limit", kind: "integer", min: 1, max: 500, default: 50, description: "How many at most." },
    { name: "after", kind: "text", value: "CURSOR", description: "The page after this one." }
  ],
  run: ({ status, kind, limit, after }) =>
    Effect.succeed({
      tasks: rows.slice(0, limit),
      next: null,
      asked: { status, kind, after: Option.getOrNull(after) }
    }),
  view: ({ tasks }) => [
    table(
      [{ title: "task", keep: true }, "status", "subject"],
      tasks.map((one) => [one.task_id, status(one.status), one.subject]),
      "no task fits"
    )
  ]
})

export const taskShow = command({
  name: "task-show",
  group: "Tasks",
  summary: "show one task",
  example: "agent-runtime task-show 0196a1b2-0000-7000-8000-000000000001",
  arguments: [{ name: "id", required: true, live: "tasks", description: "The task's id." }],
  options: [
    { name: "dry-run", kind: "flag", description: "Change nothing." },
    { name: "note", kind: "text", description: "A remark." }
  ],
  run: ({ id, dryRun, note }) =>
    Effect.gen(function* () {
      if (id === "missing")
        return yield* new Refusal({
          code: "task_not_found",
          message: `there is no task ${id}`,
          hint: "List them with `agent-runtime task-list`."
        })
      return { task: { id, dry_run: dryRun, note: Option.getOrNull(note) } }
    }),
  view: ({ task }) => [
    heading("Task"),
    fields([
      ["id", task.id],
      ["dry run", task.dry_run],
      ["note", task.note]
    ])
  ]
})

export const intake = command({
  name: "intake",
  group: "Tasks",
  summary: "queue a task",
  usage: documentUsage,
  example: "agent-runtime intake --file fixtures/task.json",
  arguments: [stdinArgument],
  options: [...documentOptions],
  run: (input) => Effect.map(readDocument(input), (document) => ({ document }))
})

export const workflowCreate = command({
  name: "workflow-create",
  group: "Workflows",
  summary: "open a workflow",
  example: "agent-runtime workflow-create --template goal-loop --instance_key a",
  arguments: [],
  options: [
    {
      name: "template",
      kind: "text",
      required: true,
      live: "templates",
      description: "The template's name."
    },
    { name: "instance_key", kind: "text", required: true, description: "The workflow's unique key." },
    { name: "context", kind: "json", description: "Values for the template." },
    { name: "share", kind: "number", min: 0, description: "A part." }
  ],
  run: ({ template, instanceKey }) => Effect.succeed({ created: true, template, instance_key: instanceKey }),
  exitCode: ({ template }) => (template === "none" ? 1 : 0)
})

const fail = command({
  name: "fail",
  group: "Faults",
  summary: "end in the way that is named",
  example: "agent-runtime fail store",
  arguments: [{ name: "way", required: true, values: ["store", "bug"], description: "How." }],
  options: [],
  run: ({ way }) =>
    way === "store"
      ? new StoreUnavailable({ path: "state/db.sqlite", reason: "it is locked", remedy: "Wait." })
      : Effect.dieMessage("a bug")
})

const pour = command({
  name: "pour",
  group: "Faults",
  summary: "answer a result of more than 10 MiB",
  example: "agent-runtime pour",
  arguments: [],
  options: [],
  run: () => Effect.succeed(Array.from({ length: MANY }, (_, at) => ({ at, text: "x".repeat(64) })))
})

const follow = command({
  name: "follow",
  group: "Faults",
  summary: "write lines without end",
  example: "agent-runtime follow",
  resident: true,
  arguments: [],
  options: [],
  run: () => Effect.forever(emit({ line: "x".repeat(200) }))
})

const wait = (name: string, resident: boolean) =>
  command({
    name,
    group: "Faults",
    summary: "wait for a signal",
    example: `agent-runtime ${name}`,
    resident,
    arguments: [],
    options: [],
    run: () =>
      Effect.acquireUseRelease(
        Effect.zipRight(Effect.logInfo("waiting"), emit({ ready: true })),
        () => Effect.never,
        () => Effect.ignore(emit({ released: true }))
      )
  })

/** More than a pipe and the queue before it hold. */
const LINES = 6000

const chatter = command({
  name: "chatter",
  group: "Faults",
  summary: "log much, then wait for a signal",
  example: "agent-runtime chatter",
  resident: true,
  arguments: [],
  options: [{ name: "lines", kind: "integer", min: 1, default: LINES, description: "How many." }],
  run: ({ lines }) =>
    Effect.gen(function* () {
      for (let at = 0; at < lines; at++) yield* Effect.logInfo(`${at} ${"x".repeat(200)}`)
      yield* emit({ logged: lines })
      return yield* Effect.never
    }).pipe(Effect.ensuring(Effect.logInfo("last")))
})

const noLayer = () => Layer.empty

/** A small program of commands as the real ones are made. */
export const sampleProgram: Program = {
  name: "agent-runtime",
  version: "9.8.7",
  summary: "the runtime of one agent on one host",
  commands: [
    bind(intake, noLayer),
    bind(taskList, noLayer),
    bind(taskShow, noLayer),
    bind(workflowCreate, noLayer),
    bind(fail, noLayer),
    bind(pour, noLayer),
    bind(follow, noLayer),
    bind(chatter, noLayer),
    bind(wait("wait", false), noLayer),
    bind(wait("serve", true), noLayer)
  ]
}

export const sampleDefinitions = sampleProgram.commands.map((one) => one.definition)
