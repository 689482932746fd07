import { Effect, Option, Schema, Stream } from "effect"
import { EventId } from "../domain/Ids.ts"
import { RunEvent } from "../domain/RunEvent.ts"
import { traced } from "../domain/Traced.ts"
import { onFirstUse } from "../domain/Wire.ts"
import { follow } from "../store/EventFeed.ts"
import { Store } from "../store/Store.ts"
import { EventList } from "./answers/State.ts"
import { operation } from "./Operation.ts"

/** The history after an event id, oldest first; without one its newest part. */
export const events = operation({
  name: "events.list",
  role: "read",
  output: EventList,
  run: traced("History.events")(function* (input: {
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

const encode = onFirstUse(() => Schema.encode(RunEvent))

/**
 * The history after an event id as it grows, in wire form; without an id what happens from now on. An id that this
 * history has not come to yet is of another one, which a backup took the place of: that is told, and it goes on as
 * without an id.
 */
export const followed = (since: Option.Option<number>) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const store = yield* Store
      const latest = yield* store.events.latest
      const from = EventId.make(
        Math.min(
          Option.getOrElse(since, () => latest),
          latest
        )
      )
      if (Option.exists(since, (asked) => asked > latest))
        yield* Effect.logWarning(
          `There is no event ${Option.getOrThrow(since)} in this history, whose newest is ${latest}: a restored one may have taken its place. What happens from now on follows`
        )
      return Stream.mapEffect(follow(from), (event) => Effect.orDie(encode()(event)))
    })
  )
