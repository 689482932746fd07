import { DateTime, Duration, Effect, Option } from "effect"
import { quoted } from "../domain/Abridged.ts"
import { now } from "../domain/Time.ts"
import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { status, table, text } from "./Doc.ts"
import { limitOption } from "./Input.ts"
import { UsageError } from "./UsageError.ts"

const UNITS: Readonly<Record<string, Duration.Duration>> = {
  m: Duration.minutes(1),
  h: Duration.hours(1),
  d: Duration.days(1)
}

/** A time as people name it: ISO 8601, or how long ago (`30m`, `12h`, `2d`); none where none is given. */
export const momentOf = (option: string, given: Option.Option<string>) =>
  Effect.gen(function* () {
    if (Option.isNone(given)) return Option.none<DateTime.Utc>()
    const ago = /^(\d{1,5})([mhd])$/.exec(given.value)
    if (ago !== null)
      return Option.some(
        DateTime.subtractDuration(
          yield* now,
          Duration.times(UNITS[ago[2] ?? "h"] ?? Duration.zero, Number(ago[1]))
        )
      )
    const read = /^\d{4}-\d\d-\d\d/.test(given.value) ? DateTime.make(given.value) : Option.none()
    if (Option.isSome(read)) return Option.some(DateTime.toUtc(read.value))
    return yield* new UsageError({
      command: "attempt-list",
      problems: [
        {
          wrong: `--${option}: found ${quoted(given.value)}, expected a time such as 2026-04-29T07:00:00Z, or how long ago: 30m, 12h, 2d, at most 99999 of them`,
          remedy: ""
        }
      ]
    })
  })

export const attemptList = command({
  name: "attempt-list",
  group: "Look",
  summary: "what ran, newest first: of the last day, or since a time",
  description:
    "A line for each attempt that was begun in that time, with its task and how it ended. `more` says that there are older ones in it than --limit shows.",
  example: "agent-runtime attempt-list --since 12h",
  arguments: [],
  options: [
    {
      name: "since",
      kind: "text",
      value: "TIME",
      description: "From then on: a time, or 30m, 12h, 2d ago. (default 24h)"
    },
    { name: "until", kind: "text", value: "TIME", description: "Before then." },
    limitOption
  ],
  run: (input) =>
    Effect.gen(function* () {
      const since = yield* momentOf("since", input.since)
      const until = yield* momentOf("until", input.until)
      return yield* ask(async () => (await import("../operate/AttemptList.ts")).listAttempts, {
        since,
        until,
        limit: input.limit
      })
    }),
  view: ({ attempts, more }) => [
    table(
      ["started", "ended", "exit", "adapter", "subject", { title: "task", keep: true }, "reason"],
      attempts.map((one) => [
        one.started_at,
        one.ended_at,
        one.status === "running" ? status("running") : status(one.exit_status),
        one.adapter_id,
        one.subject ?? one.kind,
        one.task_id,
        one.reason
      ]),
      "nothing ran"
    ),
    ...(more ? [text("There are older ones: raise --limit, or name --until.")] : [])
  ]
})
