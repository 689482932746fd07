import { Effect, Option } from "effect"
import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { fields, heading, status, table, text } from "./Doc.ts"
import { UsageError } from "./UsageError.ts"

const operations = () => import("../operate/Snapshots.ts")

export const snapshot = command({
  name: "snapshot",
  group: "Look",
  summary: "capture the state of now in a file",
  description:
    "Writes artifacts/snapshots/<time>-<label>.json: status, workflows, queued, blocked and recent tasks, artifact files. Lists that do not hold all there is are named in `truncated`.",
  example: "agent-runtime snapshot --label before-upgrade",
  arguments: [],
  options: [
    { name: "label", kind: "text", description: "A part of the file's name: letters, digits, . _ -" }
  ],
  run: (input) => ask(async () => (await operations()).create, input),
  view: ({ snapshot: one, snapshot_path }) => [
    heading(snapshot_path),
    fields([
      ["captured", one.captured_at],
      ["runtime", one.runtime_name],
      ["workflows", one.workflows.length],
      ["active workflows", one.active_workflows.length],
      ["queued tasks", one.queued_tasks.length],
      ["blocked or retryable", one.blocked_or_retryable_tasks.length],
      ["artifact files", one.artifact_files.length],
      [
        "not in full",
        one.truncated.map(({ list, shown, total }) => `${list}: ${shown} of ${total ?? "more"}`).join(", ")
      ]
    ])
  ]
})

/** Both names, or neither: then the two newest. */
const pair = (before: Option.Option<string>, after: Option.Option<string>) => {
  if (Option.isSome(before) && Option.isSome(after))
    return Effect.succeedSome({ before: before.value, after: after.value })
  if (Option.isNone(before) && Option.isNone(after)) return Effect.succeedNone
  const missing = Option.isNone(before) ? "--before" : "--after"
  return Effect.fail(
    new UsageError({
      command: "report",
      problems: [
        { wrong: `${missing} is missing`, remedy: "give both, or neither for the two newest snapshots" }
      ]
    })
  )
}

interface Figure {
  readonly before: number | null
  readonly after: number | null
  readonly delta: number | null
}

const figure = (label: string, { after, before, delta }: Figure) => [label, before, after, delta]

export const report = command({
  name: "report",
  group: "Look",
  summary: "what changed between two snapshots",
  description: "Without --before and --after the two newest snapshots are compared.",
  usage: "[--before NAME --after NAME]",
  example: "agent-runtime report",
  arguments: [],
  options: [
    { name: "before", kind: "path", value: "NAME", description: "The earlier snapshot, by name or path." },
    { name: "after", kind: "path", value: "NAME", description: "The later snapshot, by name or path." }
  ],
  run: ({ after, before }) =>
    Effect.flatMap(pair(before, after), (both) =>
      Option.isSome(both)
        ? ask(async () => (await operations()).report, both.value)
        : ask(async () => (await operations()).newestReport, {})
    ),
  view: (found) => [
    heading(`${found.before.name} to ${found.after.name}`),
    table(
      ["", "before", "after", "change"],
      [
        figure("tasks completed", found.completed_task_delta),
        figure("tasks queued", found.queued_task_delta),
        ...Object.entries(found.workflow_counts).map(([name, one]) => figure(`workflows ${name}`, one))
      ]
    ),
    heading("Workflows"),
    table(
      ["key", "template", "change", "from", "to"],
      [
        ...found.workflow_state_changes.new.map((one) => [
          one.instance_key,
          one.template,
          "new",
          null,
          one.state
        ]),
        ...found.workflow_state_changes.advanced.map((one) => [
          one.instance_key,
          one.template,
          "advanced",
          one.from,
          one.to
        ]),
        ...found.workflow_state_changes.completed.map((one) => [
          one.instance_key,
          one.template,
          "completed",
          one.from,
          one.to
        ])
      ],
      "none has moved"
    ),
    heading("New artifacts"),
    found.new_artifacts_created.length === 0 ? text("none") : text(...found.new_artifacts_created),
    heading("Blocked or to be retried"),
    table(
      [{ title: "task", keep: true }, "status", "kind", "subject"],
      found.blocked_or_retryable_tasks.map((one) => [
        word(one.task_id),
        status(word(one.status)),
        word(one.kind),
        word(one.subject)
      ])
    ),
    text(
      found.ended_idle === null
        ? "Whether it ended idle is not told."
        : found.ended_idle
          ? "It ended idle."
          : "There was work left in the end.",
      ...found.partial.map((list) => `Of ${list} a snapshot does not hold all.`)
    )
  ]
})

const word = (value: unknown): string | null => (typeof value === "string" ? value : null)
