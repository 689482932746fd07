import { Cause, Effect, Option } from "effect"
import { StoreUnavailable } from "./StoreError.ts"

/**
 * What to do instead where a program meets a fault: a defect, or what a sound store refuses and would refuse each time.
 * For programs that deal with one row of many: one bad row never stops the rest. A store that cannot serve is no fault.
 */
export const onFault =
  <B, E2, R2>(instead: (fault: Cause.Cause<unknown>) => Effect.Effect<B, E2, R2>) =>
  <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<A | B, E | E2, R | R2> =>
    Effect.catchSomeCause(program, (cause) => (isFault(cause) ? Option.some(instead(cause)) : Option.none()))

const isFault = (cause: Cause.Cause<unknown>): boolean =>
  Option.isSome(Cause.dieOption(cause)) ||
  Option.exists(Cause.failureOption(cause), (error) => error instanceof StoreUnavailable && error.isFault)
