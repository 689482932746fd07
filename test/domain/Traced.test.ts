import { expect } from "bun:test"
import { Effect, Tracer } from "effect"
import { traced } from "../../src/domain/Traced.ts"
import { it } from "../support/effect.ts"

const added = traced("Sum.added")(
  function* (one: number, other: number) {
    return (yield* Effect.succeed(one)) + other
  },
  Effect.map((sum) => sum * 10)
)

const spanless = (one: number) => Effect.map(Effect.option(Effect.currentSpan), (span) => ({ one, span }))
const plain = traced("Plain.asked")(spanless)

/** The names of the spans that a program makes where somebody traces. */
const spansOf = (program: Effect.Effect<unknown>) =>
  Effect.gen(function* () {
    const names: Array<string> = []
    const native = yield* Effect.tracer
    const noting = Tracer.make({
      context: native.context,
      span: (name, ...rest) => {
        names.push(name)
        return native.span(name, ...rest)
      }
    })
    yield* Effect.withTracer(program, noting)
    return names
  })

it.effect("a traced function answers what it would answer untraced, each time that its effect is run", () =>
  Effect.gen(function* () {
    const sum = added(1, 2)
    expect([yield* sum, yield* sum]).toEqual([30, 30])
    expect((yield* plain(7)).one).toBe(7)
    const failed = traced("Fails.always")(() => Effect.fail("no" as const))
    expect(yield* Effect.flip(failed())).toBe("no")
  })
)

it.effect("its calls are spans of its name where somebody traces, and none where nobody does", () =>
  Effect.gen(function* () {
    expect(yield* spansOf(Effect.zipRight(added(1, 2), plain(7)))).toEqual(["Sum.added", "Plain.asked"])
    expect((yield* plain(7)).span._tag).toBe("None")
  })
)
