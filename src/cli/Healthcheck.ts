import { Effect, Option } from "effect"
import { ConfigInvalid, ConfigMissing } from "../config/ConfigError.ts"
import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { fields, heading, table, text, toned } from "./Doc.ts"

const verdict = (ok: boolean) => (ok ? toned("ok", "good") : toned("not ok", "bad"))

const remarks = (row: {
  readonly problems: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
}) => [...row.problems, ...row.warnings.map((warning) => `warning: ${warning}`)].join("; ")

export const healthcheck = command({
  name: "healthcheck",
  group: "Look",
  summary: "configuration, profiles, adapters, store and disk",
  description:
    "Says what is wrong and what mends it. Exit code 1 when anything is not ok; warnings do not count.",
  example: "agent-runtime healthcheck",
  arguments: [],
  options: [{ name: "deep", kind: "flag", description: "Have SQLite check the whole database too." }],
  run: (input) => ask(async () => (await import("../operate/Health.ts")).healthcheck, input),
  instead: (error) =>
    error instanceof ConfigInvalid || error instanceof ConfigMissing
      ? Option.some(
          Effect.promise(async () => (await import("../operate/Health.ts")).withoutConfiguration(error))
        )
      : Option.none(),
  exitCode: (health) => (health.ok ? 0 : 1),
  view: ({ adapters, config_issues, disk, ok, profiles, store }) => [
    heading("Health"),
    fields([["all", verdict(ok)]]),
    ...(config_issues.length === 0 ? [] : [heading("Configuration"), text(...config_issues)]),
    heading("Parts"),
    table(
      ["part", "is", "remarks"],
      [
        ...adapters.map((one) => [`adapter ${one.id}`, verdict(one.ok), remarks(one)]),
        ...profiles.map((one) => [`profile ${one.id}`, verdict(one.ok), remarks(one)]),
        ...(store === null ? [] : [["store", verdict(store.ok), remarks(store)]]),
        ...(disk === null ? [] : [["disk", verdict(disk.ok), remarks(disk)]])
      ]
    )
  ]
})
