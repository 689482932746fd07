import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Clock, DateTime, Effect, Layer, Option, Ref } from "effect"
import { Disk } from "../src/artifact/Disk.ts"
import { Runner } from "../src/dispatch/Runner.ts"
import { IdSource, RunnerId, uuidV7 } from "../src/domain/Ids.ts"
import { now } from "../src/domain/Time.ts"
import { bootName, processFacts } from "./adapter/ProcTable.ts"
import { codeOf } from "./SystemWord.ts"

/** The 12 bits of a UUIDv7 that count within a millisecond. */
const SEQUENCE = 0x1000

/** UUIDv7 by the Clock; within a millisecond, or when the clock steps back, it counts on from the last. */
export const makeIds: Effect.Effect<IdSource["Type"]> = Effect.gen(function* () {
  const last = yield* Ref.make(0)
  const next = Effect.gen(function* () {
    const millis = yield* Clock.currentTimeMillis
    const position = yield* Ref.updateAndGet(last, (before) => Math.max(before + 1, millis * SEQUENCE))
    return uuidV7(
      Math.floor(position / SEQUENCE),
      position % SEQUENCE,
      crypto.getRandomValues(new Uint8Array(8))
    )
  })
  return IdSource.of({ next })
})

/** See `makeIds`. */
export const ids: Layer.Layer<IdSource> = Layer.effect(IdSource, makeIds)

/**
 * Names a process that lives, for ever: its start by the clock of this boot, which nobody sets, and the namespace in
 * which its pid counts. Undefined when it does not live, or cannot be told from others.
 */
const processMark = (pid: number): string | undefined => {
  const found = processFacts(pid)
  if (found?.alive !== true || bootName() === "") return undefined
  try {
    return `${found.startTime} ${fs.readlinkSync("/proc/self/ns/pid")}`
  } catch {
    return undefined
  }
}

/** Whether a pid is nobody's, also where the processes of other users are hidden. */
const isFree = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return false
  } catch (cause) {
    return codeOf(cause) === "ESRCH"
  }
}

/** Whether the process of a mark is gone: it is of another boot, or of this container and none of that pid is it. */
const isGone = (pid: number, mark: string): boolean => {
  const [start = "", ...namespace] = mark.split(" ")
  const boot = start.split("@")[1] ?? ""
  if (boot === "" || bootName() === "") return false
  if (boot !== bootName()) return true
  try {
    if (fs.readlinkSync("/proc/self/ns/pid") !== namespace.join(" ")) return false
  } catch {
    return false
  }
  const found = processFacts(pid)
  return found === undefined ? isFree(pid) : !found.alive || found.startTime !== start
}

/** This process on this host as a dispatcher. */
export const runner: Layer.Layer<Runner> = Layer.effect(
  Runner,
  Effect.gen(function* () {
    const startedAt = DateTime.formatIso(yield* now)
    const host = os.hostname()
    return Runner.of({
      runnerId: RunnerId.make(`${host}:${process.pid}:${startedAt}`),
      host,
      pid: process.pid,
      processMark: Option.fromNullable(processMark(process.pid)),
      lives: (runner) =>
        Effect.sync(
          () =>
            // Whoever was on record by this process's pid is not this process.
            runner.host === host &&
            runner.pid !== process.pid &&
            Option.isSome(runner.processMark) &&
            runner.processMark.value === processMark(runner.pid)
        ),
      isGone: ({ pid, processMark }) =>
        Effect.sync(() => Option.exists(processMark, (mark) => isGone(pid, mark)))
    })
  })
)

/** The room on this host's disks. */
export const disk: Layer.Layer<Disk> = Layer.succeed(
  Disk,
  Disk.of({
    room: (folder) =>
      Effect.try({
        try: () => {
          const there = nearest(folder)
          const { bavail, bsize } = fs.statfsSync(there)
          return { freeBytes: bavail * bsize, device: fs.statSync(there).dev }
        },
        catch: (cause) => (cause instanceof Error ? cause.message : String(cause))
      })
  })
)

// A folder that is not made yet will lie on the disk of the first one above it that is there.
const nearest = (folder: string): string =>
  fs.existsSync(folder) || path.dirname(folder) === folder ? folder : nearest(path.dirname(folder))
