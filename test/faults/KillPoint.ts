import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Told } from "../support/binary.ts"
import { Scene, statusOf } from "./Scene.ts"

/** System calls by which something becomes durable. */
export const syscalls = ["pwrite64", "fsync", "rename", "link", "write"] as const
export type Syscall = (typeof syscalls)[number]

/** The command that is killed. */
export const victims = ["first intake", "intake", "run-once"] as const
export type Victim = (typeof victims)[number]

/** SIGKILL as a command enters its `at`-th call (from 1) of one kind. */
export interface KillPoint {
  readonly victim: Victim
  readonly syscall: Syscall
  readonly at: number
}

export interface Result {
  readonly point: KillPoint
  /** False when the command ended before it came so far. */
  readonly killed: boolean
  /** What the next cycles said. */
  readonly said: ReadonlyArray<string>
  readonly violations: ReadonlyArray<string>
}

const prepare = async (victim: Victim): Promise<Scene> => {
  const scene = await Scene.make()
  if (victim !== "first intake") await scene.queue(2)
  return scene
}

const strike = (scene: Scene, victim: Victim, under: ReadonlyArray<string>): Promise<Told> =>
  victim === "run-once" ? scene.runOnce({ under }) : scene.intake("the victim's task", { under })

const names = (syscall: Syscall): string =>
  syscall === "rename" ? "rename,renameat,renameat2" : syscall === "link" ? "link,linkat" : syscall

/** Calls of each kind that a command makes: by its main thread, which are the same each time, and by the busiest one. */
export interface Calls {
  readonly main: Readonly<Record<Syscall, number>>
  readonly most: Readonly<Record<Syscall, number>>
}

const noCalls = (): Record<Syscall, number> => ({ pwrite64: 0, fsync: 0, rename: 0, link: 0, write: 0 })

/** Counts the calls of a command that nobody disturbs. strace's `when` counts each thread by itself. */
export const countCalls = async (victim: Victim): Promise<Calls> => {
  const scene = await prepare(victim)
  const folder = await mkdtemp(join(tmpdir(), "agent-runtime-strace-"))
  try {
    const log = join(folder, "calls")
    const under = ["strace", "-f", "-qq", "-o", log, "-e", `trace=${syscalls.map(names).join(",")}`]
    await strike(scene, victim, under)
    const threads = new Map<string, Record<Syscall, number>>()
    for (const line of (await readFile(log, "utf8")).split("\n")) {
      const [, thread = "", name = ""] = /^(\d+) +(\w+)\(/.exec(line) ?? []
      const syscall = syscalls.find((one) => names(one).split(",").includes(name))
      if (syscall === undefined) continue
      const calls = threads.get(thread) ?? noCalls()
      threads.set(thread, calls)
      calls[syscall]++
    }
    const most = noCalls()
    for (const calls of threads.values())
      for (const syscall of syscalls) most[syscall] = Math.max(most[syscall], calls[syscall])
    // The first to make a call is the main thread: it opens the database before anything else.
    return { main: [...threads.values()][0] ?? noCalls(), most }
  } finally {
    await scene.end()
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * Kills a command at one point, runs the next cycle, checks every promise, and then lets cycles run until
 * nothing is left to do: what was queued must be completed. The folder of a broken promise is kept as `keepAs`.
 */
export const kill = async (point: KillPoint, keepAs?: string): Promise<Result> => {
  const scene = await prepare(point.victim)
  const broken: Array<string> = []
  try {
    const calls = names(point.syscall)
    const inject = `inject=${calls}:signal=KILL:when=${point.at}`
    const under = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", `trace=${calls}`, "-e", inject]
    const struck = await strike(scene, point.victim, under)
    const next = statusOf(await scene.runOnce())
    broken.push(...scene.check())
    const said = [next, ...(await scene.drain(8))]
    broken.push(...scene.check())
    const counts = await scene.counts()
    if (said.at(-1) !== "idle" || Object.keys(counts).some((status) => status !== "completed"))
      broken.push(`after ${said.join(", ")} there are ${JSON.stringify(counts)}`)
    return { point, killed: struck.signal === "SIGKILL", said, violations: [...new Set(broken)] }
  } finally {
    await scene.end(broken.length > 0 ? keepAs : undefined)
  }
}

/** A line of the table that the suites print. */
export const row = ({ point, killed, said, violations }: Result): string =>
  [
    point.victim.padEnd(12),
    point.syscall.padEnd(8),
    String(point.at).padStart(3),
    (killed ? "killed" : "not reached").padEnd(11),
    (violations.length === 0 ? "sound" : "BROKEN").padEnd(6),
    said.join(" ")
  ].join("  ") + violations.map((violation) => `\n    ${violation}`).join("")
