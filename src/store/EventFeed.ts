import { Chunk, Effect, Option, Ref, Stream } from "effect"
import type { EventId } from "../domain/Ids.ts"
import type { RunEvent } from "../domain/RunEvent.ts"
import { Store } from "./Store.ts"
import type { StoreUnavailable } from "./StoreError.ts"

/** Events that are read at once; a reader that is far behind never holds more. */
const PAGE = 500

/**
 * The history after `since` as one stream that does not end: first what is there, then each event as it is
 * committed, by whichever process; in order, none twice, none left out.
 */
export const follow = (since: EventId): Stream.Stream<RunEvent, StoreUnavailable, Store> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const store = yield* Store
      const cursor = yield* Ref.make(since)
      const unread = Stream.unwrap(
        Effect.map(Ref.get(cursor), (from) =>
          Stream.paginateChunkEffect(from, (after) =>
            Effect.map(store.events.since(after, PAGE), (events) => {
              const last = events.at(-1)
              const more = events.length === PAGE && last !== undefined
              return [Chunk.fromIterable(events), more ? Option.some(last.id) : Option.none()]
            })
          )
        )
      )
      return store.changes.pipe(
        Stream.buffer({ capacity: 1, strategy: "sliding" }),
        Stream.flatMap(() => unread),
        Stream.tap((event) => Ref.set(cursor, event.id))
      )
    })
  )
