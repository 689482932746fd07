import { Effect, Option } from "effect"
import type { Job } from "../../src/adapter/AdapterRegistry.ts"
import { makeTail, TAIL_BYTES } from "../artifact/Tail.ts"
import type { CannotStart } from "./CannotStart.ts"
import type { Driver } from "./drivers/Driver.ts"
import type { Processes } from "./Process.ts"

/** How long a program may take to tell what it can do. */
const PATIENCE_MS = 10_000

/** A program that is about to be run for a job. */
export interface Asked {
  readonly job: Job
  readonly file: string
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

/** What a program can do; `note` says why that is not known, for the attempt's `issues`. */
export interface Found {
  readonly abilities: ReadonlySet<string>
  readonly note: Option.Option<string>
}

const unknown = (why: string): Found => ({
  abilities: new Set(),
  note: Option.some(`what the program can do could not be found out: ${why}`)
})

/**
 * Asks a driver's program what it can do, with the environment of the attempt that needs it. The first answer
 * holds for as long as what is made here does; a program that gave none is asked again by the next attempt.
 */
export const makeAbilities = (
  driver: Driver,
  processes: typeof Processes.Service
): Effect.Effect<(asked: Asked) => Effect.Effect<Found, CannotStart>> =>
  Effect.gen(function* () {
    const turn = yield* Effect.makeSemaphore(1)
    let known: Option.Option<Found> = Option.none()
    const ask = ({ args, abilities }: Option.Option.Value<Driver["examine"]>, asked: Asked) =>
      Effect.gen(function* () {
        if (Option.isSome(known)) return known.value
        const output = makeTail()
        const sink = { write: output.push, end: () => undefined }
        const { ending } = yield* processes.run({
          attemptId: asked.job.attemptId,
          file: asked.file,
          args,
          cwd: asked.cwd,
          env: asked.env,
          stdin: new Uint8Array(0),
          timeoutMs: PATIENCE_MS,
          noOutputTimeoutMs: Option.none(),
          stdout: sink,
          stderr: sink,
          stop: asked.job.stop,
          started: asked.job.started
        })
        if (ending._tag !== "Exited") return unknown(`${args.join(" ")} was ended (${ending._tag})`)
        const found: Found = { abilities: abilities(output.text(TAIL_BYTES)), note: Option.none() }
        if (ending.code !== 0) return unknown(`${args.join(" ")} ended with exit code ${ending.code}`)
        known = Option.some(found)
        return found
      })
    return (asked) =>
      Option.match(driver.examine, {
        onNone: () => Effect.succeed({ abilities: new Set<string>(), note: Option.none() }),
        onSome: (examine) => turn.withPermits(1)(ask(examine, asked))
      })
  })
