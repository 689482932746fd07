import { expect } from "bun:test"
import { Effect, Fiber, Ref, TestClock } from "effect"
import { awaitingRoom } from "../../../layers/artifact/Room.ts"
import { it } from "../../support/effect.ts"

const failingFor = (times: number, code: string) =>
  Effect.map(Ref.make(0), (tries) => ({
    tries: Ref.get(tries),
    step: Effect.flatMap(
      Ref.updateAndGet(tries, (n) => n + 1),
      (n) => (n > times ? Effect.succeed("done") : Effect.fail(code))
    )
  }))

const isLack = (code: string) => code === "EMFILE"

it.effect("what finds no room is tried again until it does, for five seconds at most", () =>
  Effect.gen(function* () {
    const short = yield* failingFor(10, "EMFILE")
    const waiting = yield* Effect.fork(awaitingRoom(short.step, isLack))
    yield* TestClock.adjust("2 seconds")
    expect(yield* Fiber.join(waiting)).toBe("done")
    const long = yield* failingFor(1_000, "EMFILE")
    const givenUp = yield* Effect.fork(Effect.flip(awaitingRoom(long.step, isLack)))
    yield* TestClock.adjust("6 seconds")
    expect(yield* Fiber.join(givenUp)).toBe("EMFILE")
  })
)

it.effect("what fails for another reason is not tried again", () =>
  Effect.gen(function* () {
    const other = yield* failingFor(1, "EACCES")
    expect(yield* Effect.flip(awaitingRoom(other.step, isLack))).toBe("EACCES")
    expect(yield* other.tries).toBe(1)
  })
)
