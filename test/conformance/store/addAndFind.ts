import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { AttemptId, WorkflowId } from "../../../src/domain/Ids.ts"
import { Store } from "../../../src/store/Store.ts"
import {
  add,
  at,
  claimed,
  complete,
  eventsOf,
  find,
  newest,
  newTask,
  Raw,
  settle,
  stampAt,
  taskId,
  text
} from "../../support/store.ts"
import type { Sentence } from "../store.ts"

export const addAndFind = (check: Sentence) => {
  check(
    "keeps every field of a task and reads it back",
    Effect.gen(function* () {
      const store = yield* Store
      const task = newTask("child", {
        kind: "research",
        source: "github-bridge",
        priority: 9,
        adapter: "codex",
        profile: "lumen",
        dedupeKey: "key",
        due: 60,
        maxAttempts: 7,
        untrusted: true,
        payload: { text: "größe 🙂", deep: [{ n: 1.5, none: null }] },
        parent: Option.some({ taskId: taskId("parent"), rootTaskId: taskId("root"), generation: 2 }),
        workflow: Option.some({ id: WorkflowId.make(4), template: "t", state: "draft" })
      })
      const added = yield* store.tasks.add(
        {
          ...task,
          intent: { ...task.intent, subject: "a subject", description: "long", requestedModel: "m" },
          replayOf: Option.some(AttemptId.make("replayed")),
          traceParent: Option.some("00-1-2-01")
        },
        stampAt(1)
      )
      expect(added.created).toBe(true)
      const found = yield* find("child")
      expect(found.task).toEqual(added.task)
      expect(found.task).toEqual({
        taskId: taskId("child"),
        kind: "research",
        source: "github-bridge",
        subject: Option.some("a subject"),
        description: Option.some("long"),
        priority: 9,
        payload: { text: "größe 🙂", deep: [{ n: 1.5, none: null }] },
        requestedProfile: Option.some("lumen"),
        requestedAdapter: Option.some("codex"),
        requestedModel: Option.some("m"),
        maxAttempts: 7,
        dedupeKey: Option.some("key"),
        status: "pending",
        attemptCount: 0,
        createdAt: at(1),
        updatedAt: at(1),
        availableAt: at(60),
        startedAt: Option.none(),
        finishedAt: Option.none(),
        outcome: Option.none(),
        lastError: Option.none(),
        parentTaskId: Option.some(taskId("parent")),
        workflowId: Option.some(WorkflowId.make(4)),
        untrusted: true
      })
      expect(found.round).toEqual({
        round: 1,
        roundStartedAt: Option.none(),
        notCounted: 0,
        known: Option.none(),
        note: Option.none(),
        replayOf: Option.some("replayed"),
        workflowState: Option.some("draft"),
        generation: 3,
        rootTaskId: Option.some(taskId("root")),
        traceParent: Option.some("00-1-2-01")
      })
    })
  )

  check(
    "tells an added task in the history, with who added it and when it is due",
    Effect.gen(function* () {
      yield* add("a", { priority: 7, due: 30 }, 2)
      const [event] = yield* newest(1)
      expect(event).toMatchObject({
        eventType: "task_enqueued",
        taskId: Option.some(taskId("a")),
        attemptId: Option.none(),
        actor: { surface: "cli", name: "test" },
        detail: { kind: "note", source: "test", priority: 7, available_at: "2026-04-29T07:00:30.000Z" },
        createdAt: at(2)
      })
    })
  )

  check(
    "answers none for a task that is not there",
    Effect.gen(function* () {
      const store = yield* Store
      expect(yield* store.tasks.find(taskId("none"))).toEqual(Option.none())
    })
  )

  check(
    "answers the holder of a dedupe key and adds none while it is not finished",
    Effect.gen(function* () {
      const store = yield* Store
      yield* add("first", { dedupeKey: "k" })
      const again = yield* add("second", { dedupeKey: "k", source: "another" }, 1)
      expect(again.created).toBe(false)
      expect(again.task.taskId).toBe(taskId("first"))
      expect(yield* store.tasks.find(taskId("second"))).toEqual(Option.none())
      const [event] = yield* newest(1)
      expect(event).toMatchObject({
        eventType: "task_deduped",
        taskId: Option.some(taskId("first")),
        detail: { dedupe_key: "k", source: "another" }
      })
      expect((yield* store.tasks.counts).pending).toBe(1)
    })
  )

  check(
    "gives a dedupe key free when its task is finished, and only then",
    Effect.gen(function* () {
      yield* add("first", { dedupeKey: "k" })
      yield* claimed("a1")
      expect((yield* add("second", { dedupeKey: "k" })).created).toBe(false)
      yield* settle("a1", { _tag: "Block", outcome: Option.none(), error: "stuck" })
      expect((yield* add("third", { dedupeKey: "k" })).created).toBe(false)
      const store = yield* Store
      yield* store.tasks.cancel(taskId("first"), Option.none(), stampAt(1))
      expect((yield* add("fourth", { dedupeKey: "k" })).created).toBe(true)
      yield* claimed("a2")
      yield* settle("a2", complete)
      expect((yield* add("fifth", { dedupeKey: "k" })).created).toBe(true)
      expect((yield* add("other", { dedupeKey: "K" })).created).toBe(true)
      expect((yield* add("keyless")).created).toBe(true)
      expect((yield* add("keyless too")).created).toBe(true)
    })
  )

  check(
    "makes one task of many that are added with one key at once",
    Effect.gen(function* () {
      const added = yield* Effect.forEach(
        Array.from({ length: 20 }, (_, index) => `t${index}`),
        (name) => add(name, { dedupeKey: "k" }),
        { concurrency: "unbounded" }
      )
      expect(added.filter((one) => one.created).length).toBe(1)
      expect(new Set(added.map((one) => one.task.taskId)).size).toBe(1)
    })
  )

  check(
    "holds a second unfinished task of a workflow's state back",
    Effect.gen(function* () {
      const workflow = Option.some({ id: WorkflowId.make(1), template: "t", state: "draft" })
      yield* add("a", { workflow })
      const second = yield* Effect.flip(add("b", { workflow }))
      expect(second._tag).toBe("StoreUnavailable")
      yield* add("c", { workflow: Option.some({ id: WorkflowId.make(1), template: "t", state: "review" }) })
      yield* claimed("a1")
      yield* settle("a1", complete)
      expect((yield* add("b", { workflow })).created).toBe(true)
    })
  )

  check(
    "keeps text that is not sound Unicode out of the history's way",
    Effect.gen(function* () {
      const store = yield* Store
      yield* add("a")
      yield* store.tasks.cancel(taskId("a"), Option.some("cut in an emoji \ud83d"), stampAt(1))
      const [event] = yield* newest(1)
      expect(event).toMatchObject({
        eventType: "task_operator_canceled",
        actor: { surface: "cli", name: "test" },
        detail: { reason: "cut in an emoji \ufffd" },
        createdAt: at(1)
      })
    })
  )

  check(
    "lists the children of a task, oldest first, and counts unfinished descendants of a root",
    Effect.gen(function* () {
      const store = yield* Store
      const parent = Option.some({ taskId: taskId("p"), rootTaskId: taskId("r"), generation: 1 })
      yield* add("p")
      for (const [index, name] of ["c1", "c2", "c3"].entries()) yield* add(name, { parent }, index)
      yield* add("stranger")
      expect((yield* store.tasks.children(taskId("p"), 2)).map((task) => task.taskId)).toEqual([
        taskId("c1"),
        taskId("c2")
      ])
      expect(yield* store.tasks.unfinishedDescendants(taskId("r"))).toBe(3)
      yield* store.tasks.cancel(taskId("c1"), Option.none(), stampAt(3))
      expect(yield* store.tasks.unfinishedDescendants(taskId("r"))).toBe(2)
    })
  )

  check(
    "answers the tasks of a kind that were completed last, newest first",
    Effect.gen(function* () {
      const store = yield* Store
      for (const name of ["a", "b", "c"]) yield* add(name, { kind: "k" })
      yield* add("other", { kind: "other" })
      for (const [index, attempt] of ["1", "2", "3", "4"].entries()) {
        yield* claimed(attempt, index)
        yield* settle(attempt, complete, 10 - index)
      }
      const done = yield* store.tasks.recentCompleted("k", 2)
      expect(done.map((task) => [task.taskId, text(task.finishedAt)])).toEqual([
        [taskId("a"), text(at(10))],
        [taskId("b"), text(at(9))]
      ])
    })
  )

  check(
    "counts tasks by status as they move",
    Effect.gen(function* () {
      const store = yield* Store
      const raw = yield* Raw
      for (const name of ["a", "b", "c"]) yield* add(name)
      yield* claimed("1")
      yield* settle("1", complete)
      yield* claimed("2")
      expect(yield* store.tasks.counts).toEqual({
        pending: 1,
        running: 1,
        completed: 1,
        retryable_failure: 0,
        permanent_failure: 0,
        blocked: 0,
        operator_canceled: 0
      })
      yield* raw.run("DELETE FROM attempts")
      yield* raw.run("DELETE FROM tasks WHERE task_id = 'a'")
      expect((yield* store.tasks.counts).completed).toBe(0)
      expect(yield* eventsOf("c")).toEqual(["task_enqueued"])
    })
  )
}
