import { describe, expect } from "bun:test"
import { Effect, Option, Schema } from "effect"
import { Lock } from "../../src/dispatch/Lock.ts"
import { RunnerId } from "../../src/domain/Ids.ts"
import { once } from "../../src/operate/Cycle.ts"
import { pause } from "../../src/operate/Pause.ts"
import { answer, DOOR, failing, queue, says, world, yields } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

/** What `run-once` prints. */
const report = Effect.flatMap(once.run({}, DOOR.actor), Schema.encode(once.output))

const quiet = { adapters: { local: says("hello") } }

describe("a cycle reports", () => {
  it.effect("that it was idle", () =>
    Effect.gen(function* () {
      expect(JSON.stringify(yield* report)).toBe('{"ok":true,"status":"idle"}')
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("that another dispatcher holds the lock", () =>
    Effect.gen(function* () {
      const lock = yield* Lock
      const held = yield* report.pipe(lock.hold("/memory/dispatch.lock", RunnerId.make("other:1:x")))
      expect(JSON.stringify(held)).toBe('{"ok":false,"reason":"dispatch_locked"}')
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("that dispatch is paused, why and since when", () =>
    Effect.gen(function* () {
      yield* pause.run({ reason: Option.some("no power") }, DOOR.actor)
      expect(yield* report).toEqual({
        ok: true,
        status: "paused",
        reason: "no power",
        updated_at: "1970-01-01T00:00:00.000Z"
      })
    }).pipe(Effect.provide(world(quiet)))
  )

  const ends = [
    [answer({ operator_summary: "fine" }), { status: "completed", operator_summary: "fine" }],
    [failing, { status: "retryable_failure", reason: "exit_error: exit code 7: boom" }],
    [
      answer({ status: "blocked", machine_status: "blocked", operator_summary: "no key" }),
      { status: "blocked", reason: "reported_blocked: no key", operator_summary: "no key" }
    ],
    [
      answer({ status: "permanent_failure", machine_status: "failed", operator_summary: "no" }),
      { status: "permanent_failure" }
    ]
  ] as const
  for (const [execution, expected] of ends)
    it.effect(`the status ${expected.status} with task and attempt`, () =>
      Effect.gen(function* () {
        const id = yield* queue()
        const told = yield* report
        expect(told).toMatchObject({ ok: true, task_id: id, ...expected })
        expect(told.attempt_id).toBeString()
      }).pipe(Effect.provide(world({ adapters: { local: yields(execution) } })))
    )
})
