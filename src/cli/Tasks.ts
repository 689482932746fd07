import { TASK_STATUSES } from "../domain/TaskStatuses.ts"
import { ask } from "./Ask.ts"
import { command, type OptionDefinition } from "./Command.ts"
import { type Doc, fields, heading, status, table, text } from "./Doc.ts"
import { afterOption } from "./Input.ts"

const id = [
  {
    name: "id",
    required: true,
    live: "tasks",
    description: "The task's id, or so much of its beginning that is no other's."
  }
] as const

interface Run {
  readonly task_id: string
  readonly attempt_id: string | null
  readonly adapter_id: string | null
  readonly model: string | null
  readonly status: string
  readonly usage: {
    readonly input_tokens: number | null
    readonly output_tokens: number | null
    readonly cost_usd: number | null
  } | null
  readonly duration_ms: number | null
  readonly operator_summary: string | null
}

/** Runs of one bundle, side by side. */
const runs = (of: ReadonlyArray<Run>) =>
  table(
    [{ title: "task", keep: true }, "adapter", "model", "status", "ms", "tokens in", "out", "usd", "summary"],
    of.map((one) => [
      one.task_id,
      one.adapter_id,
      one.model,
      status(one.status),
      one.duration_ms,
      one.usage?.input_tokens,
      one.usage?.output_tokens,
      one.usage?.cost_usd,
      one.operator_summary
    ])
  )

/** For a definition's options: which tasks. */
export const filterOptions = [
  {
    name: "status",
    kind: "choice",
    values: TASK_STATUSES,
    list: true,
    separator: ",",
    description: "Only tasks with one of these statuses."
  },
  { name: "kind", kind: "text", filled: true, description: "Only tasks of this kind." },
  { name: "source", kind: "text", filled: true, description: "Only tasks from this source." }
] as const satisfies ReadonlyArray<OptionDefinition>

const listDefinition = {
  name: "task-list",
  group: "Look",
  summary: "tasks, newest first",
  description:
    "Lists the tasks that fit all filters. `next` is the cursor of the page after, null on the last one.\nWith --waiting it lists what waits, of all that is unfinished where no status is given, each task with why and until when.",
  example: "agent-runtime task-list --status blocked,retryable_failure --limit 10",
  arguments: [],
  options: [
    ...filterOptions,
    { name: "waiting", kind: "flag", description: "Only tasks that wait, each with why." },
    { name: "limit", kind: "integer", min: 1, max: 500, default: 50, description: "How many at most." },
    afterOption
  ]
} as const

const following = (next: string | null, partial?: true): Doc =>
  next === null
    ? []
    : [
        fields([
          ["next", next],
          ...(partial ? [["partial", "10,000 rows were read; the page after may have more"] as const] : [])
        ])
      ]

export const taskList = command({
  ...listDefinition,
  run: (input) => ask(async () => (await import("../operate/Tasks.ts")).list, input),
  view: ({ next, partial, tasks }) => [
    table(
      [{ title: "task", keep: true }, "status", "kind", "subject", "created"],
      tasks.map((task) => [task.task_id, status(task.status), task.kind, task.subject, task.created_at]),
      "no task fits"
    ),
    ...following(next, partial)
  ]
})

/** `task-list --waiting`, which looks at adapters and the lock as well. */
export const taskListWaiting = command({
  ...listDefinition,
  run: (input) => ask(async () => (await import("../operate/WaitingTasks.ts")).waitingTasks, input),
  view: ({ next, tasks }) => [
    table(
      [{ title: "task", keep: true }, "status", "subject", "waits for", "because", "until"],
      tasks.map((task) => [
        task.task_id,
        status(task.status),
        task.subject ?? task.kind,
        status(task.waiting.reason),
        task.waiting.detail,
        task.waiting.until
      ]),
      "nothing waits"
    ),
    ...following(next)
  ]
})

/** What stood out in attempts: also one that completed may have been refused a tool, or have left a worktree. */
const issuesOf = (
  attempts: ReadonlyArray<{ readonly number: number; readonly issues: ReadonlyArray<string> }>
): Doc => {
  const lines = attempts.flatMap(({ issues, number }) => issues.map((issue) => `attempt ${number}: ${issue}`))
  return lines.length === 0 ? [] : [heading("Issues"), text(...lines)]
}

export const taskShow = command({
  name: "task-show",
  group: "Look",
  summary: "the whole story of one task",
  example: "agent-runtime task-show 0196a1b2-0000-7000-8000-000000000001",
  arguments: id,
  options: [],
  run: (input) => ask(async () => (await import("../operate/Tasks.ts")).show, input),
  view: ({ artifacts, attempts, children, events, replay_of, replays, task, waiting }) => [
    heading(task.subject ?? task.kind),
    fields([
      ["task", task.task_id],
      ["status", status(task.status)],
      ["kind", task.kind],
      ["source", task.source],
      ["priority", task.priority],
      ["attempts", `${task.attempt_count} of ${task.max_attempts}`],
      ["waiting", waiting === null ? null : `${waiting.reason}: ${waiting.detail}`],
      ["until", waiting?.until ?? null],
      ["summary", task.outcome?.operator_summary ?? null],
      ["last error", task.last_error]
    ]),
    heading("Attempts"),
    table(
      ["n", "adapter", "exit", "reason", "started", "ended"],
      attempts.map((one) => [
        one.number,
        one.adapter_id,
        one.exit_status,
        one.reason,
        one.started_at,
        one.ended_at
      ]),
      "none yet"
    ),
    ...issuesOf(attempts),
    heading("Artifacts"),
    table(
      ["path", "exists", "bytes"],
      artifacts.map((one) => [one.path, one.exists, one.size]),
      "none"
    ),
    heading("Events"),
    table(
      ["id", "event", "by", "at"],
      events.map((one) => [one.id, one.event_type, one.actor.name, one.created_at])
    ),
    ...(children.length === 0
      ? []
      : [
          heading("Children"),
          table(
            ["task", "status"],
            children.map((one) => [one.task_id, status(one.status)])
          )
        ]),
    ...(replay_of === null ? [] : [heading("Replay of"), runs([replay_of])]),
    ...(replays.length === 0 ? [] : [heading("Replays"), runs(replays)])
  ]
})
