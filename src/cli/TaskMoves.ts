import { Effect, Option } from "effect"
import type { TaskStatus } from "../domain/Task.ts"
import type { CandidateKind } from "../operate/CandidateKinds.ts"
import { ask } from "./Ask.ts"
import { command, type OptionDefinition } from "./Command.ts"
import { type Doc, fields, heading, status, table } from "./Doc.ts"
import { afterOption } from "./Input.ts"
import { telling } from "./Progress.ts"
import { filterOptions } from "./Tasks.ts"
import { UsageError } from "./UsageError.ts"

const id = (live: CandidateKind) =>
  [
    {
      name: "id",
      required: false,
      live,
      description: "The task's id, or so much of its beginning that is no other's."
    }
  ] as const

const usage = "(ID | --matching FILTERS [--dry-run])"

/** One task by its id, or all that fit filters. */
const many = [
  {
    name: "matching",
    kind: "flag",
    description: "Instead of one: all tasks that fit --status, --kind and --source."
  },
  { name: "dry-run", kind: "flag", description: "With --matching: only count them." },
  ...filterOptions,
  {
    name: "limit",
    kind: "integer",
    min: 1,
    description: "With --matching: this many at most, newest first."
  },
  afterOption
] as const satisfies ReadonlyArray<OptionDefinition>

interface Named {
  readonly id: Option.Option<string>
  readonly matching: boolean
  readonly dryRun: boolean
  readonly status: ReadonlyArray<TaskStatus>
  readonly kind: Option.Option<string>
  readonly source: Option.Option<string>
  readonly limit: Option.Option<number>
  readonly after: Option.Option<string>
}

const wrong = (of: string, what: string, remedy: string) =>
  new UsageError({ command: of, problems: [{ wrong: what, remedy }] })

/** The id of the one task that is meant; none when it is all that fit. */
const meant = (of: string, given: Named): Effect.Effect<Option.Option<string>, UsageError> => {
  const { after, dryRun, id: one, kind, limit, matching, source, status: statuses } = given
  if (matching)
    return Option.match(one, {
      onNone: () => Effect.succeedNone,
      onSome: (named) => wrong(of, `it is given the task ${named} and --matching`, "give one of them")
    })
  if (dryRun) return wrong(of, "--dry-run counts what fits filters", "it goes with --matching")
  if (statuses.length > 0 || [kind, source, limit, after].some((filter) => Option.isSome<unknown>(filter)))
    return wrong(of, "there are filters", `with --matching ${of} moves all tasks that fit them`)
  return Option.isSome(one)
    ? Effect.succeed(one)
    : wrong(of, "ID is missing: the task's id", "or name many with --matching and filters")
}

const those = ({ after, dryRun, kind, limit, source, status: statuses }: Named) => ({
  filter: { status: statuses, kind, source },
  limit,
  after,
  dryRun
})

interface BulkAnswer {
  readonly matched: number
  readonly moved: number
  readonly refused: number
  readonly dry_run: boolean
  readonly bulk_id: string | null
  readonly refusals: ReadonlyArray<{ readonly task_id: string; readonly why: string }>
}

interface OneAnswer {
  readonly ok: boolean
  readonly task_id: string
  readonly status: string
}

const view = (found: OneAnswer | BulkAnswer): Doc => {
  if ("task_id" in found)
    return [
      fields([
        ["task", found.task_id],
        ["is", status(found.status)]
      ])
    ]
  return [
    fields([
      ["matched", found.matched],
      ["moved", found.dry_run ? "0 (it was a dry run)" : found.moved],
      [found.dry_run ? "would be refused" : "refused", found.refused],
      ["marked in the history", found.bulk_id]
    ]),
    ...(found.refusals.length === 0
      ? []
      : [
          heading("Refused"),
          table(
            [{ title: "task", keep: true }, "because"],
            found.refusals.map((one) => [one.task_id, one.why])
          )
        ])
  ]
}

const bulk = async () => await import("../operate/Bulk.ts")
const tasks = async () => await import("../operate/Tasks.ts")

/** A number as it is told while many are moved. */
export const looked = (count: number): string => `${count} tasks so far`

export const taskCancel = command({
  name: "task-cancel",
  group: "Steer",
  summary: "cancel a task, or all that fit filters",
  description:
    "A task that runs is canceled only with --force: its adapter's whole process tree is stopped first. The answer is then `cancel_requested` at once, while its dispatcher does it.\nWith --matching it moves many, a hundred in a transaction, and answers how many were `matched`, `moved` and `refused`; their events have the same bulk_id.",
  usage,
  example: "agent-runtime task-cancel --matching --kind note --status pending --dry-run",
  arguments: id("open-tasks"),
  options: [
    { name: "force", kind: "flag", description: "Cancel also what runs." },
    { name: "reason", kind: "text", description: "Why; it stands in the history." },
    ...many
  ],
  run: (input) =>
    Effect.gen(function* () {
      const { force, reason } = input
      const one = yield* meant("task-cancel", input)
      if (Option.isSome(one))
        return yield* ask(async () => (await tasks()).cancel, { id: one.value, reason, force })
      return yield* telling(looked, (tell) =>
        ask(async () => (await bulk()).cancelMatching, { ...those(input), reason, force, tell })
      )
    }),
  view
})

export const taskRetry = command({
  name: "task-retry",
  group: "Steer",
  summary: "give blocked or ended tasks a fresh round of attempts",
  description:
    "The history stays. With --matching it moves many, a hundred in a transaction, and answers how many were `matched`, `moved` and `refused`; their events have the same bulk_id.",
  usage,
  example: "agent-runtime task-retry 0196a1b2-0000-7000-8000-000000000001 --note 'the key is there now'",
  arguments: id("ended-tasks"),
  options: [{ name: "note", kind: "text", description: "What the next attempt should know." }, ...many],
  run: (input) =>
    Effect.gen(function* () {
      const { note } = input
      const one = yield* meant("task-retry", input)
      if (Option.isSome(one)) return yield* ask(async () => (await tasks()).retry, { id: one.value, note })
      return yield* telling(looked, (tell) =>
        ask(async () => (await bulk()).retryMatching, { ...those(input), note, tell })
      )
    }),
  view
})
