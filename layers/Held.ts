import { Effect, Scope } from "effect"

/**
 * `Effect.acquireRelease` for a release that needs neither the services nor the log's annotations of the place where it
 * was acquired: it runs with those of whoever closes the scope. To bring them along costs each release two comparisons
 * of all that a fiber carries, and an attempt has half a dozen.
 */
export const held = <A, E, R>(
  acquire: Effect.Effect<A, E, R>,
  release: (acquired: A) => Effect.Effect<unknown>
): Effect.Effect<A, E, R | Scope.Scope> =>
  Effect.uninterruptible(
    Effect.tap(acquire, (acquired) =>
      Effect.flatMap(Effect.scope, (scope) =>
        Scope.addFinalizer(
          scope,
          Effect.suspend(() => release(acquired))
        )
      )
    )
  )
