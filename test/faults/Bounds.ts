import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"

const MIB = 1_048_576

/**
 * What the runtime may use, whatever its children, its clients and the disk do. Memory is the most that ever was
 * resident of one process; descriptors are for a dispatcher of up to ten attempts at once; the disk is what one
 * attempt may leave, 64 MiB of each stream and what the streams are not, and what an acknowledged task may take in
 * tables, indices, events and the journal.
 */
export const BOUNDS = {
  memoryMib: 320,
  descriptors: 160,
  attemptMib: 2 * 64 + 8,
  taskMib: 16 / 1024,
  idleMib: 16
} as const

export interface Used {
  readonly memoryMib: number
  readonly descriptors: number
}

const readMost = (pid: number): Used | undefined => {
  try {
    const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
    return {
      memoryMib: Number(line ?? 0) / 1024,
      descriptors: readdirSync(`/proc/${pid}/fd`).length
    }
  } catch {
    return undefined // It has ended.
  }
}

/** Looks at a process again and again until it has ended; answers the most that it used. */
export const watchUse = async (pid: number, everyMs = 20): Promise<Used> => {
  let most: Used = { memoryMib: 0, descriptors: 0 }
  for (let now = readMost(pid); now !== undefined; now = readMost(pid)) {
    most = {
      memoryMib: Math.max(most.memoryMib, now.memoryMib),
      descriptors: Math.max(most.descriptors, now.descriptors)
    }
    await pause(everyMs)
  }
  return most
}

/** MiB that the files below a folder take. */
export const mibBelow = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => {
      try {
        return sum + statSync(join(entry.parentPath, entry.name)).blocks * 512
      } catch {
        return sum // It is gone meanwhile.
      }
    }, 0) / MIB

/** Where a process went beyond its bounds. */
export const beyond = ({ descriptors, memoryMib }: Used): ReadonlyArray<string> => [
  ...(memoryMib <= BOUNDS.memoryMib
    ? []
    : [`it used ${memoryMib.toFixed(0)} MiB of memory, more than ${BOUNDS.memoryMib}`]),
  ...(descriptors <= BOUNDS.descriptors
    ? []
    : [`it held ${descriptors} descriptors, more than ${BOUNDS.descriptors}`])
]

/** Whether a state folder with so many attempts and tasks takes more of the disk than they may leave. */
export const beyondDisk = (folder: string, attempts: number, tasks = 0): ReadonlyArray<string> => {
  const used = mibBelow(folder)
  const most = Math.ceil(BOUNDS.idleMib + attempts * BOUNDS.attemptMib + tasks * BOUNDS.taskMib)
  return used <= most
    ? []
    : [
        `the state folder takes ${used.toFixed(0)} MiB with ${attempts} attempts of ${tasks} tasks, more than ${most}`
      ]
}
