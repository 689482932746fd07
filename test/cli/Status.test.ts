import { expect } from "bun:test"
import { Effect, Fiber, Layer, TestClock } from "effect"
import { bind } from "../../src/cli/Command.ts"
import { main } from "../../src/cli/Main.ts"
import { status } from "../../src/cli/Status.ts"
import { Terminal } from "../../src/cli/Terminal.ts"
import { RuntimeConfig } from "../../src/config/RuntimeConfig.ts"
import { Lock } from "../../src/dispatch/Lock.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { Store } from "../../src/store/Store.ts"
import { queue, says, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import { fakeTerminal, type Scene } from "../support/fakeTerminal.ts"

/** Watches while a body runs; `shown` lets a quarter of a second go by and answers what there is by then. */
const whileWatching = <E, R>(
  scene: Scene,
  body: (shown: Effect.Effect<string>) => Effect.Effect<void, E, R>
) =>
  Effect.gen(function* () {
    const layer = Layer.mergeAll(
      Layer.succeed(Store, yield* Store),
      Layer.succeed(Lock, yield* Lock),
      Layer.succeed(RuntimeConfig, yield* RuntimeConfig)
    )
    const terminal = fakeTerminal({ ...scene, argv: ["status", "--watch"] })
    const watching = yield* Effect.fork(
      main({
        name: "agent-runtime",
        version: "1.2.3",
        summary: "for a test",
        commands: [bind(status, () => layer)]
      }).pipe(Effect.provideService(Terminal, terminal.service))
    )
    const passes = Effect.zipRight(Effect.repeatN(Effect.yieldNow(), 500), TestClock.adjust("250 millis"))
    yield* Effect.repeatN(passes, 10)
    yield* body(Effect.zipRight(Effect.repeatN(passes, 3), Effect.sync(terminal.out)))
    yield* Fiber.interrupt(watching)
    expect(terminal.err()).toBe("")
  }).pipe(Effect.provide(world({ adapters: { local: says("hello") } })))

it.effect("a pipe gets the state as a line of JSON whenever it has changed, and only then", () =>
  whileWatching({}, (shown) =>
    Effect.gen(function* () {
      const lines = Effect.map(shown, (out) =>
        out
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line))
      )
      expect(yield* lines).toMatchObject([{ runtime_state: "idle", counts: { queued: 0 } }])
      yield* queue()
      expect(yield* lines).toMatchObject([{}, { counts: { queued: 1 } }])
      expect(yield* lines).toHaveLength(2)
      yield* runOnce
      expect((yield* lines).at(-1)).toMatchObject({
        runtime_state: "idle",
        counts: { queued: 0, completed: 1 }
      })
      expect((yield* lines).length).toBeLessThan(5)
    })
  )
)

it.effect("a terminal gets a fresh picture in the place of the last one", () =>
  whileWatching({ columns: 100 }, (shown) =>
    Effect.gen(function* () {
      const pictures = Effect.map(shown, (out) => out.split("\u001b[2J\u001b[H").slice(1))
      expect(yield* pictures).toHaveLength(1)
      yield* queue({ subject: "look at the pump" })
      const [before, after] = yield* pictures
      expect(before).toContain("none yet")
      expect(after).toContain("look at the pump")
    })
  )
)
