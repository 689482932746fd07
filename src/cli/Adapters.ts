import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { type Cell, table, toned } from "./Doc.ts"
import { findings, notRunning } from "./Findings.ts"
import { ticking } from "./Progress.ts"

const verdict = (ok: boolean | undefined): Cell =>
  ok === true ? toned("ok", "good") : toned("not ok", "bad")

export const adapters = command({
  name: "adapters",
  group: "Look",
  summary: "the configured adapters, and what holds each back",
  description:
    "One row for each adapter, from configuration and store. With --probe each is asked whether it could run now; exit code 1 when one could not, warnings do not count.",
  example: "agent-runtime adapters --probe",
  arguments: [],
  options: [{ name: "probe", kind: "flag", description: "Look whether each could run now." }],
  run: (input) =>
    ticking(
      "asking the adapters",
      ask(async () => (await import("../operate/Adapters.ts")).list, input)
    ),
  exitCode: ({ adapters: all }) => (all.some((one) => one.ok === false) ? 1 : 0),
  view: ({ adapters: all }) => {
    const isProbed = all.some((one) => one.ok !== undefined)
    const problems = all.filter((one) => one.ok === false).flatMap((one) => notRunning(one))
    const warnings = all.flatMap((one) => [
      ...(one.warnings ?? []).map((wrong) => ({ of: `adapter ${one.id}`, wrong })),
      ...(one.cooldown === null
        ? []
        : [
            {
              of: `adapter ${one.id}`,
              wrong: `it cools down until ${one.cooldown.until}${one.cooldown.reason === null ? "" : ` (${one.cooldown.reason})`}; agent-runtime adapter-clear ${one.id} ends that`
            }
          ])
    ])
    return [
      table(
        [
          { title: "adapter", keep: true },
          ...(isProbed ? ["is"] : []),
          "mode",
          "model",
          "running",
          "untrusted",
          "fallback",
          "cools down until"
        ],
        all.map((one) => [
          one.default ? `${one.id} (default)` : one.id,
          ...(isProbed ? [verdict(one.ok)] : []),
          [one.mode, one.driver, one.autonomy].filter((word) => word !== null).join(" "),
          one.model,
          one.concurrency === null ? one.running : `${one.running} of ${one.concurrency}`,
          one.untrusted,
          one.fallback,
          one.cooldown === null ? null : toned(one.cooldown.until, "warn")
        ])
      ),
      ...findings(problems, warnings)
    ]
  }
})

export const adapterClear = command({
  name: "adapter-clear",
  group: "Steer",
  summary: "end an adapter's cool-down",
  description:
    "Its tasks may start at once, those too that ran into its limit. `cleared` is false when it did not cool down.",
  example: "agent-runtime adapter-clear local",
  arguments: [{ name: "id", required: true, live: "adapters", description: "The adapter's id." }],
  options: [],
  run: (input) => ask(async () => (await import("../operate/Adapters.ts")).clear, input)
})
