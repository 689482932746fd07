import { accessSync, constants } from "node:fs"
import { Effect, Option } from "effect"
import type { ProbeResult } from "../../src/adapter/AdapterRegistry.ts"
import type { AgentCliSettings, ChildSettings } from "../../src/config/AdapterSettings.ts"
import { codeOf } from "../SystemWord.ts"
import { CannotStart } from "./CannotStart.ts"
import { childEnv } from "./ChildEnv.ts"
import { findCommand, folderProblem } from "./Command.ts"
import type { Driver } from "./drivers/Driver.ts"
import type { HostEnvironment } from "./Secrets.ts"

/** What a probe of an adapter that cannot run answers. */
export const notOk = ({
  reason,
  remedy
}: {
  readonly reason: string
  readonly remedy: string
}): ProbeResult => ({
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

/**
 * Whether an adapter's child could be started now: env file and secrets there, command found and
 * executable, working directory there. Runs nothing. Names the first thing that is wrong and what mends it.
 */
export const probeChild = (settings: ChildSettings, host: HostEnvironment): Effect.Effect<ProbeResult> =>
  Effect.gen(function* () {
    const { env, warnings } = yield* childEnv(settings, {}, host)
    yield* findCommand(settings.command.path, env.PATH ?? "")
    yield* workingDirectory(settings)
    return { ok: true, reason: "", remedy: "", warnings }
  }).pipe(Effect.catchTag("CannotStart", (cause) => Effect.succeed(notOk(cause))))

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

/**
 * The file of an agent's program, once all is in place for it: command, settings file, a model's name that is none of its
 * options, and nothing that its driver objects to. Runs nothing.
 */
export const findAgent = (
  { driver, settings }: Agent,
  env: Readonly<Record<string, string>>
): Effect.Effect<string, CannotStart> =>
  findCommand(settings.command.path, env.PATH ?? "").pipe(
    Effect.zipLeft(settingsFile(settings)),
    Effect.zipLeft(Effect.suspend(() => modelProblem(settings.model) ?? Effect.void)),
    Effect.zipLeft(
      Effect.suspend(() =>
        Option.match(driver.objection(settings, env), {
          onNone: () => Effect.void,
          onSome: (objection) => new CannotStart(objection)
        })
      )
    )
  )

const bypassing = ({ driver, settings }: Agent): ReadonlyArray<string> =>
  settings.autonomy === "trusted-vm"
    ? [`autonomy trusted-vm passes ${driver.bypass.join(" ")}: the agent may do all that this user may`]
    : []

/** As `probeChild`, for an agent's program; warns of the flags that `trusted-vm` passes. */
export const probeAgent = (agent: Agent, host: HostEnvironment): Effect.Effect<ProbeResult> =>
  Effect.gen(function* () {
    const { driver, settings } = agent
    const { env, warnings } = yield* childEnv(settings, {}, host, driver.env(settings, Option.none()))
    yield* findAgent(agent, env)
    yield* workingDirectory(settings)
    return { ok: true, reason: "", remedy: "", warnings: [...warnings, ...bypassing(agent)] }
  }).pipe(Effect.catchTag("CannotStart", (cause) => Effect.succeed(notOk(cause))))
