import { describe, expect, test } from "bun:test"
import { rm } from "node:fs/promises"
import { setTimeout as pause } from "node:timers/promises"
import { Scene, statusOf } from "./Scene.ts"
import { sightings, WITNESS } from "./Witness.ts"

const LIMIT_MS = 60_000
const POLLS = 2_000

/** Waits until an adapter has begun its work. */
const untilStarted = async (scene: Scene): Promise<void> => {
  for (let poll = 0; poll < POLLS; poll++) {
    if (sightings(scene.place.path("state", WITNESS)).length > 0) return
    await pause(10)
  }
  throw new Error("the adapter did not start")
}

const works: ReadonlyArray<readonly [what: string, work: string]> = [
  ["works", "sleep 50"],
  ["does not listen to signals", "trap '' TERM INT HUP; sleep 50; sleep 50"],
  ["has left a daemon behind", "setsid sleep 50 & sleep 50"]
]

describe("a dispatcher that is killed while its adapter", () => {
  for (const [what, work] of works)
    test(
      `${what} leaves a task that the next one runs again, alone`,
      async () => {
        // Work that ends only in the second run, when the file is gone.
        const scene = await Scene.make(`if [ -f "$AGENT_RUNTIME_STATE_DIR/hold" ]; then ${work}; fi`)
        try {
          await scene.queue(1)
          await scene.place.write("state/hold", "")
          const first = scene.place.start(["run-once"])
          await untilStarted(scene)
          first.kill("SIGKILL")
          await first.exited
          await rm(scene.place.path("state", "hold"))
          expect(statusOf(await scene.runOnce())).toBe("completed")
          expect(scene.check()).toEqual([])
          const seen = sightings(scene.place.path("state", WITNESS)).map((sighting) => sighting.what)
          expect(seen).toEqual(["start", "start", "end"])
        } finally {
          await scene.end()
        }
      },
      LIMIT_MS
    )
})
