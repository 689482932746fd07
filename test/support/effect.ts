import { test } from "bun:test"
import {
  Arbitrary,
  Cause,
  Effect,
  Exit,
  FastCheck,
  Layer,
  type Schema,
  type Scope,
  TestContext
} from "effect"

const settle = <A, E>(effect: Effect.Effect<A, E>): Promise<A> =>
  Effect.runPromiseExit(effect).then((exit) => {
    if (Exit.isSuccess(exit)) return exit.value
    throw Cause.prettyErrors(exit.cause)[0] ?? new Error(Cause.pretty(exit.cause))
  })

type Body = () => Effect.Effect<unknown, unknown, Scope.Scope>

const runner = (env: Layer.Layer<never>) => (name: string, body: Body, timeoutMs?: number) =>
  test(
    name,
    () => settle(Effect.suspend(body).pipe(Effect.scoped, Effect.provide(env))).then(() => undefined),
    timeoutMs
  )

/**
 * Tests whose body is an Effect: `effect` runs on the TestClock, `live` on the real one, `prop` holds a
 * property over values made from a schema.
 */
export const it = {
  effect: runner(TestContext.TestContext as Layer.Layer<never>),
  live: runner(Layer.empty),
  prop: <A, I>(
    name: string,
    schema: Schema.Schema<A, I>,
    property: (value: A) => Effect.Effect<unknown, unknown>,
    options?: FastCheck.Parameters<[A]>
  ) =>
    test(name, () =>
      FastCheck.assert(
        FastCheck.asyncProperty(Arbitrary.make(schema), (value) =>
          settle(Effect.suspend(() => property(value))).then(() => undefined)
        ),
        options
      )
    )
}
