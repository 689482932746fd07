import { setTimeout as pause } from "node:timers/promises"
import type { Fault } from "../Fault.ts"
import { Scene } from "../Scene.ts"

const KILLS = 100
const MOST_TRIES = 400
const AT_ONCE = 2

/**
 * A producer dies a hundred times, at any moment from its start to its answer, beside a dispatcher at work: what it
 * had acknowledged is there and done in the end.
 */
export const producerKilled: Fault = {
  name: "100 SIGKILLs of the producer",
  needs: [],
  rounds: 3,
  sample: [],
  found: "",
  round: async ({ keepAs, random }) => {
    const scene = await Scene.make(":", { config: { maxAttempts: 1_000, dispatch: { concurrency: 2 } } })
    let violations: ReadonlyArray<string> = []
    let kills = 0
    let tries = 0
    try {
      await scene.queue(1)
      const dispatcher = scene.dispatch()
      const produce = async () => {
        // How long one takes changes with what the host has to do beside it.
        let usualMs = 200
        while (kills < KILLS && tries < MOST_TRIES) {
          tries++
          const began = performance.now()
          const producer = scene.start(["intake", "--json", '{"kind":"note","source":"faults","payload":{}}'])
          const alarm = pause(random() * 1.2 * usualMs).then(() => producer.kill("SIGKILL"))
          const { signal } = await producer.ended
          if (signal === "SIGKILL") kills++
          usualMs = signal === "SIGKILL" ? usualMs * 1.02 : (usualMs + performance.now() - began) / 2
          await alarm
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, produce))
      const acknowledged = scene.recorder.facts.filter(({ told }) => told === "queued").length
      const { code, signal } = await dispatcher.end("SIGTERM")
      violations = [
        ...(code === 0 ? [] : [`the dispatcher ended with ${signal ?? code}`]),
        ...(kills >= KILLS ? [] : [`of ${tries} producers only ${kills} could be killed`]),
        ...(await scene.rest()),
        ...(((await scene.counts()).completed ?? 0) >= acknowledged
          ? []
          : [`of ${acknowledged} acknowledged tasks not all are completed`])
      ]
      return { strikes: kills, violations }
    } finally {
      await scene.end(violations.length > 0 ? keepAs : undefined)
    }
  }
}
