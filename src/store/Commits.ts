import { Effect, Queue, type Scope } from "effect"
import type { Store } from "./Store.ts"

/** What `Store.listen` tells as a queue: it holds an element when there was a commit since the last one was taken. */
export const commitsOf = (
  listen: Store["Type"]["listen"]
): Effect.Effect<Queue.Dequeue<void>, never, Scope.Scope> =>
  Effect.tap(Effect.acquireRelease(Queue.sliding<void>(1), Queue.shutdown), (commits) =>
    listen(() => void commits.unsafeOffer(undefined))
  )
