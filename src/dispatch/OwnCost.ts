import { Effect, Option } from "effect"
import type { Execution } from "../adapter/AdapterRegistry.ts"
import { Store } from "../store/Store.ts"
import type { AttemptEnd } from "../store/Tasks.ts"

const unknown = (why: string): string =>
  `the cost is not known: the program told only that of its whole session, which was gone on with, and ${why}`

/**
 * The execution with its own cost where its program told only that of a session which earlier attempts are part of:
 * what was added since the last one on record. Where none is, the cost stays unknown, and an issue says so.
 */
export const withOwnCost = (execution: Execution): Effect.Effect<Execution, never, Store> =>
  Effect.gen(function* () {
    const { sessionCost, usage } = execution
    if (sessionCost === undefined || Option.isSome(usage.costUsd)) return execution
    if (Option.isNone(sessionCost.since)) return execution
    const store = yield* Store
    const earlier = yield* store.attempts
      .sessionCost(sessionCost.since.value)
      .pipe(
        Effect.catchTag("StoreUnavailable", ({ reason }) =>
          Effect.as(
            Effect.logWarning(`The session's cost could not be read: ${reason}`),
            Option.none<number>()
          )
        )
      )
    const own = Option.map(earlier, (cost) => addedTo(cost, sessionCost.totalUsd))
    return Option.match(own, {
      onNone: () => remarked(execution, unknown("no attempt of it is on record that ended before")),
      onSome: (cost) =>
        cost < 0
          ? remarked(execution, unknown("that is less than it was before"))
          : { ...execution, usage: { ...usage, costUsd: Option.some(cost) } }
    })
  })

// Amounts are told in millionths and less: what lies below is the noise of a subtraction.
const addedTo = (earlier: number, total: number): number => Number((total - earlier).toFixed(9))

const remarked = (execution: Execution, remark: string): Execution => ({
  ...execution,
  diagnostics: [...execution.diagnostics, remark]
})

/** The session as the attempt's end records it; a secret value is no id to keep. */
export const sessionOf = ({ redactor, sessionCost }: Execution): Pick<AttemptEnd, "session"> => {
  if (sessionCost === undefined || !Number.isFinite(sessionCost.totalUsd)) return {}
  const { sessionId: id, totalUsd: costUsd } = sessionCost
  return redactor.text(id) === id ? { session: { id, costUsd } } : {}
}
