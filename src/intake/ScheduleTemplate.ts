import { DateTime, Effect, Schema } from "effect"
import { decodeWith, type Invalid, type Problem } from "../config/Issues.ts"
import { found } from "../config/Shown.ts"
import { MOST_SCHEDULE_SOURCE } from "../domain/RecurringSchedule.ts"
import type { Intent } from "../domain/Task.ts"
import { readIntent } from "./Enqueue.ts"

/** What is wrong with an intent as the template of a schedule, sound or not by itself; `path` is where it stands. */
export const templateProblems = (
  { available_at, source }: Readonly<Record<string, unknown>>,
  path: string
): ReadonlyArray<Problem> => [
  ...(available_at === undefined
    ? []
    : [
        rule(
          `${path}available_at`,
          "the schedule says when its tasks are due",
          "no such key",
          "use next_run_at"
        )
      ]),
  ...(typeof source !== "string" || Array.from(source).length <= MOST_SCHEDULE_SOURCE
    ? []
    : [
        {
          kind: "unfit" as const,
          path: `${path}source`,
          found: found(source, ["source"]),
          expected: `at most ${MOST_SCHEDULE_SOURCE} characters, for the due time is put behind it`,
          remedy: ""
        }
      ])
]

const rule = (path: string, found: string, expected: string, remedy: string): Problem => ({
  kind: "rule",
  path,
  found,
  expected,
  remedy
})

const together = decodeWith(Schema.Unknown, (fields) => templateProblems(fields, ""))

/** Reads the template of a schedule: an intent that every due time can make a task of. */
export const readTemplate = (input: unknown): Effect.Effect<Intent, Invalid> =>
  Effect.zipLeft(readIntent(input), together(input))

/** What a template becomes for a due time. */
export const intentFor = (template: Intent, dueAt: DateTime.Utc): Intent => ({
  ...template,
  source: `${template.source}:${DateTime.formatIso(dueAt)}`
})
