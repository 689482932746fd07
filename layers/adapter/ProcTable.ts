import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs"
import { isNoRoom } from "../../src/domain/HostRoom.ts"
import { codeOf } from "../SystemWord.ts"

/** One process as the kernel tells of it. A zombie, whose work is over, is not `alive`. */
export interface ProcessFacts {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly session: number
  readonly alive: boolean
  readonly stopped: boolean
  /** The kernel's name of the program, at most 15 characters; never its arguments, which may hold secrets. */
  readonly command: string
  /** `<clock ticks since boot>@<boot>`: with the pid it names one process for ever, even after a reboot. */
  readonly startTime: string
  readonly ticks: number
}

let spare: number | undefined

const keepSpare = (): void => {
  try {
    spare ??= openSync("/dev/null", "r")
  } catch {
    // It is tried again with the next look.
  }
}

/**
 * Runs a look that needs one descriptor, on the one that is kept for it where all others are in use: a process that
 * could not be looked at would pass for one that is gone.
 */
const looking = <A>(look: () => A): A => {
  keepSpare()
  try {
    return look()
  } catch (cause) {
    if (spare === undefined || !isNoRoom(codeOf(cause))) throw cause
    closeSync(spare)
    spare = undefined
    try {
      return look()
    } finally {
      keepSpare()
    }
  }
}

const text = (path: string): string => {
  try {
    return looking(() => readFileSync(path, "latin1"))
  } catch {
    // Processes come and go while they are looked at: one that is gone says nothing.
    return ""
  }
}

const page = Buffer.allocUnsafe(4096)

/** What the kernel tells at once: a file of at most a page. A reader of any file asks for a large buffer, and twice. */
const line = (path: string): string => {
  try {
    const fd = looking(() => openSync(path, "r"))
    try {
      return page.toString("latin1", 0, readSync(fd, page, 0, page.length, null))
    } finally {
      closeSync(fd)
    }
  } catch {
    return ""
  }
}

let boot: string | undefined

/** Eight characters that name this boot of the host; empty where the kernel does not tell. */
export const bootName = (): string => {
  boot ??= text("/proc/sys/kernel/random/boot_id").slice(0, 8)
  return boot
}

const parse = (stat: string): ProcessFacts | undefined => {
  // The name stands in brackets and may itself hold brackets and spaces: the last one ends it.
  const open = stat.indexOf("(")
  const close = stat.lastIndexOf(")")
  const fields = stat.slice(close + 2).split(" ")
  if (open < 0 || fields.length < 20) return undefined
  const state = fields[0]
  return {
    pid: Number(stat.slice(0, open)),
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    // A process whose first thread ended looks like a zombie while its other threads still run.
    alive: (state !== "Z" && state !== "X") || Number(fields[17]) > 1,
    stopped: state === "T",
    command: stat.slice(open + 1, close),
    startTime: `${fields[19]}@${bootName()}`,
    ticks: Number(fields[19])
  }
}

const factsOf = (pids: Iterable<number>): Map<number, ProcessFacts> => {
  const table = new Map<number, ProcessFacts>()
  for (const pid of pids) {
    const facts = processFacts(pid)
    if (facts !== undefined) table.set(pid, facts)
  }
  return table
}

// The youngest are looked at first: of all they are the likeliest to be gone in a moment.
const listed = (): ReadonlyArray<number> =>
  looking(() => readdirSync("/proc"))
    .map(Number)
    .filter((pid) => pid > 0)
    .reverse()

/** The processes of this host (of this pid namespace), by pid. Costs about 10 microseconds each. */
export const processTable = (): ReadonlyMap<number, ProcessFacts> => factsOf(listed())

/** So few numbers are asked for one by one; it costs less than to list all processes of the host. */
const FEW = 64

/**
 * This process and those with `from` and higher numbers; undefined where the kernel's numbering, which ascends and
 * begins anew at the top (32,768 at the lowest), has come round since `from`, or is not told.
 */
export const processesFrom = (from: number): ReadonlyMap<number, ProcessFacts> | undefined => {
  const newest = Number(line("/proc/loadavg").trim().split(" ").at(-1) || Number.NaN)
  if (!(newest >= from)) return undefined
  const few = Array.from({ length: Math.min(newest - from, FEW) + 1 }, (_, back) => newest - back)
  const young =
    newest - from < FEW ? few.filter(isProcess) : listed().filter((pid) => pid >= from && pid !== process.pid)
  return factsOf([...young, process.pid])
}

/** Whether a number is a process's and not that of one of its threads, which are counted with them. */
const isProcess = (pid: number): boolean =>
  Number(/^Tgid:\s*(\d+)/m.exec(line(`/proc/${pid}/status`))?.[1]) === pid

/** One process; undefined when there is none of this pid. */
export const processFacts = (pid: number): ProcessFacts | undefined => parse(line(`/proc/${pid}/stat`))

/** Whether a process was started with this `NAME=value` in its environment; false where it may not be read. */
export const hasInEnvironment = (pid: number, entry: string): boolean =>
  text(`/proc/${pid}/environ`).split("\0").includes(entry)

/** The soft limit of file locks, as decimal text; empty when the process is gone. See `Brand.ts`. */
export const locksLimit = (pid: number): string =>
  /^Max file locks\s+(\S+)/m.exec(line(`/proc/${pid}/limits`))?.[1] ?? ""
