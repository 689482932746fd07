import { setTimeout as pause } from "node:timers/promises"
import { randomOf } from "./Random.ts"
import { Scene } from "./Scene.ts"

/** After so many kills one dispatcher may finish all, and every promise is checked. */
const KILLS_A_CHECK = 10
const LONGEST_LIFE_MS = 700
const REST_WITHIN_MS = 60_000

export interface Killed {
  readonly kills: number
  /** Tasks that were acknowledged. */
  readonly tasks: number
  readonly violations: ReadonlyArray<string>
}

/**
 * Kills a resident dispatcher again and again, at random moments of its life, while other processes queue tasks;
 * what was acknowledged must be completed in the end, once each, and every promise kept. The folder of a broken
 * promise is kept as `keepAs`.
 */
export const killDispatcher = async (kills: number, seed: number, keepAs?: string): Promise<Killed> => {
  const random = randomOf(seed)
  const scene = await Scene.make("sleep 0.0$(($$ % 10))", {
    config: { maxAttempts: 1_000, dispatch: { concurrency: 3 } }
  })
  const violations: Array<string> = []
  let tasks = 0
  try {
    for (let kill = 1; kill <= kills; kill++) {
      const producing = scene.queue(2)
      const dispatcher = scene.place.start(["dispatch", "--log-level", "none"])
      await pause(random() * LONGEST_LIFE_MS)
      dispatcher.kill("SIGKILL")
      await dispatcher.exited
      await producing
      tasks += 2
      if (kill % KILLS_A_CHECK === 0 || kill === kills) violations.push(...(await atRest(scene)))
    }
    return { kills, tasks, violations: [...new Set(violations)] }
  } finally {
    await scene.end(violations.length > 0 ? keepAs : undefined)
  }
}

/** Lets one dispatcher do all that is left, ends it, and checks. */
const atRest = async (scene: Scene): Promise<ReadonlyArray<string>> => {
  const dispatcher = scene.place.start(["dispatch", "--log-level", "none"])
  const late = performance.now() + REST_WITHIN_MS
  let left = await unfinished(scene)
  while (left !== "" && performance.now() < late) {
    await pause(50)
    left = await unfinished(scene)
  }
  dispatcher.kill("SIGTERM")
  const code = await dispatcher.exited
  return [
    ...(left === "" ? [] : [`after ${REST_WITHIN_MS} ms there is left: ${left}`]),
    ...(code === 0 ? [] : [`the dispatcher ended with ${dispatcher.signalCode ?? code}`]),
    ...scene.check()
  ]
}

const unfinished = async (scene: Scene): Promise<string> => {
  const { completed: _, ...others } = await scene.counts()
  return Object.keys(others).length === 0 ? "" : JSON.stringify(others)
}
