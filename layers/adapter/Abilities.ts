import { realpathSync, statSync } from "node:fs"
import { Data, Effect, Option } from "effect"
import type { Job } from "../../src/adapter/AdapterRegistry.ts"
import { makeTail, TAIL_BYTES } from "../artifact/Tail.ts"
import type { CannotStart } from "./CannotStart.ts"
import type { Driver } from "./drivers/Driver.ts"
import type { Ended, Processes } from "./Process.ts"

/** How long a program may take to tell what it can do. */
const PATIENCE_MS = 10_000

/** A program that is about to be run for a job. */
export interface Asked {
  readonly job: Job
  readonly file: string
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

/** A program did not tell what it can do: what it was asked with, and how that ended. */
export class Unexamined extends Data.TaggedError("Unexamined")<{
  readonly question: string
  readonly ended: Ended
}> {}

/** What the program of an adapter can do, as it tells when it is asked. */
export interface Abilities {
  /** What a program can do; `Unexamined` when it does not tell, which is not to say that it cannot. */
  readonly of: (asked: Asked) => Effect.Effect<ReadonlySet<string>, CannotStart | Unexamined>
  /** Has the next attempt ask again. */
  readonly forget: Effect.Effect<void>
}

const NONE: ReadonlySet<string> = new Set()

/** Tells a file from its later versions; undefined for one that cannot be looked at. */
const versionOf = (file: string): string | undefined => {
  try {
    const path = realpathSync(file)
    const { ino, mtimeNs, size } = statSync(path, { bigint: true })
    return [path, ino, size, mtimeNs].join(" ")
  } catch {
    return undefined
  }
}

/**
 * Asks a driver's program what it can do, with the environment of the attempt that needs it. An answer holds for as
 * long as the program's file stays as it is; a program that gave none is asked again by the next attempt.
 */
export const makeAbilities = (
  driver: Driver,
  processes: typeof Processes.Service
): Effect.Effect<Abilities> =>
  Effect.gen(function* () {
    const turn = yield* Effect.makeSemaphore(1)
    let known: { readonly version: string; readonly abilities: ReadonlySet<string> } | undefined
    const ask = ({ abilities, args }: Option.Option.Value<Driver["examine"]>, asked: Asked) =>
      Effect.gen(function* () {
        // Before it is asked: what takes its place meanwhile is another version.
        const version = versionOf(asked.file)
        if (known !== undefined && known.version === version) return known.abilities
        const output = makeTail()
        const sink = { write: output.push, end: () => undefined }
        const ended = yield* processes.run({
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
        if (ended.ending._tag !== "Exited" || ended.ending.code !== 0)
          return yield* new Unexamined({ question: args.join(" "), ended })
        const found = abilities(output.text(TAIL_BYTES))
        known = version === undefined ? undefined : { version, abilities: found }
        return found
      })
    return {
      of: (asked) =>
        Option.match(driver.examine, {
          onNone: () => Effect.succeed(NONE),
          onSome: (examine) => turn.withPermits(1)(ask(examine, asked))
        }),
      forget: Effect.sync(() => {
        known = undefined
      })
    }
  })
