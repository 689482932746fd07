import { expect } from "bun:test"
import { DateTime, Effect, Option } from "effect"
import { conditionsAt, coolingNow } from "../../src/dispatch/Conditions.ts"
import { AttemptId, RunnerId } from "../../src/domain/Ids.ts"
import { now } from "../../src/domain/Time.ts"
import { Store } from "../../src/store/Store.ts"
import { it } from "../support/effect.ts"
import { settings } from "../support/settings.ts"
import { DOOR, queue, says, world } from "./world.ts"

const claimed = Effect.gen(function* () {
  const store = yield* Store
  yield* queue()
  yield* store.tasks.claim({
    lanes: (yield* store.tasks.lanes).map((lane) => lane.key),
    attemptId: AttemptId.make("attempt"),
    runnerId: RunnerId.make("host:1:2026-04-29T07:00:00.000Z"),
    host: "host",
    stamp: { at: yield* now, actor: DOOR.actor }
  })
  return [...(yield* conditionsAt(yield* now, [], new Map())).running]
})

const limits = (...entries: ReadonlyArray<readonly [string, number]>) => ({
  settings: { dispatch: { ...settings().dispatch, adapterConcurrency: new Map(entries) } }
})

it.effect("running attempts are counted where a limit asks for them, whichever process runs them", () =>
  Effect.gen(function* () {
    expect(yield* claimed).toEqual([["local", 1]])
  }).pipe(Effect.provide(world({ adapters: { local: says("x") }, ...limits(["local", 2]) })))
)

it.effect("without any limit nothing is counted", () =>
  Effect.gen(function* () {
    expect(yield* claimed).toEqual([])
  }).pipe(Effect.provide(world({ adapters: { local: says("x") }, ...limits() })))
)

it.effect("an adapter cools from the moment that it is told to until the end", () =>
  Effect.gen(function* () {
    const store = yield* Store
    const at = yield* now
    const until = DateTime.add(at, { seconds: 100 })
    yield* store.gates.coolDown({ adapterId: "local", reason: Option.none(), until }, Option.none(), {
      at,
      actor: DOOR.actor
    })
    const cooling = yield* coolingNow
    expect(cooling("local")).toEqual(Option.some(until))
    expect(cooling("other")).toEqual(Option.none())
  }).pipe(Effect.provide(world({ adapters: { local: says("x") } })))
)
