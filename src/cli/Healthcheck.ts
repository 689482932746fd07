import { Effect, Option } from "effect"
import { ConfigInvalid, ConfigMissing } from "../config/ConfigError.ts"
import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { fields, heading, text, toned } from "./Doc.ts"
import { counted, type Finding, findings, notRunning } from "./Findings.ts"
import { ticking } from "./Progress.ts"

interface Part {
  readonly problems: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
}

const warningsOf = (of: string, { warnings }: Part): ReadonlyArray<Finding> =>
  warnings.map((wrong) => ({ of, wrong }))

const problemsOf = (of: string, { problems }: Part): ReadonlyArray<Finding> =>
  problems.map((wrong) => ({ of, wrong }))

/** `3 adapters`, `1 profile`. */
const many = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`

export const healthcheck = command({
  name: "healthcheck",
  group: "Look",
  summary: "configuration, profiles, adapters, store and disk",
  description:
    "Says what is wrong and what mends it. Exit code 1 when anything is not ok; warnings do not count.",
  example: "agent-runtime healthcheck",
  arguments: [],
  options: [{ name: "deep", kind: "flag", description: "Have SQLite check the whole database too." }],
  run: (input) =>
    ticking(
      "checking",
      ask(async () => (await import("../operate/Health.ts")).healthcheck, input)
    ),
  instead: (error) =>
    error instanceof ConfigInvalid || error instanceof ConfigMissing
      ? Option.some(
          Effect.promise(async () => (await import("../operate/Health.ts")).withoutConfiguration(error))
        )
      : Option.none(),
  exitCode: (health) => (health.ok ? 0 : 1),
  view: ({ adapters, checks, config_issues, disk, ok, profiles, store }) => {
    const others: ReadonlyArray<readonly [string, Part]> = [
      ...profiles.map((one) => [`profile ${one.id}`, one] as const),
      ...(store === null ? [] : [["store", store] as const]),
      ...(disk === null ? [] : [["disk", disk] as const]),
      ...checks.map((one) => [one.id, one] as const)
    ]
    const problems: ReadonlyArray<Finding> = [
      ...config_issues.map((wrong) => ({ of: "configuration", wrong })),
      ...adapters.filter((one) => !one.ok).flatMap((one) => notRunning(one)),
      ...others.flatMap(([of, part]) => problemsOf(of, part))
    ]
    const warnings = [
      ...adapters.flatMap((one) => warningsOf(`adapter ${one.id}`, one)),
      ...others.flatMap(([of, part]) => warningsOf(of, part))
    ]
    return [
      fields([["health", ok ? toned("ok", "good") : toned(counted(problems.length), "bad")]]),
      ...findings(problems, warnings),
      ...(store === null
        ? []
        : [
            heading("Looked at"),
            text(
              [
                many(adapters.length, "adapter"),
                many(profiles.length, "profile"),
                "the store",
                "the disk",
                ...checks.map((one) => one.id)
              ].join(", ")
            )
          ])
    ]
  }
})
