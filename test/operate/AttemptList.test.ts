import { describe, expect } from "bun:test"
import { DateTime, Effect, Option, Schema, TestClock } from "effect"
import { listAttempts } from "../../src/operate/AttemptList.ts"
import { DOOR, queue, ran, says, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

const hour = (n: number) => DateTime.unsafeMake(n * 3_600_000)

const begun = (
  since: Option.Option<DateTime.Utc>,
  until: Option.Option<DateTime.Utc> = Option.none(),
  limit = 50
) =>
  Effect.flatMap(
    listAttempts.run({ since, until, limit }, DOOR.actor),
    Schema.encode(listAttempts.output)
  ).pipe(
    Effect.map(({ attempts, more }) => ({ subjects: attempts.map((one) => one.subject), more, attempts }))
  )

describe("what ran", () => {
  it.effect("in a stretch of time is found by when it was begun, newest first", () =>
    Effect.gen(function* () {
      for (const subject of ["one", "two", "three"]) {
        yield* TestClock.adjust("1 hour")
        yield* queue({ subject })
        yield* ran
      }
      expect((yield* begun(Option.some(hour(0)))).subjects).toEqual(["three", "two", "one"])
      expect((yield* begun(Option.some(hour(2)))).subjects).toEqual(["three", "two"])
      expect((yield* begun(Option.some(hour(1)), Option.some(hour(3)))).subjects).toEqual(["two", "one"])
      const cut = yield* begun(Option.some(hour(0)), Option.none(), 2)
      expect([cut.subjects, cut.more]).toEqual([["three", "two"], true])
      expect(cut.attempts[0]).toMatchObject({ kind: "note", adapter_id: "local", exit_status: "ok" })
      yield* TestClock.adjust("1410 minutes")
      expect(yield* begun(Option.none())).toMatchObject({ subjects: ["three"], more: false })
    }).pipe(Effect.provide(world({ adapters: { local: says("x") } })))
  )
})
