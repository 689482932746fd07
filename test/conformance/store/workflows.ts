import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { WorkflowId } from "../../../src/domain/Ids.ts"
import type { WorkflowStatus } from "../../../src/domain/Workflow.ts"
import { UNENDED, WORKFLOW_STATUSES } from "../../../src/domain/WorkflowStatuses.ts"
import { cursorOf } from "../../../src/store/Cursor.ts"
import { Store } from "../../../src/store/Store.ts"
import type { NewWorkflow, WorkflowPage } from "../../../src/store/Workflows.ts"
import { add, claimed, complete, newest, Raw, settle, stampAt, taskId, text } from "../../support/store.ts"
import type { Sentence } from "../store.ts"

export const open = (key: string, changes: Partial<NewWorkflow> = {}, seconds = 0) =>
  Effect.flatMap(Store, ({ workflows }) =>
    workflows.open(
      { template: "t", instanceKey: key, state: "a", context: { n: 1 }, ...changes },
      stampAt(seconds)
    )
  )

/** Opens a workflow that must be new; answers its id. */
export const opened = (key: string) => Effect.map(open(key), ({ workflow }) => workflow.id)

export const rowOf = (id: WorkflowId) =>
  Effect.flatMap(Store, ({ workflows }) => Effect.map(workflows.find(id), Option.getOrThrow))

export const move = (
  id: WorkflowId,
  from: string,
  to: string,
  context = Option.none<{ readonly [key: string]: unknown }>()
) => ({
  id,
  from,
  to,
  context,
  signal: Option.some("next")
})

/** A task of a workflow's state, with the event that tells so. */
export const stateTask = (name: string, id: WorkflowId, state: string, seconds = 0) =>
  Effect.gen(function* () {
    const store = yield* Store
    yield* add(name, { workflow: Option.some({ id, template: "t", state }) }, seconds)
    yield* store.workflows.taskCreated(id, taskId(name), state, stampAt(seconds))
  })

const pageOf = (status: ReadonlyArray<WorkflowStatus>, limit: number, after = Option.none<string>()) =>
  Effect.flatMap(Store, ({ workflows }) => workflows.list({ status, limit, after }))

const keysIn = ({ workflows }: WorkflowPage) => workflows.map((one) => one.instanceKey)

export const keys = (status: ReadonlyArray<WorkflowStatus>, limit = 9) =>
  Effect.map(pageOf(status, limit), (page) => keysIn(Option.getOrThrow(page)))

