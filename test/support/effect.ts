import { test } from "bun:test"
import {
  Arbitrary,
  Cause,
  type Clock,
  Duration,
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

/** A clock with some of its parts replaced. Not a copy: the methods of a clock are its class's. */
const clockWith = (clock: Clock.Clock, parts: Partial<Clock.Clock>): Clock.Clock =>
  Object.assign(Object.create(clock), parts)

/** Runs an effect on a host whose clock can be set: by so many milliseconds with each call, as often as is wanted. */
export const settable = <A, E, R>(
  effect: (set: (byMs: number) => void) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.clockWith((clock) => {
    let offset = 0
    const time = () => clock.unsafeCurrentTimeMillis() + offset
    return Effect.withClock(
      effect((byMs) => {
        offset += byMs
      }),
      clockWith(clock, {
        unsafeCurrentTimeMillis: time,
        currentTimeMillis: Effect.sync(time),
        // A TestClock's would come from its milliseconds.
        unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos()
      })
    )
  })

/** Runs an effect by a clock that goes so many times as fast. */
export const hastened = <A, E, R>(times: number, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.clockWith((clock) => {
    const [millis, nanos] = [clock.unsafeCurrentTimeMillis(), clock.unsafeCurrentTimeNanos()]
    const time = () => millis + times * (clock.unsafeCurrentTimeMillis() - millis)
    const steady = () => nanos + BigInt(times) * (clock.unsafeCurrentTimeNanos() - nanos)
    return Effect.withClock(
      effect,
      clockWith(clock, {
        unsafeCurrentTimeMillis: time,
        currentTimeMillis: Effect.sync(time),
        unsafeCurrentTimeNanos: steady,
        currentTimeNanos: Effect.sync(steady),
        sleep: (duration) => clock.sleep(Duration.times(duration, 1 / times))
      })
    )
  })

/** Runs an effect by a clock that goes on by a millisecond each time that it is read. */
export const ticking = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.clockWith((clock) => {
    let reads = 0
    const time = () => clock.unsafeCurrentTimeMillis() + reads++
    return Effect.withClock(
      effect,
      clockWith(clock, { unsafeCurrentTimeMillis: time, currentTimeMillis: Effect.sync(time) })
    )
  })

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
