import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { EventId } from "../../../src/domain/Ids.ts"
import { Store } from "../../../src/store/Store.ts"
import {
  actor,
  add,
  at,
  attemptId,
  claimed,
  complete,
  eventsOf,
  messageId,
  newest,
  Raw,
  settle,
  stampAt,
  taskId,
  text
} from "../../support/store.ts"
import type { Sentence } from "../store.ts"

const append = (n: number, task: Option.Option<string> = Option.none()) =>
  Effect.flatMap(Store, (store) =>
    store.events.append(
      {
        type: "dispatch_idle",
        taskId: Option.map(task, taskId),
        attemptId: Option.none(),
        detail: { n }
      },
      stampAt(n)
    )
  )

export const history = (check: Sentence) => {
  check(
    "gives events ids in the order of their commits and reads them by cursor",
    Effect.gen(function* () {
      const store = yield* Store
      const ids = yield* Effect.forEach([1, 2, 3, 4, 5], (n) =>
        append(n, Option.some(n % 2 === 0 ? "a" : "b"))
      )
      expect([...ids].sort((a, b) => a - b)).toEqual(ids)
      const numbers = Effect.map(
        (events: ReadonlyArray<{ readonly detail: Readonly<Record<string, unknown>> }>) =>
          events.map((event) => event.detail.n)
      )
      expect(yield* numbers(store.events.since(EventId.make(0), 3))).toEqual([1, 2, 3])
      expect(yield* numbers(store.events.since(ids[2]!, 100))).toEqual([4, 5])
      expect(yield* numbers(store.events.since(ids[4]!, 100))).toEqual([])
      expect(yield* numbers(store.events.newest(2))).toEqual([4, 5])
      expect(yield* numbers(store.events.newest(100))).toEqual([1, 2, 3, 4, 5])
      expect(yield* numbers(store.events.ofTask(taskId("b"), 2))).toEqual([3, 5])
      expect(yield* numbers(store.events.ofTask(taskId("none"), 2))).toEqual([])
    })
  )

  check(
    "tells where the history stands, also when no event of it is kept",
    Effect.gen(function* () {
      const { events } = yield* Store
      const stands = Effect.all([events.oldest, events.latest])
      expect(yield* stands).toEqual([EventId.make(1), EventId.make(0)])
      yield* Effect.forEach([1, 2, 3], (n) => append(n))
      expect(yield* stands).toEqual([EventId.make(1), EventId.make(3)])
      const raw = yield* Raw
      yield* raw.run("DELETE FROM run_events WHERE id < 3")
      expect(yield* stands).toEqual([EventId.make(3), EventId.make(3)])
      yield* raw.run("DELETE FROM run_events")
      expect(yield* stands).toEqual([EventId.make(4), EventId.make(3)])
      yield* append(4)
      expect(yield* stands).toEqual([EventId.make(4), EventId.make(4)])
    })
  )

  check(
    "keeps an event as it was written",
    Effect.gen(function* () {
      const id = yield* append(7)
      expect(yield* newest(1)).toEqual([
        {
          id,
          eventType: "dispatch_idle",
          taskId: Option.none(),
          attemptId: Option.none(),
          actor,
          detail: { n: 7 },
          createdAt: at(7)
        }
      ])
    })
  )

  check(
    "lets nobody change an event, and remove one only from the old end",
    Effect.gen(function* () {
      const raw = yield* Raw
      for (const n of [1, 2, 3, 4]) yield* append(n)
      const ids = (yield* newest(4)).map((event) => event.id)
      const refused = (sql: string, id: number) =>
        Effect.map(Effect.exit(raw.run(sql, id)), (exit) => exit._tag)
      expect(yield* refused("UPDATE run_events SET detail_json = '{}' WHERE id = ?1", ids[0]!)).toBe(
        "Failure"
      )
      expect(yield* refused("DELETE FROM run_events WHERE id = ?1", ids[2]!)).toBe("Failure")
      expect(yield* refused("DELETE FROM run_events WHERE id >= ?1", ids[1]!)).toBe("Failure")
      expect((yield* newest(9)).map((event) => event.id)).toEqual(ids)
      yield* raw.run("DELETE FROM run_events WHERE id <= ?1", ids[1]!)
      expect((yield* newest(9)).map((event) => event.id)).toEqual(ids.slice(2))
    })
  )

  check(
    "never uses an event's id again",
    Effect.gen(function* () {
      const raw = yield* Raw
      const last = yield* append(1)
      yield* raw.run("DELETE FROM run_events")
      expect(yield* append(2)).toBeGreaterThan(last)
    })
  )

  check(
    "remembers the pause and when it was given last, and only a pause can be cleared",
    Effect.gen(function* () {
      const store = yield* Store
      expect(yield* store.gates.pause).toEqual(Option.none())
      expect(yield* store.gates.clearPause(stampAt(0))).toBe(false)
      yield* store.gates.setPause(Option.some("upgrade"), stampAt(1))
      expect(yield* store.gates.resumed).toEqual(Option.none())
      const first = Option.some({ reason: Option.some("upgrade"), since: at(1), actor })
      expect(yield* store.gates.pause).toEqual(first)
      const again = yield* store.gates.setPause(Option.none(), stampAt(2))
      expect(again.pause).toEqual({ reason: Option.some("upgrade"), since: at(2), actor })
      expect(again.before).toEqual(first)
      const other = yield* store.gates.setPause(Option.some("audit"), stampAt(2))
      expect(other.pause).toEqual({ reason: Option.some("audit"), since: at(2), actor })
      expect(yield* store.gates.pause).toEqual(Option.some(other.pause))
      const ben = { surface: "http", name: "ben" } as const
      expect(yield* store.gates.clearPause({ at: at(3), actor: ben })).toBe(true)
      expect(yield* store.gates.clearPause(stampAt(4))).toBe(false)
      expect(yield* store.gates.pause).toEqual(Option.none())
      expect(yield* store.gates.resumed).toEqual(Option.some({ at: at(3), actor: ben }))
      const later = yield* store.gates.setPause(Option.none(), stampAt(5))
      expect(later).toEqual({
        pause: { reason: Option.none(), since: at(5), actor },
        before: Option.none()
      })
      expect(yield* store.gates.resumed).toEqual(Option.none())
      yield* store.gates.clearPause(stampAt(6))
      expect((yield* newest(9)).map((event) => [event.eventType, event.detail])).toEqual([
        ["dispatch_pause_enabled", { reason: "upgrade" }],
        [
          "dispatch_pause_enabled",
          { reason: null, before: { reason: "upgrade", updated_at: text(at(1)), actor } }
        ],
        [
          "dispatch_pause_enabled",
          { reason: "audit", before: { reason: "upgrade", updated_at: text(at(2)), actor } }
        ],
        ["dispatch_pause_cleared", { paused_since: text(at(1)) }],
        ["dispatch_pause_enabled", { reason: null }],
        ["dispatch_pause_cleared", { paused_since: text(at(5)) }]
      ])
    })
  )

  check(
    "puts messages into the outbox with the event that tells it",
    Effect.gen(function* () {
      const store = yield* Store
      const raw = yield* Raw
      yield* add("a")
      yield* claimed("a1")
      const message = { channel: "general", text: "größe" }
      yield* store.outbox.add(
        { id: messageId(1), taskId: taskId("a"), attemptId: attemptId("a1"), message },
        stampAt(1)
      )
      const [row] = yield* raw.run("SELECT * FROM outbox")
      expect(row).toMatchObject({
        id: messageId(1),
        task_id: "a",
        attempt_id: "a1",
        acked_at: null,
        created_at: text(at(1))
      })
      expect(JSON.parse(String(row?.message_json))).toEqual(message)
      expect((yield* newest(1))[0]).toMatchObject({
        eventType: "outbox_added",
        taskId: Option.some(taskId("a")),
        detail: { outbox_id: messageId(1) }
      })
      expect(yield* eventsOf("a")).toEqual(["task_enqueued", "task_claimed", "outbox_added"])
    })
  )

  check(
    "is well, and says what is wrong when it is not",
    Effect.gen(function* () {
      const store = yield* Store
      const raw = yield* Raw
      yield* add("a")
      expect((yield* store.maintenance.health(true)).problems).toEqual([])
      yield* raw.run("UPDATE tasks SET ready = 0, status = 'running'")
      yield* raw.run("UPDATE listed_counts SET n = 5 WHERE status = 'blocked'")
      yield* raw.run("UPDATE workflow_counts SET n = 3 WHERE status = 'stalled'")
      expect((yield* store.maintenance.health(false)).problems).toEqual([])
      expect((yield* store.maintenance.health(true)).problems).toEqual([
        "task a is running but has no open attempt",
        "5 tasks are counted as blocked, there are 0",
        "3 workflows are counted as stalled, there are 0"
      ])
      yield* raw.run("UPDATE workflow_counts SET n = 0")
      yield* raw.run("UPDATE tasks SET status = 'pending', ready = 1")
      yield* raw.run("UPDATE listed_counts SET n = 0 WHERE status = 'blocked'")
      yield* claimed("a1")
      yield* settle("a1", complete)
      expect((yield* store.maintenance.health(true)).problems).toEqual([])
      yield* raw.run("UPDATE tasks SET to_list = 0, listed_status = status")
      yield* raw.run("UPDATE event_marks SET id = 1 WHERE mark = 'listed'")
      expect((yield* store.maintenance.health(true)).problems).toEqual([
        "attempt a1 is in no list of attempts",
        "event 1 is not among those of its task"
      ])
      yield* raw.run("UPDATE schema_migrations SET id = 7")
      expect((yield* store.maintenance.health(false)).problems).toEqual([
        "it says schema 1, its migrations say 7"
      ])
    })
  )

  check(
    "tells of a table or a trigger that is gone or another without reading a row",
    Effect.gen(function* () {
      const store = yield* Store
      const raw = yield* Raw
      yield* raw.run("DROP TRIGGER tasks_counted_in")
      const [problem, ...more] = (yield* store.maintenance.health(false)).problems
      expect(problem).toStartWith(
        "its schema is not that of version 1: trigger tasks_counted_in is missing or another; put a backup in its place"
      )
      expect(more).toEqual([])
      yield* raw.run("DROP TABLE backups")
      yield* raw.run("ALTER TABLE outbox RENAME COLUMN acked_at TO gone")
      expect((yield* store.maintenance.health(true)).problems[0]).toContain("and ")
    })
  )
}
