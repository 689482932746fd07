import { Effect } from "effect"
import { isNoRoom } from "../../src/domain/HostRoom.ts"
import type { AttemptId } from "../../src/domain/Ids.ts"
import { codeOf } from "../SystemWord.ts"
import { brandOf } from "./Brand.ts"
import { CannotStart, noRoomTo } from "./CannotStart.ts"
import { folderProblem } from "./Command.ts"
import type { Pipe, Pipes } from "./Pipe.ts"
import { processFacts } from "./ProcTable.ts"
import type { Subreaper } from "./Subreaper.ts"

export interface Start {
  readonly attemptId: AttemptId
  /** The program's file, as `findCommand` answers it. */
  readonly file: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  /** All that the child gets; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
  /** Read by the child from a file in memory: it may take megabytes, part of them, or nothing. */
  readonly stdin: Uint8Array
}

const noRoomFor = (file: string, code: string): CannotStart => noRoomTo(`${file} cannot be started`, code)

/**
 * Words put in front of a command so that the kernel ends it with its dispatcher; empty where that cannot be. It
 * fails where the host has no room for finding out.
 */
export const leash: Effect.Effect<ReadonlyArray<string>, CannotStart> = Effect.suspend(() => {
  const setpriv = Bun.which("setpriv")
  if (setpriv === null) return Effect.succeed([])
  return Effect.try({
    try: () => {
      // Busybox has a setpriv that does not know the option.
      const help = Bun.spawnSync([setpriv, "--help"], { env: {}, stdin: "ignore", stderr: "ignore" })
      return help.stdout.toString().includes("--pdeathsig") ? [setpriv, "--pdeathsig", "KILL", "--"] : []
    },
    catch: (cause) => noRoomFor(setpriv, codeOf(cause))
  })
})

const tooLong = (start: Start): string => {
  const bytes = [start.file, ...start.args, ...Object.entries(start.env).flat()].reduce(
    (sum, word) => sum + Buffer.byteLength(word) + 1,
    0
  )
  return `arguments and environment (${bytes} bytes) are longer than the kernel takes`
}

const reasonOf = (start: Start, cause: unknown): CannotStart => {
  const code = codeOf(cause)
  if (isNoRoom(code)) return noRoomFor(start.file, code)
  return code === "E2BIG"
    ? new CannotStart({
        reason: tooLong(start),
        remedy: "hand large data over by AGENT_RUNTIME_PAYLOAD_PATH"
      })
    : new CannotStart({
        reason: `${start.file} cannot be started (${code})`,
        remedy: "run it by hand as this user and mend what it says"
      })
}

const mistake = (start: Start): CannotStart | undefined => {
  const place = folderProblem(start.cwd)
  if (place !== undefined)
    return new CannotStart({
      reason: `working directory ${start.cwd} ${place}`,
      remedy: `mkdir -p ${start.cwd}`
    })
  const argument = start.args.findIndex((word) => word.includes("\0"))
  if (argument >= 0)
    return new CannotStart({
      reason: `argument ${argument + 1} holds a NUL character, which no argument can`,
      remedy: "leave it out, or hand the text over in the payload"
    })
  const variable = Object.entries(start.env).find(
    (pair) => pair.join().includes("\0") || /^$|=/.test(pair[0])
  )
  return variable === undefined
    ? undefined
    : new CannotStart({
        reason: `environment variable ${JSON.stringify(variable[0])} has a name or value that no variable can have`,
        remedy: "correct env or envFile of the adapter: no NUL, and no = in a name"
      })
}

/** What a child is started with, beside what it is. */
export interface Launcher {
  readonly words: ReadonlyArray<string>
  readonly subreaper: typeof Subreaper.Service
  readonly pipes: Pipes
}

/** Both or none: what one has opened must not stay open where there is no room for the other. */
const bothOf = (pipes: Pipes): readonly [Pipe, Pipe] => {
  const stdout = pipes()
  try {
    return [stdout, pipes()]
  } catch (cause) {
    stdout.close()
    stdout.handedOver()
    throw cause
  }
}

/**
 * Starts a child in a session and group of its own, branded, with both outputs as pipes; the caller closes
 * them.
 */
export const spawnChild = (start: Start, { pipes, subreaper, words }: Launcher) =>
  Effect.suspend(() => {
    const wrong = mistake(start)
    if (wrong !== undefined) return Effect.fail(wrong)
    return Effect.try({
      try: () => {
        const [stdout, stderr] = bothOf(pipes)
        try {
          const child = subreaper.branding(brandOf(start.attemptId), () =>
            Bun.spawn([...words, start.file, ...start.args], {
              cwd: start.cwd,
              env: { ...start.env },
              stdin: start.stdin.byteLength === 0 ? "ignore" : start.stdin,
              stdout: stdout.end,
              stderr: stderr.end,
              detached: true
            })
          )
          // Bun collects a child in a later turn of its loop: until then even one that has ended is to be seen.
          const startTime = processFacts(child.pid)?.startTime ?? ""
          return { child, root: { pid: child.pid, startTime }, stdout, stderr }
        } catch (cause) {
          for (const pipe of [stdout, stderr]) pipe.close()
          throw cause
        } finally {
          for (const pipe of [stdout, stderr]) pipe.handedOver()
        }
      },
      catch: (cause) => reasonOf(start, cause)
    })
  })

/** A child as `spawnChild` answers it. */
export type Spawned = Effect.Effect.Success<ReturnType<typeof spawnChild>>
export type Child = Spawned["child"]

/** Fails with what the leash says when the command behind it would not start; any other end passes. */
export const refusedByKernel = (
  file: string,
  code: number,
  firstError: string
): Effect.Effect<void, CannotStart> => {
  const line = firstError.split("\n", 1)[0] ?? ""
  // A line whose end is not there is none that setpriv wrote, and may be cut in the middle of anything.
  if (!firstError.includes("\n")) return Effect.void
  if ((code !== 126 && code !== 127) || !line.startsWith("setpriv: ") || !line.includes(file))
    return Effect.void
  return new CannotStart({
    reason: `${file} cannot be started (${line.slice(line.indexOf(file) + file.length).replace(/^\W+/, "")})`,
    remedy: "run it by hand as this user and mend what it says"
  })
}
