import { expect } from "bun:test"
import { Effect, Layer, Option, Ref, TestClock } from "effect"
import { ArtifactFailed, ArtifactStore } from "../../src/artifact/ArtifactStore.ts"
import { goOn } from "../../src/dispatch/HoldBack.ts"
import { stampNow } from "../../src/dispatch/Runner.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { Store } from "../../src/store/Store.ts"
import { it } from "../support/effect.ts"
import { limits, makeWorkers, notify, pause, quiet, runtime, told, whileDispatching } from "./resident.ts"
import { attemptsOf, queue, taskOf, world } from "./world.ts"

/** An artifact root on a disk that is full until the test says otherwise. */
const fullDisk = Effect.gen(function* () {
  const artifacts = yield* ArtifactStore
  const isFull = yield* Ref.make(true)
  const hasRoom = (path: string) =>
    Effect.flatMap(Ref.get(isFull), (full) =>
      full ? new ArtifactFailed({ path, reason: "ENOSPC" }) : Effect.void
    )
  const full: typeof artifacts = {
    ...artifacts,
    writable: hasRoom(artifacts.root),
    begin: (path, text) => Effect.zipRight(hasRoom(path), artifacts.begin(path, text))
  }
  return { full, isFull }
})

const pauseNow = Effect.flatMap(Store, ({ gates }) => gates.pause)

it.effect("where no evidence can be kept dispatch is paused and goes on by itself: one task is blocked", () =>
  Effect.gen(function* () {
    const workers = yield* makeWorkers
    const program = Effect.gen(function* () {
      const { full, isFull } = yield* fullDisk
      const body = whileDispatching(() =>
        Effect.gen(function* () {
          const first = yield* queue()
          const second = yield* queue()
          yield* told("dispatch_pause_enabled")
          const held = Option.getOrThrow(yield* pauseNow)
          expect(held.actor.surface).toBe("dispatch")
          expect(Option.getOrThrow(held.reason)).toMatch(
            /^nothing can be kept in the artifact root \(ENOSPC\): free space/
          )
          yield* told("dispatch_paused")
          yield* TestClock.adjust("5 seconds")
          yield* quiet
          expect(yield* attemptsOf(second)).toEqual([])
          expect(Option.isSome(yield* pauseNow)).toBe(true)

          yield* Ref.set(isFull, false)
          yield* TestClock.adjust("1 second")
          yield* told("dispatch_pause_cleared")
          expect((yield* workers.begun).taskId).toBe(second)
          expect(yield* taskOf(first)).toMatchObject({ status: "blocked" })
          yield* workers.end(second)
        })
      )
      yield* Effect.provideService(body, ArtifactStore, full)
    })
    yield* Effect.provide(
      program,
      Layer.merge(world({ ...limits({ concurrency: 1 }), adapters: { local: workers.act } }), notify())
    )
  })
)

it.effect("single cycles block one task, too, and then none until evidence can be kept again", () =>
  Effect.gen(function* () {
    const { full, isFull } = yield* fullDisk
    const cycle = Effect.provideService(runOnce, ArtifactStore, full)
    const [first, second] = [yield* queue(), yield* queue()]
    expect((yield* cycle)._tag).toBe("Ran")
    expect(yield* taskOf(first)).toMatchObject({ status: "blocked" })
    expect((yield* cycle)._tag).toBe("Paused")
    expect(yield* attemptsOf(second)).toEqual([])
    yield* Ref.set(isFull, false)
    expect((yield* cycle)._tag).toBe("Ran")
    expect(yield* taskOf(second)).toMatchObject({ status: "completed" })
  }).pipe(Effect.provide(runtime()))
)

it.effect("a pause of an operator that comes while evidence is tried out is not ended", () =>
  Effect.gen(function* () {
    const store = yield* Store
    const { gates } = store
    const own = yield* gates.setPause(Option.some("no room"), yield* stampNow)
    const artifacts = yield* ArtifactStore
    const meanwhile = {
      ...artifacts,
      writable: Effect.orDie(Effect.provideService(pause("looking around"), Store, store))
    }
    yield* Effect.provideService(goOn(own.pause), ArtifactStore, meanwhile)
    expect(Option.getOrThrow(yield* pauseNow).reason).toEqual(Option.some("looking around"))
    yield* gates.setPause(Option.some("no room"), yield* stampNow)
    yield* goOn(own.pause)
    expect(yield* pauseNow).toEqual(Option.none())
  }).pipe(Effect.provide(runtime()))
)

it.effect("a single cycle ends the pause of a dispatcher that is gone, and no operator's", () =>
  Effect.gen(function* () {
    yield* (yield* Store).gates.setPause(Option.some("no room"), yield* stampNow)
    expect((yield* runOnce)._tag).toBe("Idle")
    yield* pause("looking around")
    expect((yield* runOnce)._tag).toBe("Paused")
  }).pipe(Effect.provide(runtime()))
)

it.effect("a pause of an operator stays, whatever can be kept", () =>
  whileDispatching(() =>
    Effect.gen(function* () {
      yield* pause("looking around")
      yield* told("dispatch_paused")
      yield* TestClock.adjust("5 seconds")
      yield* quiet
      expect(Option.isSome(yield* pauseNow)).toBe(true)
    })
  ).pipe(Effect.provide(runtime()))
)
