import { accessSync, constants } from "node:fs"
import { Effect, identity, Option } from "effect"
import type { Fault, ProbeResult } from "../../src/adapter/AdapterRegistry.ts"
import type { AgentCliSettings, ChildSettings } from "../../src/config/AdapterSettings.ts"
import { codeOf } from "../SystemWord.ts"
import { CannotStart } from "./CannotStart.ts"
import { type ChildEnv, redactorFor, soundEnv } from "./ChildEnv.ts"
import { findCommand, folderProblem } from "./Command.ts"
import type { Masking } from "./ConfiguredSecrets.ts"
import type { Driver } from "./drivers/Driver.ts"
import { openSecrets } from "./OpenSecrets.ts"
import type { HostEnvironment } from "./Secrets.ts"

/** What a probe of an adapter that cannot run answers. */
export const notOk = ({ reason, remedy }: Fault): ProbeResult => ({
  ok: false,
  reason,
  remedy,
  warnings: []
})

const workingDirectory = (settings: ChildSettings): Effect.Effect<void, CannotStart> =>
  Effect.suspend(() => {
    if (Option.isNone(settings.workingDir)) return Effect.void
    const { path } = settings.workingDir.value
    const problem = folderProblem(path)
    return problem === undefined
      ? Effect.void
      : new CannotStart({ reason: `working directory ${path} ${problem}`, remedy: `mkdir -p ${path}` })
  })

type Check = Effect.Effect<unknown, CannotStart>

/** What a probe answers that found these faults before it makes these checks, all of them. */
const verdict = (
  faults: ReadonlyArray<CannotStart>,
  checks: ReadonlyArray<Check>,
  warnings: ReadonlyArray<string>
): Effect.Effect<ProbeResult> =>
  Effect.map(Effect.partition(checks, identity), ([found]) => {
    const [first, ...others] = [...faults, ...found].map(({ reason, remedy }) => ({ reason, remedy }))
    if (first === undefined) return { ok: true, reason: "", remedy: "", warnings }
    return others.length === 0 ? notOk(first) : { ...notOk(first), others }
  })

/** What is worth a word of a child's environment and arguments, though it can be started. */
const warningsOf = (settings: ChildSettings, child: ChildEnv, masking: Masking) =>
  settings.extraArgs.length === 0
    ? Effect.succeed(child.warnings)
    : Effect.map(redactorFor(child, masking), (redactor) => [
        ...child.warnings,
        ...openSecrets(settings, child, redactor)
      ])

/**
 * Whether an adapter's child could be started now: env file and secrets there, command found and executable, working
 * directory there. Runs nothing. Names all that is wrong and what mends it; warns of secrets in its arguments.
 */
export const probeChild = (
  settings: ChildSettings,
  host: HostEnvironment,
  masking: Masking
): Effect.Effect<ProbeResult> =>
  Effect.gen(function* () {
    const { child, faults } = yield* soundEnv(settings, {}, host)
    return yield* verdict(
      faults,
      [findCommand(settings.command.path, child.env.PATH ?? ""), workingDirectory(settings)],
      yield* warningsOf(settings, child, masking)
    )
  })

type Environment = Readonly<Record<string, string>>

/** An agent's program as it is configured, with the driver that speaks its dialect. */
export interface Agent {
  readonly settings: AgentCliSettings
  readonly driver: Driver
}

const settingsFile = ({ settingsFile }: AgentCliSettings): Effect.Effect<void, CannotStart> =>
  Option.match(settingsFile, {
    onNone: () => Effect.void,
    onSome: ({ path }) =>
      Effect.try({
        try: () => accessSync(path, constants.R_OK),
        catch: (cause) =>
          new CannotStart({
            reason: `settings file ${path} cannot be read (${codeOf(cause)})`,
            remedy: "make it, readable for this user, or correct the adapter's settingsFile"
          })
      })
  })

/** Why a model's name must not stand on a command line: its program would take it for an option. */
export const modelProblem = (model: Option.Option<string>): CannotStart | undefined =>
  Option.exists(model, (name) => name.startsWith("-"))
    ? new CannotStart({
        reason: `the model ${JSON.stringify(Option.getOrElse(model, () => ""))} begins with "-", and the program would take it for an option`,
        remedy: "correct the task's requested_model, or the adapter's model"
      })
    : undefined

const modelName = ({ model }: AgentCliSettings): Effect.Effect<void, CannotStart> =>
  Effect.suspend(() => modelProblem(model) ?? Effect.void)

const objected = ({ driver, settings }: Agent, env: Environment): Effect.Effect<void, CannotStart> =>
  Effect.suspend(() =>
    Option.match(driver.objection(settings, env), {
      onNone: () => Effect.void,
      onSome: (objection) => new CannotStart(objection)
    })
  )

/**
 * The file of an agent's program, once all is in place for it: command, settings file, a model's name that is none of its
 * options, and nothing that its driver objects to. Runs nothing.
 */
export const findAgent = (agent: Agent, env: Environment): Effect.Effect<string, CannotStart> =>
  findCommand(agent.settings.command.path, env.PATH ?? "").pipe(
    Effect.zipLeft(settingsFile(agent.settings)),
    Effect.zipLeft(modelName(agent.settings)),
    Effect.zipLeft(objected(agent, env))
  )

const bypassing = ({ driver, settings }: Agent): ReadonlyArray<string> =>
  settings.autonomy === "trusted-vm"
    ? [`autonomy trusted-vm passes ${driver.bypass.join(" ")}: the agent may do all that this user may`]
    : []

/** As `probeChild`, for an agent's program; warns of the flags that `trusted-vm` passes. */
export const probeAgent = (
  agent: Agent,
  host: HostEnvironment,
  masking: Masking
): Effect.Effect<ProbeResult> =>
  Effect.gen(function* () {
    const { driver, settings } = agent
    const { child, faults } = yield* soundEnv(settings, {}, host, driver.env(settings, Option.none()))
    // A driver judges by the variables: it would miss what could not be read.
    const judged = faults.length === 0 ? [objected(agent, child.env)] : []
    return yield* verdict(
      faults,
      [
        findCommand(settings.command.path, child.env.PATH ?? ""),
        settingsFile(settings),
        modelName(settings),
        ...judged,
        workingDirectory(settings)
      ],
      [...(yield* warningsOf(settings, child, masking)), ...bypassing(agent)]
    )
  })
