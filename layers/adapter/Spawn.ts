import { closeSync } from "node:fs"
import { Effect } from "effect"
import { isNoRoom } from "../../src/domain/HostRoom.ts"
import type { AttemptId } from "../../src/domain/Ids.ts"
import { CALLABLE_REMEDY, NotCallable } from "../CLibrary.ts"
import { codeOf } from "../SystemWord.ts"
import { brandOf } from "./Brand.ts"
import { CannotStart, noRoomTo } from "./CannotStart.ts"
import { folderProblem } from "./Command.ts"
import type { KernelPipes } from "./KernelPipe.ts"
import type { Leash, Leashes } from "./Leash.ts"
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

const tooLong = (start: Start): string => {
  const bytes = [start.file, ...start.args, ...Object.entries(start.env).flat()].reduce(
    (sum, word) => sum + Buffer.byteLength(word) + 1,
    0
  )
  return `arguments and environment (${bytes} bytes) are longer than the kernel takes`
}

const reasonOf = (start: Start, cause: unknown): CannotStart => {
  if (cause instanceof NotCallable)
    return new CannotStart({
      reason: `${start.file} cannot be started: ${cause.message}`,
      remedy: CALLABLE_REMEDY
    })
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
  readonly subreaper: typeof Subreaper.Service
  /** A file in memory with these bytes. */
  readonly inMemory: KernelPipes["inMemory"]
  readonly pipes: Pipes
  readonly leashes: Leashes
}

interface Lines {
  /** None where there is nothing to read. */
  readonly stdin: number | undefined
  readonly stdout: Pipe
  readonly stderr: Pipe
  readonly leash: Leash
}

/** All or none: what one has opened must not stay open where there is no room for the other. */
const linesOf = ({ inMemory, leashes, pipes }: Launcher, input: Uint8Array): Lines => {
  const leash = leashes()
  const undo: Array<() => void> = [leash.loosen]
  try {
    const stdin = input.byteLength === 0 ? undefined : inMemory(input)
    if (stdin !== undefined) undo.push(() => closeSync(stdin))
    const stdout = pipes()
    undo.push(stdout.close, stdout.handedOver)
    return { leash, stdin, stdout, stderr: pipes() }
  } catch (cause) {
    for (const one of undo) one()
    throw cause
  }
}

/** As execvp(3): what is executable and no format of the kernel's is a script of the shell. */
const spawned = (start: Start, { stderr, stdin, stdout }: Lines) => {
  const run = (...words: ReadonlyArray<string>) =>
    Bun.spawn([...words, start.file, ...start.args], {
      cwd: start.cwd,
      env: { ...start.env },
      stdin: stdin ?? "ignore",
      stdout: stdout.end,
      stderr: stderr.end,
      detached: true
    })
  try {
    return run()
  } catch (cause) {
    if (codeOf(cause) !== "ENOEXEC") throw cause
    return run("/bin/sh")
  }
}

/**
 * Starts a child in a session and group of its own, branded and leashed, with both outputs as pipes; the caller lets
 * go of them.
 */
export const spawnChild = (start: Start, launcher: Launcher) =>
  Effect.suspend(() => {
    const wrong = mistake(start)
    if (wrong !== undefined) return Effect.fail(wrong)
    return Effect.try({
      try: () => {
        const lines = linesOf(launcher, start.stdin)
        const { leash, stderr, stdin, stdout } = lines
        const letGo = () => {
          leash.loosen()
          for (const pipe of [stdout, stderr]) pipe.close()
        }
        try {
          const child = launcher.subreaper.branding(brandOf(start.attemptId), () => spawned(start, lines))
          leash.tie(child.pid)
          // Bun collects a child in a later turn of its loop: until then even one that has ended is to be seen.
          const startTime = processFacts(child.pid)?.startTime ?? ""
          return { child, root: { pid: child.pid, startTime }, stdout, stderr, letGo }
        } catch (cause) {
          letGo()
          throw cause
        } finally {
          for (const pipe of [stdout, stderr]) pipe.handedOver()
          if (stdin !== undefined) closeSync(stdin)
        }
      },
      catch: (cause) => reasonOf(start, cause)
    })
  })

/** A child as `spawnChild` answers it. */
export type Spawned = Effect.Effect.Success<ReturnType<typeof spawnChild>>
export type Child = Spawned["child"]
