import { existsSync, writeFileSync } from "node:fs"
import { setTimeout as pause } from "node:timers/promises"
import { type Fault, struck } from "../Fault.ts"
import { pick } from "../Random.ts"
import { Scene } from "../Scene.ts"

const LIBRARY = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"].map(
  (folder) => `${folder}/faketime/libfaketime.so.1`
)

/** The clock of a running dispatcher is set forward and back, by hours and by years, while tasks come. */
export const clockJumps: Fault = {
  name: "clock jumps in both directions",
  needs: ["faketime"],
  rounds: 8,
  sample: [],
  found: "",
  round: async ({ keepAs, random }) => {
    const scene = await Scene.make(":", { config: { maxAttempts: 1_000 } })
    let violations: ReadonlyArray<string> = []
    const clock = scene.place.path("clock")
    const set = (offset: string) => writeFileSync(clock, `${offset}\n`)
    const env = {
      LD_PRELOAD: LIBRARY.find((file) => existsSync(file)) ?? "",
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1"
    }
    set("+0")
    try {
      await scene.queue(1)
      const dispatcher = scene.dispatch({ env })
      for (let jump = 0; jump < 4; jump++) {
        set(pick(random, ["+2h", "-2h", "+400d", "-400d", "+0", "+30", "-30"]))
        await scene.intake(`jump ${jump}`, { env })
        await pause(500)
      }
      set("+0")
      // What was queued by a clock ahead is not due for this one: that is what its producer asked for.
      set("+401d")
      const late = await scene.completes(dispatcher, 5)
      await dispatcher.end("SIGTERM")
      violations = [...late, ...scene.check({ clockSkewMs: Number.POSITIVE_INFINITY })]
      return { ...struck(violations), strikes: 5 }
    } finally {
      await scene.end(violations.length > 0 ? keepAs : undefined)
    }
  }
}
