import { Effect, Option } from "effect"
import type { ProbeResult } from "../../src/adapter/AdapterRegistry.ts"
import type { ChildSettings } from "../../src/config/AdapterSettings.ts"
import { CannotStart } from "./CannotStart.ts"
import { childEnv } from "./ChildEnv.ts"
import { findCommand, folderProblem } from "./Command.ts"
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
