import { setTimeout as pause } from "node:timers/promises"
import { randomOf } from "./Random.ts"
import { Scene } from "./Scene.ts"

/** After so many kills one dispatcher may finish all, and every promise is checked. */
const KILLS_A_CHECK = 10
const LONGEST_LIFE_MS = 700

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
      const dispatcher = scene.dispatch()
      await pause(random() * LONGEST_LIFE_MS)
      await dispatcher.end("SIGKILL")
      await producing
      tasks += 2
      if (kill % KILLS_A_CHECK === 0 || kill === kills) violations.push(...(await scene.rest()))
    }
    const { completed = 0, ...others } = await scene.counts()
    if (completed !== tasks || Object.keys(others).length > 0)
      violations.push(`of ${tasks} tasks ${completed} are completed, beside ${JSON.stringify(others)}`)
    return { kills, tasks, violations: [...new Set(violations)] }
  } finally {
    await scene.end(violations.length > 0 ? keepAs : undefined)
  }
}
