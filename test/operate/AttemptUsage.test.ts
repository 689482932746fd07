import { describe, expect } from "bun:test"
import { Effect, Option, Schema, TestClock } from "effect"
import type { Scripted } from "../../layers/adapter/ScriptedAdapters.ts"
import { Sqlite } from "../../layers/store/Sqlite.ts"
import { unknownUsage } from "../../src/domain/Usage.ts"
import { attemptUsage, MOST_READ } from "../../src/operate/AttemptUsage.ts"
import { answer, DOOR, queue, ran, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

const told = Effect.flatMap(attemptUsage.run({}, DOOR.actor), Schema.encode(attemptUsage.output))

const Wanted = Schema.Struct({ seconds: Schema.Int, ends: Schema.String })

/** An adapter that takes as many seconds as the task's payload says, and ends as it says. */
const takes: Scripted = ({ payload }) =>
  Effect.gen(function* () {
    const { ends, seconds } = Schema.decodeUnknownSync(Wanted)(payload)
    yield* TestClock.adjust(`${seconds} seconds`)
    return {
      ...answer({ status: ends }),
      usage: { ...unknownUsage, inputTokens: Option.some(100), outputTokens: Option.some(seconds) }
    }
  })

const run = (seconds: number, ends = "completed", requestedAdapter = "local") =>
  Effect.zipRight(queue({ payload: { seconds, ends }, requestedAdapter }), ran)

/** Attempts of an hour, as a day with thousands in it has them. */
const FILL = `
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
  INSERT INTO attempts (attempt_id, task_id, number, round, runner_id, host, adapter_id, status, started_at, ended_at,
    exit_status, retry_class, reason, usage_json)
  SELECT 'filled-' || i, (SELECT task_id FROM tasks LIMIT 1), i + 1, 1, 'r', 'h', 'local', 'finished',
    '1970-01-02T00:00:00.000Z', '1970-01-02T00:00:01.000Z', 'ok', 'none', 'completed: x', 'damaged' FROM n`

describe("how attempts went", () => {
  it.effect("is told of the last 24 hours, by adapter and by hour of their begin", () =>
    Effect.gen(function* () {
      yield* run(9)
      yield* TestClock.adjust("30 hours")
      for (const seconds of [1, 2, 60]) yield* run(seconds)
      yield* TestClock.adjust("2 hours")
      yield* run(5, "blocked")
      yield* run(7, "completed", "other")
      const { adapters, all, since } = yield* told
      expect(since).toBe("1970-01-01T09:00:00.000Z")
      expect(all).toMatchObject({ attempts: 5, ok: 4, running: 0, median_ms: 5_000, p95_ms: 60_000 })
      expect(adapters.map((one) => one.adapter_id)).toEqual(["local", "other", "silent"])
      expect(adapters[0]).toEqual({
        adapter_id: "local",
        attempts: 4,
        running: 0,
        ok: 3,
        median_ms: 2_000,
        p95_ms: 60_000,
        input_tokens: 400,
        output_tokens: 68,
        partial: false,
        hours: [
          {
            hour: "1970-01-02T06:00:00.000Z",
            attempts: 3,
            running: 0,
            ok: 3,
            median_ms: 2_000,
            p95_ms: 60_000,
            input_tokens: 300,
            output_tokens: 63
          },
          {
            hour: "1970-01-02T08:00:00.000Z",
            attempts: 1,
            running: 0,
            ok: 0,
            median_ms: 5_000,
            p95_ms: 5_000,
            input_tokens: 100,
            output_tokens: 5
          }
        ]
      })
      expect(adapters[2]).toMatchObject({ attempts: 0, median_ms: null, p95_ms: null, hours: [] })
    }).pipe(Effect.provide(world({ adapters: { local: takes, other: takes, silent: takes } })))
  )

  it.effect("is told of so many and no more, and that there are more", () =>
    Effect.gen(function* () {
      yield* run(9)
      yield* TestClock.adjust("24 hours")
      const sqlite = yield* Sqlite
      yield* sqlite.transact("fill", sqlite.rows({ text: FILL, names: [] }, {}))
      const { adapters, all } = yield* told
      expect(all).toMatchObject({ attempts: MOST_READ, ok: MOST_READ, partial: true, input_tokens: 0 })
      expect(adapters[0]).toMatchObject({ partial: true, hours: [{ attempts: MOST_READ, median_ms: 1_000 }] })
    }).pipe(Effect.provide(world({ adapters: { local: takes } })))
  )
})
