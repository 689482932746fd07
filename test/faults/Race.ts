import { Scene, statusOf } from "./Scene.ts"

export interface RaceResult {
  readonly said: ReadonlyArray<string>
  readonly violations: ReadonlyArray<string>
}

const allowed = ["completed", "idle", "dispatch_locked"]

/** `times` over: one task is queued and two `run-once` are started together; one must do it, the other not. */
export const race = async (times: number): Promise<ReadonlyArray<RaceResult>> => {
  const scene = await Scene.make()
  const results: Array<RaceResult> = []
  try {
    for (let round = 1; round <= times; round++) {
      await scene.queue(1)
      const said = (await Promise.all([scene.runOnce(), scene.runOnce()])).map(statusOf)
      const counts = await scene.counts()
      const violations = [
        ...scene.check(),
        ...said.filter((one) => !allowed.includes(one)).map((one) => `a cycle said ${one}`),
        ...(said.filter((one) => one === "completed").length === 1
          ? []
          : [`both said ${said.join(" and ")}`]),
        ...(counts.completed === round ? [] : [`${counts.completed} of ${round} tasks are completed`])
      ]
      results.push({ said, violations })
    }
    return results
  } finally {
    await scene.end()
  }
}
