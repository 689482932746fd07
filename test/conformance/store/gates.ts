import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { errorOfCooling } from "../../../src/domain/PutOff.ts"
import { Store } from "../../../src/store/Store.ts"
import {
  actor,
  add,
  at,
  attemptId,
  claimed,
  complete,
  find,
  newest,
  Raw,
  settle,
  stampAt,
  taskId,
  text
} from "../../support/store.ts"
import type { Sentence } from "../store.ts"

/** What holds work back beside the pause: adapters that cool down, and attempts in hand. */
export const gates = (check: Sentence) => {
  check(
    "cools an adapter down, keeps the longer cool-down and forgets those that are over",
    Effect.gen(function* () {
      const store = yield* Store
      const cool = (adapterId: string, until: number, now = 0) =>
        store.gates.coolDown(
          { adapterId, reason: Option.some("429"), until: at(until) },
          Option.none(),
          stampAt(now)
        )
      const found = (seconds: number) =>
        Effect.map(store.gates.cooldowns(at(seconds)), (cooldowns) =>
          cooldowns.map((one) => [one.adapterId, text(one.until)])
        )
      yield* cool("codex", 100)
      yield* cool("codex", 50)
      yield* cool("local", 30)
      expect(yield* found(0)).toEqual([
        ["local", text(at(30))],
        ["codex", text(at(100))]
      ])
      expect(yield* found(30)).toEqual([["codex", text(at(100))]])
      yield* cool("codex", 200, 60)
      expect(yield* found(150)).toEqual([["codex", text(at(200))]])
      expect((yield* newest(9)).map((event) => event.detail.until)).toEqual([
        text(at(100)),
        text(at(30)),
        text(at(200))
      ])
    })
  )

  check(
    "tells which attempt made an adapter cool down",
    Effect.gen(function* () {
      const store = yield* Store
      yield* add("a")
      yield* claimed("a1")
      yield* store.gates.coolDown(
        { adapterId: "codex", reason: Option.some("429"), until: at(100) },
        Option.some({ taskId: taskId("a"), attemptId: attemptId("a1") }),
        stampAt(1)
      )
      expect((yield* newest(1))[0]).toMatchObject({
        eventType: "adapter_cooldown",
        taskId: Option.some(taskId("a")),
        attemptId: Option.some(attemptId("a1")),
        detail: { adapter_id: "codex", until: text(at(100)), reason: "429" }
      })
    })
  )

  check(
    "ends a cool-down once, and with it the waits of the tasks that ran into the limit, and of no others",
    Effect.gen(function* () {
      const store = yield* Store
      const raw = yield* Raw
      const snoozed = (name: string, adapter: string, move: "SnoozeUntil" | "RetryAt" = "SnoozeUntil") =>
        Effect.gen(function* () {
          yield* add(name)
          yield* claimed(`${name}1`)
          yield* raw.run("UPDATE attempts SET adapter_id = ? WHERE attempt_id = ?", adapter, `${name}1`)
          yield* settle(`${name}1`, { _tag: move, at: at(100), outcome: Option.none(), error: "limited" })
        })
      yield* snoozed("limited", "codex")
      yield* snoozed("failed", "codex", "RetryAt")
      yield* snoozed("other", "local")
      yield* add("later", { due: 100 })
      yield* store.gates.coolDown(
        { adapterId: "codex", reason: Option.some("429"), until: at(100) },
        Option.none(),
        stampAt(1)
      )
      expect(yield* store.gates.clearCooldown("local", stampAt(2))).toBe(false)
      expect(yield* store.gates.clearCooldown("codex", stampAt(2))).toBe(true)
      expect(yield* store.gates.clearCooldown("codex", stampAt(2))).toBe(false)
      expect(yield* store.gates.cooldowns(at(2))).toEqual([])
      const due = (name: string) => Effect.map(find(name), ({ task }) => text(task.availableAt))
      expect(yield* due("limited")).toBe(text(at(2)))
      for (const name of ["failed", "other", "later"]) expect(yield* due(name)).toBe(text(at(100)))
      expect((yield* newest(2)).map((one) => [one.eventType, one.taskId, one.actor, one.detail])).toEqual([
        [
          "adapter_cooldown",
          Option.none(),
          actor,
          { adapter_id: "codex", cleared: true, until: text(at(100)), reason: "429" }
        ],
        [
          "rate_limit_rescheduled",
          Option.some(taskId("limited")),
          actor,
          { available_at: text(at(2)), reason: "the cool-down of adapter codex was ended" }
        ]
      ])
      expect((yield* claimed("limited2", 2)).task.taskId).toBe(taskId("limited"))
    })
  )

  check(
    "ends with a cool-down the waits of those that had nothing else to fall back to, and no others of that time",
    Effect.gen(function* () {
      const store = yield* Store
      const putOff = (name: string, adapterId: string) =>
        Effect.gen(function* () {
          yield* add(name)
          yield* claimed(`${name}1`)
          const error = `${errorOfCooling(adapterId)}${text(at(100))}`
          yield* settle(`${name}1`, { _tag: "SnoozeUntil", at: at(100), outcome: Option.none(), error })
        })
      yield* putOff("mine", "codex")
      yield* putOff("other", "codex-2")
      yield* store.gates.coolDown(
        { adapterId: "codex", reason: Option.none(), until: at(100) },
        Option.none(),
        stampAt(1)
      )
      expect(yield* store.gates.clearCooldown("codex", stampAt(2))).toBe(true)
      const due = (name: string) => Effect.map(find(name), ({ task }) => text(task.availableAt))
      expect([yield* due("mine"), yield* due("other")]).toEqual([text(at(2)), text(at(100))])
    })
  )

  check(
    "does not end a cool-down that is over by itself",
    Effect.gen(function* () {
      const store = yield* Store
      const cooldown = { adapterId: "codex", reason: Option.none(), until: at(100) }
      yield* store.gates.coolDown(cooldown, Option.none(), stampAt(1))
      expect(yield* store.gates.clearCooldown("codex", stampAt(100))).toBe(false)
      expect((yield* newest(9)).map((one) => one.detail.cleared)).toEqual([undefined])
    })
  )

  check(
    "tells the attempts in hand with what their tasks asked for, and none that has ended",
    Effect.gen(function* () {
      const store = yield* Store
      const raw = yield* Raw
      yield* add("a", { adapter: "codex" })
      yield* claimed("a1")
      yield* add("b", { profile: "own", untrusted: true })
      yield* claimed("b1")
      yield* raw.run("UPDATE attempts SET adapter_id = 'local' WHERE attempt_id = 'b1'")
      yield* add("c")
      yield* claimed("c1")
      yield* settle("c1", complete)
      const found = yield* store.gates.inHand
      expect([...found].sort((one) => (Option.isNone(one.adapterId) ? -1 : 1))).toEqual([
        {
          taskId: taskId("a"),
          ground: Option.none(),
          since: at(0),
          adapterId: Option.none(),
          requestedAdapter: Option.some("codex"),
          requestedProfile: Option.none(),
          untrusted: false
        },
        {
          taskId: taskId("b"),
          ground: Option.none(),
          since: at(0),
          adapterId: Option.some("local"),
          requestedAdapter: Option.none(),
          requestedProfile: Option.some("own"),
          untrusted: true
        }
      ])
    })
  )
}
