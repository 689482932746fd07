import { Effect, Either, Option } from "effect"
import { decode, Invalid } from "../config/Issues.ts"
import { Time } from "../domain/Time.ts"
import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { fields, heading, table } from "./Doc.ts"
import { documentOptions, documentUsage, readDocument, stdinArgument } from "./Input.ts"

const operations = () => import("../operate/Schedules.ts")
const name = [
  { name: "name", required: true, live: "schedules", description: "The schedule's name." }
] as const

interface Timed {
  readonly interval_seconds: number | null
  readonly cron: string | null
  readonly timezone: string | null
}

const timing = ({ cron, interval_seconds, timezone }: Timed): string =>
  cron === null ? `every ${interval_seconds} s` : `${cron} (${timezone ?? "UTC"})`

export const scheduleCreate = command({
  name: "schedule-create",
  group: "Work",
  summary: "save a recurring schedule",
  description:
    "Saves name, interval_seconds or cron with timezone, and the task to create each time; a schedule that has the name is replaced. Optional: next_run_at, enabled (true), overlap (skip while the last task is unfinished, or allow). The task is judged as an intent is.",
  usage: documentUsage,
  example: "agent-runtime schedule-create --file heartbeat.json",
  arguments: [stdinArgument],
  options: documentOptions,
  run: (input) =>
    Effect.flatMap(readDocument(input), (document) => ask(async () => (await operations()).create, document))
})

export const scheduleList = command({
  name: "schedule-list",
  group: "Look",
  summary: "the recurring schedules",
  example: "agent-runtime schedule-list",
  arguments: [],
  options: [],
  run: () => ask(async () => (await operations()).list, {}),
  view: ({ schedules }) => [
    table(
      [{ title: "name", keep: true }, "timing", "enabled", "next run", "last run", "kind"],
      schedules.map((one) => [
        one.name,
        timing(one),
        one.enabled,
        one.next_run_at,
        one.last_run_at,
        String(one.task.kind ?? "")
      ]),
      "none; save one with agent-runtime schedule-create"
    )
  ]
})

export const scheduleShow = command({
  name: "schedule-show",
  group: "Look",
  summary: "a schedule, and what became of its due times",
  example: "agent-runtime schedule-show heartbeat",
  arguments: name,
  options: [],
  run: (input) => ask(async () => (await operations()).show, input),
  view: ({ fates, schedule }) => [
    heading(schedule.name),
    fields([
      ["timing", timing(schedule)],
      ["enabled", schedule.enabled],
      ["disabled because", schedule.disabled_reason],
      ["next run", schedule.next_run_at],
      ["last run", schedule.last_run_at],
      ["last task", schedule.last_task_id],
      ["overlap", schedule.overlap]
    ]),
    heading("Due times"),
    table(
      ["due", "to", "fate", "task", "reason"],
      fates.map((one) => [
        one.first_due_at,
        one.first_due_at === one.last_due_at ? null : one.last_due_at,
        one.missed === 0 ? one.fate : `${one.fate} (${one.missed} missed)`,
        one.task_id,
        one.reason
      ]),
      "none has come yet"
    )
  ]
})

const timeOf = (option: string, given: Option.Option<string>) =>
  Option.match(given, {
    onNone: () => Effect.succeedNone,
    onSome: (text) =>
      Either.match(decode(Time)(text), {
        onLeft: ({ problems }) =>
          Effect.fail(new Invalid({ problems: problems.map((problem) => ({ ...problem, path: option })) })),
        onRight: Effect.succeedSome
      })
  })

export const scheduleTick = command({
  name: "schedule-tick",
  group: "Work",
  summary: "create the tasks of schedules that are due now",
  description:
    "Evaluates the schedules once, by the clock or as if it were the time of --at. Each that is due creates at most one task, whatever was missed. A time of --at after which one would never be due again is refused.",
  example: "agent-runtime schedule-tick --at 2026-04-29T07:00:00Z",
  arguments: [],
  options: [
    { name: "at", kind: "text", value: "TIME", description: "The time to evaluate at; now by default." }
  ],
  run: ({ at }) =>
    Effect.flatMap(timeOf("--at", at), (given) => ask(async () => (await operations()).tick, { at: given }))
})

export const scheduleEnable = command({
  name: "schedule-enable",
  group: "Steer",
  summary: "turn a schedule on",
  description: "What it missed while it was off is one run, at once.",
  example: "agent-runtime schedule-enable heartbeat",
  arguments: name,
  options: [],
  run: (input) => ask(async () => (await operations()).enable, input)
})

export const scheduleDisable = command({
  name: "schedule-disable",
  group: "Steer",
  summary: "turn a schedule off",
  example: "agent-runtime schedule-disable heartbeat --reason 'the sensor is away'",
  arguments: name,
  options: [{ name: "reason", kind: "text", description: "Why; it stands in the history." }],
  run: (input) => ask(async () => (await operations()).disable, input)
})

export const scheduleDelete = command({
  name: "schedule-delete",
  group: "Steer",
  summary: "remove a schedule; the tasks that it created stay",
  example: "agent-runtime schedule-delete heartbeat",
  arguments: name,
  options: [],
  run: (input) => ask(async () => (await operations()).remove, input)
})