/** Workflow instances, their moves and what becomes of their states' tasks. */
export const workflows = (check: Sentence) => {
  check(
    "opens an instance once for its key, and answers the one that has it",
    Effect.gen(function* () {
      const first = yield* open("k", { context: { topic: "fees", deep: { list: [1, null] } } })
      expect(first).toMatchObject({
        created: true,
        workflow: { instanceKey: "k", currentState: "a", status: "active", completedAt: Option.none() }
      })
      expect(first.workflow.context).toEqual({ topic: "fees", deep: { list: [1, null] } })
      const again = yield* open("k", { template: "other", context: {} }, 5)
      expect(again).toEqual({ created: false, workflow: first.workflow })
      const { workflows } = yield* Store
      expect(yield* workflows.findByKey("k")).toEqual(yield* workflows.find(first.workflow.id))
      expect(yield* workflows.findByKey("l")).toEqual(Option.none())
      expect(yield* workflows.find(WorkflowId.make(999))).toEqual(Option.none())
      expect((yield* newest(9)).map((one) => [one.eventType, one.detail])).toEqual([
        ["workflow_created", { workflow_id: 1, template: "t", instance_key: "k", state: "a" }]
      ])
    })
  )

  check(
    "keeps odd keys and any text of a context as they are",
    Effect.gen(function* () {
      const context = JSON.parse(
        '{"__proto__":{"x":1},"constructor":"c","a.b":"<b>\\u0000 {{context.a}}","":0}'
      )
      const { workflow } = yield* open("k", { context })
      expect(JSON.stringify(workflow.context)).toBe(JSON.stringify(context))
      expect(JSON.stringify((yield* rowOf(workflow.id)).workflow.context)).toBe(JSON.stringify(context))
    })
  )

  check(
    "moves only from the state that the move was decided for",
    Effect.gen(function* () {
      const { workflows } = yield* Store
      const id = yield* opened("k")
      expect(yield* workflows.advance(move(id, "b", "c"), stampAt(1))).toBe(false)
      expect(yield* workflows.advance(move(id, "a", "b", Option.some({ n: 2 })), stampAt(2))).toBe(true)
      expect(yield* workflows.advance(move(id, "a", "b"), stampAt(3))).toBe(false)
      const { workflow } = yield* rowOf(id)
      expect([workflow.currentState, workflow.context, text(workflow.updatedAt)]).toEqual([
        "b",
        { n: 2 },
        "2026-04-29T07:00:02.000Z"
      ])
      expect(yield* workflows.complete(move(id, "b", "end"), stampAt(4))).toBe(true)
      expect(yield* workflows.complete(move(id, "end", "end"), stampAt(5))).toBe(false)
      expect(yield* workflows.advance(move(id, "end", "a"), stampAt(5))).toBe(false)
      const ended = (yield* rowOf(id)).workflow
      expect([ended.status, ended.currentState, ended.context]).toEqual(["completed", "end", { n: 2 }])
      expect(text(ended.completedAt)).toBe("2026-04-29T07:00:04.000Z")
      expect((yield* workflows.history(id, 9)).map((one) => [one.eventType, one.detail])).toEqual([
        ["workflow_created", { workflow_id: 1, template: "t", instance_key: "k", state: "a" }],
        ["workflow_transitioned", { workflow_id: 1, from: "a", to: "b", signal: "next" }],
        ["workflow_completed", { workflow_id: 1, from: "b", to: "end", signal: "next" }]
      ])
    })
  )

  check(
    "stalls with a reason, goes on when revived or moved, and counts fresh rounds per visit",
    Effect.gen(function* () {
      const { workflows } = yield* Store
      const id = yield* opened("k")
      yield* workflows.revive(id, stampAt(1))
      yield* workflows.retried(id, stampAt(1))
      yield* workflows.stall(id, "one", stampAt(2))
      yield* workflows.stall(id, "two", stampAt(3))
      const stalled = yield* rowOf(id)
      expect([stalled.workflow.status, stalled.workflow.stalledReason, stalled.retries]).toEqual([
        "stalled",
        Option.some("two"),
        1
      ])
      yield* workflows.revive(id, stampAt(4))
      const revived = yield* rowOf(id)
      expect([revived.workflow.status, revived.workflow.stalledReason, revived.retries]).toEqual([
        "active",
        Option.none(),
        0
      ])
      yield* workflows.retried(id, stampAt(5))
      yield* workflows.stall(id, "three", stampAt(5))
      yield* workflows.advance(move(id, "a", "b"), stampAt(6))
      const moved = yield* rowOf(id)
      expect([moved.workflow.status, moved.workflow.stalledReason, moved.retries]).toEqual([
        "active",
        Option.none(),
        0
      ])
      yield* workflows.complete(move(id, "b", "b"), stampAt(7))
      yield* workflows.stall(id, "late", stampAt(8))
      expect((yield* rowOf(id)).workflow.status).toBe("completed")
    })
  )

  check(
    "lists what is not completed as one list, newest first, and all when asked",
    Effect.gen(function* () {
      const { workflows } = yield* Store
      const ids = yield* Effect.forEach(["a", "b", "c", "d", "e"], opened)
      yield* workflows.stall(ids[0]!, "x", stampAt(1))
      yield* workflows.stall(ids[4]!, "x", stampAt(1))
      yield* workflows.complete(move(ids[2]!, "a", "a"), stampAt(1))
      expect(yield* keys(UNENDED)).toEqual(["e", "d", "b", "a"])
      expect(yield* keys(UNENDED, 2)).toEqual(["e", "d"])
      expect(yield* keys(WORKFLOW_STATUSES)).toEqual(["e", "d", "c", "b", "a"])
      expect(yield* keys(WORKFLOW_STATUSES, 3)).toEqual(["e", "d", "c"])
      expect(yield* keys(["completed", "stalled"])).toEqual(["e", "c", "a"])
      expect(yield* keys([])).toEqual([])
    })
  )

  check(
    "is paged by cursors, each workflow once whatever is opened meanwhile, and takes no cursor that it did not give",
    Effect.gen(function* () {
      const { workflows } = yield* Store
      // From 9 to 11: ids are numbers, no text.
      const ids = yield* Effect.forEach(
        Array.from({ length: 11 }, (_, n) => `k${n + 1}`),
        opened
      )
      yield* workflows.stall(ids[9]!, "x", stampAt(1))
      yield* workflows.complete(move(ids[7]!, "a", "a"), stampAt(1))
      const first = Option.getOrThrow(yield* pageOf(UNENDED, 4))
      yield* opened("late")
      const second = Option.getOrThrow(yield* pageOf(UNENDED, 4, first.next))
      const third = Option.getOrThrow(yield* pageOf(UNENDED, 4, second.next))
      expect([first, second, third].map(keysIn)).toEqual([
        ["k11", "k10", "k9", "k7"],
        ["k6", "k5", "k4", "k3"],
        ["k2", "k1"]
      ])
      expect(third.next).toEqual(Option.none())
      const exact = Option.getOrThrow(yield* pageOf(UNENDED, 2, second.next))
      expect([keysIn(exact), exact.next]).toEqual([["k2", "k1"], Option.none()])
      for (const place of [["outbox", "5"], ["workflows", "x"], ["workflows", "5", "5"], ["workflows"]]) {
        const cursor = cursorOf(place)
        expect([place, yield* pageOf(UNENDED, 2, Option.some(cursor))]).toEqual([place, Option.none()])
      }
    })
  )

  check(
    "tells the last completed first, in pages, and counts those of each status",
    Effect.gen(function* () {
      const { workflows } = yield* Store
      const ids = yield* Effect.forEach(["a", "b", "c", "d", "e", "f"], opened)
      yield* workflows.stall(ids[4]!, "x", stampAt(1))
      for (const [at, second] of [
        [2, 1],
        [0, 3],
        [1, 2],
        [3, 2]
      ] as const)
        yield* workflows.complete(move(ids[at]!, "a", "a"), stampAt(second))
      const page = (after: Option.Option<string>) =>
        Effect.map(workflows.completed({ limit: 2, after }), Option.getOrThrow)
      const first = yield* page(Option.none())
      const second = yield* page(first.next)
      expect([first, second].map(keysIn)).toEqual([
        ["a", "d"],
        ["b", "c"]
      ])
      expect(second.next).toEqual(Option.none())
      for (const place of [
        ["workflows", "2"],
        ["completed", "2"],
        ["completed", "soon", "x"]
      ]) {
        const after = Option.some(cursorOf(place))
        expect([place, yield* workflows.completed({ limit: 2, after })]).toEqual([place, Option.none()])
      }
      expect(yield* workflows.counts).toEqual({ active: 1, stalled: 1, completed: 4 })
      yield* workflows.revive(ids[4]!, stampAt(4))
      yield* open("a")
      const raw = yield* Raw
      yield* raw.run("DELETE FROM workflows WHERE instance_key = 'b'")
      expect(yield* workflows.counts).toEqual({ active: 2, stalled: 0, completed: 3 })
    })
  )

  check(
    "knows the unfinished task of a state and its last one",
    Effect.gen(function* () {
      const { workflows } = yield* Store
      const id = yield* opened("k")
      const found = (state: string) =>
        Effect.all([workflows.unfinishedTask(id, state), workflows.lastTask(id, state)])
      expect(yield* found("a")).toEqual([Option.none(), Option.none()])
      yield* stateTask("t1", id, "a")
      expect(yield* found("a")).toEqual([Option.some(taskId("t1")), Option.some(taskId("t1"))])
      yield* claimed("a1")
      yield* settle("a1", complete)
      expect(yield* found("a")).toEqual([Option.none(), Option.some(taskId("t1"))])
      // In the same millisecond the one that was made later counts.
      yield* stateTask("s0", id, "a")
      expect(yield* found("a")).toEqual([Option.some(taskId("s0")), Option.some(taskId("s0"))])
      expect(yield* found("b")).toEqual([Option.none(), Option.none()])
    })
  )

  check(
    "tells a task of the present visit to a state from one of an earlier visit",
    Effect.gen(function* () {
      const { workflows } = yield* Store
      const id = yield* opened("k")
      yield* stateTask("t1", id, "a")
      const isEarlier = (name: string) => workflows.isOfEarlierVisit(id, taskId(name))
      expect(yield* isEarlier("t1")).toBe(false)
      yield* workflows.advance(move(id, "a", "b"), stampAt(0))
      expect(yield* isEarlier("t1")).toBe(true)
      yield* stateTask("t2", id, "b")
      expect(yield* isEarlier("t2")).toBe(false)
      // One that nothing is known of (of an adopted database) is taken for the present visit's.
      expect(yield* isEarlier("unknown")).toBe(false)
    })
  )

  check(
    "tells a workflow's own events and those of its tasks, the newest of them",
    Effect.gen(function* () {
      const { workflows } = yield* Store
      const id = yield* opened("k")
      yield* opened("other")
      yield* stateTask("t1", id, "a")
      yield* claimed("a1")
      yield* settle("a1", complete)
      const types = (limit: number) =>
        Effect.map(workflows.history(id, limit), (events) => events.map((one) => one.eventType))
      expect(yield* types(99)).toEqual(
        expect.arrayContaining([
          "workflow_created",
          "task_enqueued",
          "workflow_task_created",
          "task_finished"
        ])
      )
      expect(yield* types(1)).toEqual(["task_finished"])
    })
  )
}
