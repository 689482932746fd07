import { expect } from "bun:test"
import { Effect, Option, Ref } from "effect"
import { redactorOf } from "../../src/domain/Redactor.ts"
import { unknownUsage } from "../../src/domain/Usage.ts"
import { Store } from "../../src/store/Store.ts"
import { it } from "../support/effect.ts"
import { answer, attemptsOf, queue, ran, world } from "./world.ts"

const told = (totalUsd: number, sessionId = "s", since: string | null = "s") => ({
  ...answer(),
  sessionCost: { sessionId, totalUsd, since: Option.fromNullable(since) }
})

/** The costs of tasks that run one after the other, and whether an issue says that one is not known. */
const costs = (
  ...executions: ReadonlyArray<ReturnType<typeof told> & { readonly usage?: typeof unknownUsage }>
) =>
  Effect.gen(function* () {
    const left = yield* Ref.make(executions)
    const local = () => Ref.modify(left, ([first, ...rest]) => [first ?? {}, rest])
    return yield* Effect.forEach(executions, () =>
      Effect.gen(function* () {
        const id = yield* queue()
        yield* ran
        const [attempt] = yield* attemptsOf(id)
        const unknown = attempt?.issues.filter((issue) => issue.startsWith("the cost is not known")).length
        return [Option.getOrNull(attempt?.usage.costUsd ?? Option.none()), unknown]
      })
    ).pipe(Effect.provide(world({ adapters: { local } })))
  })

it.effect("a session's cost is turned into each attempt's own, by what the attempt before it came to", () =>
  Effect.gen(function* () {
    expect(yield* costs(told(0.5), told(1), told(1.25), told(9, "t", "t"), told(1.35))).toEqual([
      [null, 1],
      [0.5, 0],
      [0.25, 0],
      [null, 1],
      [0.1, 0]
    ])
  })
)

it.effect("a fork costs what it added to the session that it left, and is a session of its own then", () =>
  Effect.gen(function* () {
    const first = { ...told(2, "s", null), usage: { ...unknownUsage, costUsd: Option.some(2) } }
    expect(yield* costs(first, told(2.5, "fork", "s"), told(3, "fork", "fork"), told(2.25))).toEqual([
      [2, 0],
      [0.5, 0],
      [0.5, 0],
      [0.25, 0]
    ])
  })
)

it.effect("a session whose cost sinks began anew: that attempt's own is not known, the next one's is", () =>
  Effect.gen(function* () {
    expect(yield* costs(told(5), told(1), told(1.5))).toEqual([
      [null, 1],
      [null, 1],
      [0.5, 0]
    ])
  })
)

it.effect("a secret value is kept as no session's id", () =>
  Effect.gen(function* () {
    yield* queue()
    yield* ran
    const store = yield* Store
    expect(yield* store.attempts.sessionCost("hidden-id")).toEqual(Option.none())
  }).pipe(
    Effect.provide(
      world({
        adapters: {
          local: () => Effect.succeed({ ...told(1, "hidden-id"), redactor: redactorOf(["hidden-id"]) })
        }
      })
    )
  )
)
