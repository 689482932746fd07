import { Effect } from "effect"
import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { fields, heading, table, text } from "./Doc.ts"
import { UsageError } from "./UsageError.ts"

const modes = ["resident", "timer"] as const

const modeOption = {
  name: "mode",
  kind: "choice",
  values: modes,
  default: "resident",
  description: "What the printed commands start: a dispatcher that stays, or a dispatch cycle by a timer."
} as const

const dryRun = {
  name: "dry-run",
  kind: "flag",
  description: "Write nothing; answer what would be written."
} as const

const changes = (files: ReadonlyArray<{ readonly path: string; readonly change: string }>) =>
  table(
    ["file", "is"],
    files.map((one) => [one.path, one.change])
  )

export const agentInit = command({
  name: "agent-init",
  group: "Set up",
  summary: "make the package of a new agent on this host",
  description:
    "Makes deploy/NAME with configuration, profile, identity, purpose, bring-up checklist and backlog; the host override XDG_CONFIG_HOME/agent-runtime/runtime.NAME.host.json, outside of the tree; and the user units that are missing. Away from a checkout the package brings the example configuration along. A file of the agent that is there already refuses it all. Answers { agent, dry_run, package, config, files: [{ path, change }], next }: change is created, unchanged or kept, next the commands to go on with.",
  example: "agent-runtime agent-init ember --dry-run",
  arguments: [
    { name: "name", required: true, description: "Lower-case letters, digits and single hyphens." }
  ],
  options: [
    {
      name: "dir",
      kind: "path",
      value: "FOLDER",
      description: "The folder of the package; else deploy/NAME below the present one."
    },
    {
      name: "port",
      kind: "integer",
      min: 1,
      max: 65535,
      description: "The port of its API, where several agents share a host; else 4314."
    },
    modeOption,
    dryRun
  ],
  run: (input) => ask(async () => (await import("../operate/AgentInit.ts")).agentInit, input),
  view: (made) => [
    heading(made.dry_run ? `${made.agent} would be made` : `${made.agent} is made`),
    fields([
      ["package", made.package],
      ["configuration", made.config]
    ]),
    changes(made.files),
    heading("Next"),
    text(...made.next)
  ]
})

export const installUnits = command({
  name: "install-units",
  group: "Set up",
  summary: "put the systemd units in their place",
  description:
    "Writes the template units of operator page, resident dispatcher and dispatch timer, as units of this user, or hardened ones of the system. They run this binary, unless --program names another. A unit that is there with another text refuses it all. Answers { scope, mode, agent, dry_run, program, units: [{ path, change }], next }: change is created, unchanged or replaced, next the commands that start the agent.",
  example: "agent-runtime install-units --agent lumen --mode timer",
  arguments: [],
  options: [
    { name: "user", kind: "flag", description: "Units of this user, the default." },
    { name: "system", kind: "flag", description: "Hardened units of the system, in /etc/systemd/system." },
    { name: "agent", kind: "text", value: "NAME", description: "The agent that the printed commands start." },
    modeOption,
    { name: "program", kind: "path", value: "FILE", description: "The binary that the units run." },
    { name: "force", kind: "flag", description: "Replace units that are there with another text." },
    dryRun
  ],
  run: ({ system, user, ...input }) =>
    Effect.gen(function* () {
      if (user && system)
        return yield* new UsageError({
          command: "install-units",
          problems: [{ wrong: "--user and --system are given both", remedy: "give one of them" }]
        })
      const scope = system ? ("system" as const) : ("user" as const)
      return yield* ask(async () => (await import("../operate/Units.ts")).installUnits, { ...input, scope })
    }),
  view: (made) => [
    heading(made.dry_run ? "Units that would be written" : "Units"),
    changes(made.units),
    heading("Next"),
    text(...made.next)
  ]
})
