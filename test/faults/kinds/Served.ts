import { setTimeout as pause } from "node:timers/promises"
import type { Fault } from "../Fault.ts"
import { HttpClients } from "../HttpClients.ts"
import { between } from "../Random.ts"
import { rows } from "../Rows.ts"
import type { Running } from "../Running.ts"
import { Scene } from "../Scene.ts"

const PRODUCERS = 3
const KILLS = 10
const ANSWERS_WITHIN_MS = 20_000

/** Where a server listens; undefined when it ended before it did. */
const urlOf = async (server: Running): Promise<string | undefined> =>
  (await server.says(/Listening on (http:\/\/[^"\s]+)\//))?.[1]

/** One server, and a dispatcher beside it where it has none, from their start to their death. */
const life = async (scene: Scene, clients: HttpClients, random: () => number): Promise<void> => {
  const isUp = random() < 0.7
  const server = scene.start([isUp ? "up" : "serve", "--port", "0"])
  const all = isUp ? [server] : [server, scene.dispatch()]
  // Some die before they listen, most while they are asked.
  const early = random() < 0.15
  const dead = (async () => {
    await (early ? pause(between(random, 0, 200)) : server.says(/Listening on/))
    // The others have answered somebody, on a host that has much else to do, too.
    const before = clients.acknowledged
    const late = performance.now() + ANSWERS_WITHIN_MS
    while (!early && clients.acknowledged === before && performance.now() < late) await pause(10)
    await pause(early ? 0 : between(random, 0, 800))
    await Promise.all(all.map((one) => one.end("SIGKILL")))
  })()
  const url = await urlOf(server)
  if (url !== undefined)
    await Promise.all([clients.follow(url), ...Array.from({ length: PRODUCERS }, () => clients.produce(url))])
  await dead
}

const eventIds = (scene: Scene): ReadonlyArray<number> =>
  rows<{ readonly id: number }>(scene.database, "SELECT id FROM run_events ORDER BY id").map(({ id }) => id)

const canceledNoMore = (scene: Scene, canceled: ReadonlySet<string>): ReadonlyArray<string> =>
  rows<{ readonly task_id: string; readonly status: string }>(
    scene.database,
    "SELECT task_id, status FROM tasks WHERE status <> 'operator_canceled'"
  )
    .filter(({ task_id }) => canceled.has(task_id))
    .map(({ status, task_id }) => `the cancel of ${task_id} was acknowledged and it is ${status}`)

/** `up` and `serve` die while clients queue, cancel and follow: what was answered holds, and the stream resumes. */
export const servedKilled: Fault = {
  name: "kill -9 of up and serve while clients queue and follow over HTTP",
  needs: [],
  rounds: 10,
  sample: [0],
  found: "",
  round: async ({ keepAs, number, random }) => {
    const kills = number === 0 ? 1 : KILLS
    const scene = await Scene.make(":", { config: { maxAttempts: 1_000, dispatch: { concurrency: 4 } } })
    const clients = new HttpClients(scene, random)
    let violations: ReadonlyArray<string> = []
    try {
      for (let kill = 0; kill < kills; kill++) await life(scene, clients, random)
      const rested = await scene.rest()
      const ids = eventIds(scene)
      const last = scene.start(["serve", "--port", "0"])
      const url = await urlOf(last)
      if (url !== undefined)
        await Promise.race([clients.follow(url, ids.at(-1) ?? 0), pause(60_000, undefined, { ref: false })])
      const { code, signal } = await last.end("SIGTERM")
      violations = [
        ...rested,
        ...clients.wrong,
        ...(code === 0 ? [] : [`serve ended with ${signal ?? code}`]),
        ...(JSON.stringify(clients.seen) === JSON.stringify(ids)
          ? []
          : [`the stream told ${clients.seen.length} events, there are ${ids.length}`]),
        ...canceledNoMore(scene, clients.canceled),
        ...(clients.acknowledged > 0 ? [] : ["no client was ever answered"]),
        ...scene.check()
      ]
      return { strikes: kills, violations: [...new Set(violations)] }
    } finally {
      await scene.end(violations.length > 0 ? keepAs : undefined)
    }
  }
}
