import { readFileSync } from "node:fs"
import { join } from "node:path"
import { serving } from "../e2e/server.ts"
import { Place } from "../support/binary.ts"
import { Dispatching, spawns } from "./Dispatch.ts"
import { elapsed } from "./Measure.ts"
import { inFolder } from "./Peers.ts"
import { type Shares, shares } from "./Where.ts"

// The compiled binary with its script adapter: a bundle, a child, an audit folder, attempt and events for each task.

const NO_OP = ["/bin/true"]

/** No-op tasks a second, of so many or of those that end within the limit; after the first tenth, for warmth. */
export const drained = async (concurrency: number, tasks: number, limitMs: number): Promise<number> => {
  const dispatching = await Dispatching.begin(concurrency, NO_OP)
  try {
    await dispatching.fill(tasks)
    await dispatching.until(() => dispatching.completed() > 0)
    return await rateOf(dispatching, 0, tasks, limitMs)
  } finally {
    await dispatching.end()
  }
}

const rateOf = async (dispatching: Dispatching, from: number, tasks: number, limitMs: number) => {
  const began = performance.now()
  const late = () => performance.now() - began > limitMs
  await dispatching.until(
    () => dispatching.completed() >= from + tasks / 10 || performance.now() - began > limitMs / 3
  )
  const [warm, warmAt] = [dispatching.completed(), performance.now()]
  await dispatching.until(() => dispatching.completed() >= from + tasks || late())
  return ((dispatching.completed() - warm) * 1_000) / (performance.now() - warmAt)
}

/** The same children a second, started and waited for by Bun alone. */
export const bareChildren = async (concurrency: number, children: number): Promise<number> =>
  (children * 1_000) / (await spawns(concurrency, children))

/** With so many waiting: no-op tasks a second at concurrency 1, and resident MiB. */
export const before = async (tasks: number, limitMs: number) => {
  const dispatching = await Dispatching.begin(1, NO_OP)
  try {
    dispatching.flood(tasks)
    await dispatching.until(() => dispatching.completed() > 0)
    const perSecond = await rateOf(dispatching, dispatching.completed(), tasks, limitMs)
    return { perSecond, residentMiB: dispatching.residentMiB() }
  } finally {
    await dispatching.end()
  }
}

/** `run-once` with so many waiting: milliseconds from start to exit, each time a new process. */
export const runOnce = async (tasks: number, rounds: number): Promise<ReadonlyArray<number>> => {
  const dispatching = await Dispatching.begin(1, NO_OP)
  dispatching.flood(tasks)
  const times: Array<number> = []
  const { place } = dispatching
  await dispatching.stop()
  try {
    for (let round = 0; round < rounds; round++) times.push(await elapsed(() => place.json(["run-once"])))
    return times
  } finally {
    await dispatching.end()
  }
}

/** What the time of a task at concurrency 1 goes to, from a pass of so many under strace. */
export const where = (tasks: number): Promise<Shares> =>
  inFolder(async (folder) => {
    const trace = join(folder, "trace")
    const calls =
      "fsync,fdatasync,openat,rename,renameat,renameat2,mkdir,mkdirat,unlink,unlinkat,link,linkat,vfork,fork,clone,clone3,execve"
    const strace = ["strace", "-f", "-q", "--seccomp-bpf", "-ttt", "-T", "-y", "-o", trace, "-e", calls]
    const dispatching = await Dispatching.begin(1, NO_OP, strace)
    try {
      await dispatching.fill(tasks)
      await dispatching.until(() => dispatching.completed() >= tasks / 2)
      const from = Date.now() / 1_000
      await dispatching.until(() => dispatching.completed() === tasks)
      const to = Date.now() / 1_000
      await dispatching.end()
      return shares(readFileSync(trace, "utf8"), from, to)
    } catch (error) {
      await dispatching.end()
      throw error
    }
  })

/** Tasks that `up` takes over HTTP and starts itself: milliseconds from the commit to the claim and to the child. */
export const sameProcess = async (tasks: number) => {
  const adapters = {
    local: { mode: "script", command: "/bin/date", extraArgs: ["+%s.%N"], timeoutMs: 30_000 }
  }
  const place = await Place.make({ config: { adapters } })
  const server = await serving(place, ["up", "--log-level", "info"])
  const toClaim: Array<number> = []
  const toChild: Array<number> = []
  const get = async (path: string) => {
    const response = await fetch(`${server.url}/api/${path}`)
    if (!response.ok) throw new Error(`${path} answered ${response.status}`)
    return response
  }
  try {
    for (let task = 0; task < tasks; task++) {
      const body = JSON.stringify({ kind: "note", source: "bench", payload: { seq: task } })
      const headers = { "content-type": "application/json" }
      const made = await fetch(`${server.url}/api/tasks`, { method: "POST", headers, body })
      const { task_id } = (await made.json()) as { readonly task_id: string }
      // Nobody asks while it starts: the answer would come from the same thread.
      await Bun.sleep(60 + (task % 17))
      const { attempt, created } = await ended(async () => (await get(`tasks/${task_id}`)).json())
      const printed = await (await get(`attempts/${attempt.attempt_id}/stdout`)).text()
      toClaim.push(Date.parse(attempt.started_at) - created)
      toChild.push(Number(printed) * 1_000 - created)
    }
    return { toClaim, toChild }
  } finally {
    await server.ended("SIGTERM")
    await place.remove()
  }
}

/** The attempt of a task when it has ended. */
const ended = async (read: () => Promise<unknown>) => {
  while (true) {
    const { attempts, task } = (await read()) as Story
    const [attempt] = attempts
    if (task.status === "completed" && attempt !== undefined)
      return { attempt, created: Date.parse(task.created_at) }
    await Bun.sleep(20)
  }
}

interface Story {
  readonly task: { readonly created_at: string; readonly status: string }
  readonly attempts: ReadonlyArray<{ readonly attempt_id: string; readonly started_at: string }>
}
