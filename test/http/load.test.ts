import { expect, setDefaultTimeout, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { inPlace } from "../e2e/inPlace.ts"
import { besideServers, type Serving } from "../e2e/server.ts"
import type { Place } from "../support/binary.ts"
import type { Answer, Order } from "./crowd.ts"

setDefaultTimeout(600_000)

const MOST_MEMORY = 300 * 1024 * 1024
/**
 * Two hundred pages of 250 KB in one second leave ten times as much behind, until the collector comes: peaks of 260 to
 * 480 MiB were seen, and the old level five seconds later.
 */
const MOST_LEFT_BEHIND = 512 * 1024 * 1024
const MOST_WAIT_MS = 100
const EVENTS = 5_000

/** A client process beside the server; it has as many descriptors as the system allows. */
const crowd = ({ url }: Serving) => {
  const answers: Array<(answer: Answer) => void> = []
  const child = Bun.spawn(
    [
      "/bin/sh",
      "-c",
      'ulimit -Sn "$(ulimit -Hn)"; exec "$@"',
      "sh",
      process.execPath,
      join(import.meta.dir, "crowd.ts"),
      new URL(url).port
    ],
    { stdout: "inherit", stderr: "inherit", ipc: (answer: Answer) => answers.shift()?.(answer) }
  )
  return {
    tell: (order: Order) =>
      new Promise<Answer>((resolve) => {
        answers.push(resolve)
        child.send(order)
      }),
    end: async () => {
      child.kill("SIGKILL")
      await child.exited
    }
  }
}

const at = (sorted: ReadonlyArray<number>, part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN

/** Milliseconds that the server's one thread of JavaScript has worked. */
const worked = ({ process: { pid } }: Serving): number =>
  Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ")[0]) / 1e6

/**
 * Asks for the heartbeat all the time. What the server's thread worked until the answer was there is how long it takes
 * where the server has a core for itself: a machine that runs other tests makes the time of a clock longer at will.
 */
const pulse = (server: Serving) => {
  const [waits, works]: [Array<number>, Array<number>] = [[], []]
  let isOver = false
  const beating = (async () => {
    while (!isOver) {
      const [began, before] = [performance.now(), worked(server)]
      const response = await fetch(`${server.url}/api/heartbeat`)
      await response.text()
      waits.push(performance.now() - began)
      works.push(worked(server) - before)
      expect(response.status).toBe(200)
      await Bun.sleep(20)
    }
  })()
  const sorted = (all: Array<number>) => all.splice(0).sort((a, b) => a - b)
  return {
    /** What was measured since it was last asked for, in milliseconds. */
    take: () => ({ waits: sorted(waits), works: sorted(works) }),
    end: async () => {
      isOver = true
      await beating
    }
  }
}

const memory = ({ process: { pid } }: Serving) => {
  const status = readFileSync(`/proc/${pid}/status`, "utf8")
  const of = (name: string) => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1])
  return { now: of("VmRSS"), peak: of("VmHWM") }
}

const descriptors = ({ process: { pid } }: Serving): ReadonlyArray<string> =>
  /^Max open files\s+(\d+)\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, "utf8"))?.slice(1) ?? []

const wide = (at: number): string => String(at).padEnd(200, "語")

/** Queues tasks by a process of their own, each with an event of more than a KiB. */
const fill = async (place: Place, from: number, count: number): Promise<void> => {
  const tasks = Array.from({ length: count }, (_, index) => ({
    kind: wide(index),
    source: wide(from + index),
    subject: "s",
    payload: {}
  }))
  const file = await place.write("backlog.json", JSON.stringify({ workflows: [], tasks }))
  await place.json(["seed-backlog", "--file", file])
}

const MiB = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`

/** What the crowd needs beside its half-open connections. */
const OTHERS = 1_500
const HALF_OPEN = 10_000
const LEAST = 1_000

const hardLimit = Number(
  Bun.spawnSync(["/bin/sh", "-c", "ulimit -Hn"]).stdout.toString().trim().replace("unlimited", "1000000")
)
const halfOpen = Math.min(HALF_OPEN, hardLimit - OTHERS)

const trying = halfOpen < LEAST ? test.skip : test
const named =
  halfOpen < LEAST
    ? `[needs a hard limit of ${LEAST + OTHERS} open files, has ${hardLimit}]`
    : `(of ${HALF_OPEN} as far as a hard limit of ${hardLimit} open files allows)`

trying(
  `${halfOpen} half-open connections, slow bodies, slow readers and 200 streams of ${EVENTS} events take neither the heartbeat, nor the memory, nor an event ${named}`,
  () =>
    inPlace({}, (place) =>
      besideServers(place, async (begin) => {
        // The soft limit is what a login shell has; the server raises its own.
        const server = await begin(["serve"], {
          under: ["/bin/sh", "-c", 'ulimit -Sn 1024; exec "$@"', "sh"]
        })
        expect(descriptors(server)).toEqual([String(hardLimit), String(hardLimit)])
        const [beat, clients] = [pulse(server), crowd(server)]
        const phase = async <A>(name: string, body: () => Promise<A>, most = MOST_MEMORY): Promise<A> => {
          const result = await body()
          const { waits, works } = beat.take()
          const { now, peak } = memory(server)
          const [median, ...rest] = [at(waits, 0.5), at(waits, 0.99), at(works, 0.99), at(works, 1)]
          const [p99, work99, mostWork] = rest.map((ms) => ms.toFixed(0))
          const figures = `${name}: heartbeat after ${median.toFixed(1)} ms (median), ${p99} (p99); after ${work99} ms of work (p99), ${mostWork} at most; memory ${MiB(now)}, peak ${MiB(peak)}`
          console.log(figures)
          expect([figures, median < MOST_WAIT_MS, at(works, 0.99) < MOST_WAIT_MS]).toEqual([
            figures,
            true,
            true
          ])
          expect([figures, peak < most]).toEqual([figures, true])
          return result
        }
        try {
          await phase("at rest", () => Bun.sleep(3_000))
          const streams = await clients.tell({ do: "streams", count: 200, idle: 40 })
          expect(streams).toMatchObject({ open: 200 })
          const half = await phase("half-open", () => clients.tell({ do: "half-open", count: halfOpen }))
          expect(half.open).toBeGreaterThan(0.9 * halfOpen)
          await phase("slow bodies", async () => {
            expect((await clients.tell({ do: "bodies", count: 400 })).open).toBe(400)
            await Bun.sleep(5_000)
          })
          const read = await phase("events", async () => {
            for (let from = 0; from < EVENTS; from += 500) await fill(place, from, 500)
            return clients.tell({ do: "read", upTo: EVENTS })
          })
          expect(read).toEqual({ open: 160, ended: 0, wrong: 0 })
          const resumed = await phase("dropped streams resume", () =>
            clients.tell({ do: "resume", upTo: EVENTS })
          )
          expect(resumed).toEqual({ open: 40, ended: 40, wrong: 0 })
          await phase(
            "answers that nobody takes",
            async () => {
              await clients.tell({ do: "takers", count: 200, path: "/api/tasks?limit=100" })
              await Bun.sleep(5_000)
            },
            MOST_LEFT_BEHIND
          )
        } finally {
          await beat.end()
          await clients.end()
        }
        expect((await server.ended("SIGTERM")).code).toBe(0)
      })
    )
)
