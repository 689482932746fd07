import { expect } from "bun:test"
import { DateTime, Effect, Option } from "effect"
import { momentOf } from "../../src/cli/AttemptList.ts"
import { now } from "../../src/domain/Time.ts"
import { it } from "../support/effect.ts"

it.effect("a time is a moment or how long ago it was, of which the message names the most", () =>
  Effect.gen(function* () {
    const days = Option.map(yield* momentOf("since", Option.some("99999d")), DateTime.distance(yield* now))
    expect(days).toEqual(Option.some(99_999 * 86_400_000))
    const { message } = yield* Effect.flip(momentOf("since", Option.some("1000000d")))
    expect(message).toBe(
      '--since: found "1000000d", expected a time such as 2026-04-29T07:00:00Z, or how long ago: 30m, 12h, 2d, at most 99999 of them'
    )
  })
)
