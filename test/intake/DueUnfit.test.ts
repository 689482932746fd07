import { describe, expect } from "bun:test"
import { Effect, Option, TestClock } from "effect"
import type { KnownSecrets } from "../../src/artifact/KnownSecrets.ts"
import type { RuntimeConfig } from "../../src/config/RuntimeConfig.ts"
import type { IdSource } from "../../src/domain/Ids.ts"
import { Store } from "../../src/store/Store.ts"
import { says, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import { damage, lastEvents, lines, save, scheduleOf, TASK, tasks, tickNow } from "./schedules.ts"

const quiet = world({ adapters: { local: says("done") } })

describe("a schedule that cannot be evaluated is turned off with an event, and the others go on:", () => {
  const cases: ReadonlyArray<readonly [string, string, string, ReadonlyArray<string>]> = [
    [
      "its cron is none",
      "interval_seconds = NULL, cron = '61 * * * *'",
      "its cron cannot be used",
      ["refused 00:00:00"]
    ],
    [
      "its zone is none",
      "interval_seconds = NULL, cron = '0 * * * *', timezone = 'Nowhere/Town'",
      "its timezone cannot be used",
      ["refused 00:00:00"]
    ],
    [
      "its interval is 0",
      "interval_seconds = 0",
      "its interval_seconds cannot be used",
      ["refused 00:00:00"]
    ],
    [
      "its task is no intent",
      `task_json = '{"kind":""}'`,
      "its task is not valid: kind",
      ["refused 00:00:00", "coalesced 00:01:00-00:02:00 (2)"]
    ],
    [
      "its task's source leaves no room",
      `task_json = '{"kind":"a","source":"${"x".repeat(190)}","payload":{}}'`,
      "its task is not valid: source",
      ["refused 00:00:00", "coalesced 00:01:00-00:02:00 (2)"]
    ],
    ["its task is not JSON", "task_json = '{'", "its record is damaged: task_json", ["refused 00:00:00"]],
    ["its due time is none", "next_run_at = 'never'", "its record is damaged: next_run_at", []]
  ]
  for (const [title, change, problem, fates] of cases)
    it.effect(title, () =>
      Effect.gen(function* () {
        for (const name of ["a", "bad", "z"]) yield* save({ name })
        yield* damage(`UPDATE schedules SET ${change} WHERE name = 'bad'`)
        yield* TestClock.adjust("2 minutes")
        const { schedulesEvaluated, taskIds } = yield* tickNow
        expect([schedulesEvaluated, taskIds.length]).toEqual([3, 2])
        const bad = yield* scheduleOf("bad")
        expect(bad.enabled).toBe(false)
        expect(Option.getOrThrow(bad.disabledReason)).toContain(
          problem.startsWith("its record") ? problem.slice("its record is damaged: ".length) : problem
        )
        const event = (yield* lastEvents(20)).find((one) => one.type === "record_quarantined")
        expect(event?.detail).toMatchObject({ table: "schedules", id: bad.scheduleId, name: "bad" })
        expect(String(event?.detail.problem)).toStartWith(problem)
        expect(yield* lines("bad")).toEqual([...fates])
        expect(yield* lines("a")).toEqual(["fired 00:00:00", "coalesced 00:01:00-00:02:00 (2)"])

        yield* TestClock.adjust("1 minutes")
        expect((yield* tickNow).schedulesEvaluated).toBe(2)
        expect(yield* lines("bad")).toEqual([...fates])
      }).pipe(Effect.provide(quiet))
    )
})

it.effect("a schedule that somebody saved anew while it was evaluated is evaluated as it is by then", () =>
  Effect.gen(function* () {
    const store = yield* Store
    const context = yield* Effect.context<Store | RuntimeConfig | IdSource | KnownSecrets>()
    yield* save()
    let meddled = false
    const meddling: Store["Type"] = {
      ...store,
      schedules: {
        ...store.schedules,
        due: (at, limit) =>
          Effect.tap(store.schedules.due(at, limit), () =>
            Effect.suspend(() => {
              if (meddled) return Effect.void
              meddled = true
              return save({ task: { ...TASK, kind: "other" } }).pipe(
                Effect.zipLeft(TestClock.adjust("1 millis")),
                Effect.provide(context),
                Effect.orDie
              )
            })
          )
      }
    }
    yield* TestClock.adjust("1 seconds")
    const { schedulesEvaluated } = yield* Effect.provideService(tickNow, Store, meddling)
    expect(schedulesEvaluated).toBe(1)
    expect((yield* tasks).map((task) => task.kind)).toEqual(["other"])
    expect(yield* lines()).toEqual(["fired 00:00:00"])
  }).pipe(Effect.provide(quiet))
)
