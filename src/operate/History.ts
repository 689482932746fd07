import { Effect, Option, Schema } from "effect"
import { EventId } from "../domain/Ids.ts"
import { RunEvent } from "../domain/RunEvent.ts"
import { wireStruct } from "../domain/Wire.ts"
import { Store } from "../store/Store.ts"
import { operation } from "./Operation.ts"

export const DEFAULT_EVENTS = 1_000

/** The history after an event id, oldest first; without one its newest part. */
export const events = operation({
  name: "events.list",
  role: "read",
  output: wireStruct({ events: Schema.Array(RunEvent) }),
  run: Effect.fn("History.events")(function* (input: {
    readonly since: Option.Option<number>
    readonly limit: number
  }) {
    const store = yield* Store
    const found = yield* Option.match(input.since, {
      onNone: () => store.events.newest(input.limit),
      onSome: (since) => store.events.since(EventId.make(since), input.limit)
    })
    return { events: found }
  })
})
