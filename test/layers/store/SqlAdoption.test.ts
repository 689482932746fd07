import { afterAll, beforeAll, describe, expect } from "bun:test"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Exit, Option } from "effect"
import * as OriginalFiles from "../../../layers/adopt/Original.ts"
import type { Actor } from "../../../src/domain/Actor.ts"
import type { Adopted } from "../../../src/store/Adoption.ts"
import { Original, type OriginalDatabase } from "../../../src/store/Original.ts"
import { Store } from "../../../src/store/Store.ts"
import { it } from "../../support/effect.ts"
import {
  addRows,
  EXAMPLE,
  makeOriginal,
  originalAttempt,
  originalEvent,
  originalTask,
  originalWorkflow
} from "../../support/original.ts"
import { add, at, claim, eventsOf, find, inMemory, newTask, Raw, stampAt, text } from "../../support/store.ts"

let folder = ""
let count = 0
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "agent-runtime-adoption-"))
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

const place = () => join(folder, `${count++}.db`)
const silent = () => Effect.void
const actor: Actor = { surface: "cli", name: "test" }

const opened = (file: string) =>
  Effect.flatMap(Original, (original) => original.open(file, join(folder, "state"), silent)).pipe(
    Effect.provide(OriginalFiles.layer)
  )

const take = (file: string, seconds = 100) =>
  Effect.scoped(
    Effect.flatMap(opened(file), (source) =>
      Effect.flatMap(Store, ({ adoption }) => adoption.take(source, { at: at(seconds), actor }))
    )
  )

const sql = (text: string, ...values: ReadonlyArray<string | number | null>) =>
  Effect.flatMap(Raw, (raw) => raw.run(text, ...values))

const all = ({ counts }: Adopted) => Object.values(counts)
const inStore = <A, E>(program: Effect.Effect<A, E, Store | Raw>) => Effect.provide(program, inMemory())

describe("a database that the original has made", () => {
  it.live("comes whole, with its ids and in its order", () =>
    inStore(
      Effect.gen(function* () {
        const taken = yield* take(EXAMPLE)
        expect(taken.counts).toEqual({
          workflows: { found: 4, adopted: 4, present: 0 },
          tasks: { found: 23, adopted: 23, present: 0 },
          attempts: { found: 18, adopted: 18, present: 0 },
          bundles: { found: 16, adopted: 16, present: 0 },
          schedules: { found: 2, adopted: 2, present: 0 },
          sensor_events: { found: 2, adopted: 2, present: 0 },
          events: { found: 105, adopted: 105, present: 0 }
        })
        expect(taken).toMatchObject({ setAside: 0, remarks: [] })
        // Those that ended count on their days, as ours do; the one that was running counts when it is swept.
        expect(
          yield* sql(
            `SELECT sum(attempts) AS attempts, min(day) AS first, max(day) AS last, sum(input_tokens) AS tokens FROM usage`
          )
        ).toEqual([{ attempts: 17, first: "2026-11-22", last: "2026-11-22", tokens: 0 }])
        const events = yield* sql("SELECT id, event_type FROM run_events ORDER BY id")
        expect(events.map(({ id }) => id)).toEqual(Array.from({ length: 105 }, (_, index) => index + 1))
        const { task } = yield* find("d99f5f10-fa1d-4650-bbb1-59afd4ec59f1")
        expect(task).toMatchObject({ status: "completed", priority: 4, attemptCount: 1, untrusted: true })
        expect(Option.getOrThrow(task.outcome).operatorSummary).toBe("done")
        expect(text(task.finishedAt)).toMatch(/:23\.870Z$/)
      })
    )
  )

  it.live("adds nothing when it comes a second time, and leaves what has happened since", () =>
    inStore(
      Effect.gen(function* () {
        yield* take(EXAMPLE)
        const store = yield* Store
        const id = (yield* find("02a04425-13a0-4ef1-b64b-996cd6553871")).task.taskId
        yield* store.tasks.cancel(id, Option.none(), stampAt(101))
        const before = yield* sql("SELECT count(*) AS n, max(id) AS last FROM run_events")
        const again = yield* take(EXAMPLE, 200)
        for (const { adopted, found, present } of all(again)) expect([adopted, present]).toEqual([0, found])
        expect(yield* sql("SELECT count(*) AS n, max(id) AS last FROM run_events")).toEqual(before)
        expect((yield* find(id)).task.status).toBe("operator_canceled")
      })
    )
  )

  it.live("leaves nothing of itself where the runtime dies on its way, and comes whole the next time", () =>
    inStore(
      Effect.gen(function* () {
        const dying = (source: OriginalDatabase): OriginalDatabase => ({
          ...source,
          page: (table, after) =>
            table === "events" && after > 0 ? Effect.die("killed") : source.page(table, after)
        })
        const died = yield* Effect.scoped(
          Effect.flatMap(opened(EXAMPLE), (source) =>
            Effect.flatMap(Store, ({ adoption }) => adoption.take(dying(source), { at: at(0), actor }))
          )
        ).pipe(Effect.exit)
        expect(Exit.isFailure(died)).toBe(true)
        for (const table of ["tasks", "attempts", "run_events", "workflows", "adoptions"])
          expect(yield* sql(`SELECT count(*) AS n FROM ${table}`)).toEqual([{ n: 0 }])
        for (const { adopted, found } of all(yield* take(EXAMPLE))) expect(adopted).toBe(found)
      })
    )
  )

  it.live("brings tasks that can be claimed, those of workflows too", () =>
    inStore(
      Effect.gen(function* () {
        const file = place()
        makeOriginal(file, {
          rows: {
            workflows: [originalWorkflow("w")],
            tasks: [
              originalTask("t", { source: "workflow:1:plan" }),
              originalTask("u", { source: "github-bridge" })
            ]
          }
        })
        yield* take(file)
        for (const attempt of ["a1", "a2"]) expect((yield* claim(attempt, 200))._tag).toBe("Claimed")
        expect((yield* claim("a3", 200))._tag).toBe("None")
      })
    )
  )

  it.live("brings nothing back that was removed here since", () =>
    inStore(
      Effect.gen(function* () {
        yield* take(EXAMPLE)
        const store = yield* Store
        const [schedule] = yield* store.schedules.list
        yield* store.schedules.remove(schedule?.name ?? "", stampAt(150))
        // Of some tasks all is removed, of the others the evidence.
        const removed = yield* store.maintenance.prune.tasks(
          { finishedBefore: at(90_000_000), held: [] },
          Option.none(),
          false
        )
        expect(removed.tasks).toBeGreaterThan(0)
        const evidence = yield* store.maintenance.prune.evidence(
          { endedBefore: at(90_000_000), finishedBefore: Option.none(), held: [] },
          Option.none(),
          false
        )
        expect(evidence.bundles).toBeGreaterThan(0)
        const counted =
          sql(`SELECT (SELECT count(*) FROM tasks) AS tasks, (SELECT count(*) FROM attempts) AS attempts,
          (SELECT count(*) FROM bundles) AS bundles, (SELECT count(*) FROM schedules) AS schedules,
          (SELECT count(*) FROM run_events) AS events`)
        const before = yield* counted
        for (const { adopted, found, present } of all(yield* take(EXAMPLE, 200)))
          expect([adopted, present]).toEqual([0, found])
        expect(yield* counted).toEqual(before)
      })
    )
  )

  it.live("brings only what is new when it has grown", () =>
    inStore(
      Effect.gen(function* () {
        const file = place()
        fs.copyFileSync(EXAMPLE, file)
        yield* take(file)
        addRows(file, { tasks: [originalTask("grown")], run_events: [originalEvent("task_enqueued")] })
        const { counts } = yield* take(file)
        expect(counts.tasks).toEqual({ found: 24, adopted: 1, present: 23 })
        expect(counts.events).toEqual({ found: 106, adopted: 1, present: 105 })
      })
    )
  )
})

describe("a store that has rows of its own", () => {
  it.live("keeps them, and gives other ids where its own are taken", () =>
    inStore(
      Effect.gen(function* () {
        const store = yield* Store
        yield* add("own")
        const mine = { template: "goal-loop", instanceKey: "mine", state: "plan", context: {} }
        yield* store.workflows.open(mine, stampAt(0))
        const file = place()
        makeOriginal(file, {
          rows: {
            workflows: [originalWorkflow("theirs")],
            tasks: [
              originalTask("t", {
                source: "workflow:1:plan",
                kind: "goal-plan",
                payload_json: '{"workflow_id":1,"goal":"x"}'
              }),
              originalTask("other", { payload_json: '{"workflow_id":1}' })
            ],
            run_events: [
              originalEvent("task_enqueued", { task_id: "t", detail_json: '{"source":"workflow:1:plan"}' }),
              originalEvent("workflow_task_created", { task_id: "t", detail_json: '{"workflow_id":1}' }),
              originalEvent("something_of_their_own")
            ]
          }
        })
        const { remarks } = yield* take(file)
        expect(remarks).toEqual(["workflow 1 (theirs) is workflow 2 here, where 1 was taken"])
        expect(yield* sql("SELECT id, instance_key FROM workflows ORDER BY id")).toEqual([
          { id: 1, instance_key: "mine" },
          { id: 2, instance_key: "theirs" }
        ])
        const { round, task } = yield* find("t")
        expect([task.source, Number(Option.getOrThrow(task.workflowId))]).toEqual(["workflow:2:plan", 2])
        expect(round.workflowState).toEqual(Option.some("plan"))
        expect(task.payload).toEqual({ workflow_id: 2, goal: "x" })
        expect((yield* find("other")).task.payload).toEqual({ workflow_id: 1 })
        const events = (yield* store.events.newest(3)).map(({ detail, eventType, id }) => [
          id,
          eventType,
          detail
        ])
        expect(events).toEqual([
          [3, "task_enqueued", { source: "workflow:2:plan", original_id: 1 }],
          [4, "workflow_task_created", { workflow_id: 2, original_workflow_id: 1, original_id: 2 }],
          [5, "something_of_their_own", { original_id: 3 }]
        ] as never)
      })
    )
  )

  it.live("takes a workflow of the same key for its own, and says so", () =>
    inStore(
      Effect.gen(function* () {
        const store = yield* Store
        for (const instanceKey of ["mine", "shared"])
          yield* store.workflows.open(
            { template: "goal-loop", instanceKey, state: "plan", context: {} },
            stampAt(0)
          )
        const file = place()
        makeOriginal(file, { rows: { workflows: [originalWorkflow("shared")] } })
        expect((yield* take(file)).remarks).toEqual([
          "workflow 1 (shared) is workflow 2 here, which has its instance_key"
        ])
      })
    )
  )

  it.live("keeps the ids of events that are beyond all that it has given", () =>
    inStore(
      Effect.gen(function* () {
        yield* add("own")
        const file = place()
        makeOriginal(file, {
          rows: {
            run_events: [
              { ...originalEvent("old"), id: 1 },
              { ...originalEvent("new"), id: 500 }
            ]
          }
        })
        yield* take(file)
        const store = yield* Store
        yield* store.tasks.add(newTask("after"), stampAt(200))
        const ids = (yield* store.events.newest(9)).map(({ id }) => Number(id))
        expect(ids).toEqual([1, 2, 500, 501])
      })
    )
  )

  it.live("blocks a task whose key an unfinished one holds here, so that two never run", () =>
    inStore(
      Effect.gen(function* () {
        yield* add("own", { dedupeKey: "k" })
        const file = place()
        makeOriginal(file, {
          schema: ["ALTER TABLE tasks ADD COLUMN dedupe_key TEXT"],
          rows: {
            tasks: [
              originalTask("done", { dedupe_key: "k", status: "completed" }),
              originalTask("same", { dedupe_key: "k" }),
              originalTask("free", { dedupe_key: "free" })
            ]
          }
        })
        expect((yield* take(file)).setAside).toBe(1)
        expect((yield* find("done")).task.dedupeKey).toEqual(Option.some("k"))
        expect((yield* find("free")).task).toMatchObject({
          status: "pending",
          dedupeKey: Option.some("free")
        })
        const same = (yield* find("same")).task
        expect(same).toMatchObject({ status: "blocked", dedupeKey: Option.none() })
        expect(Option.getOrThrow(same.lastError)).toBe("dedupe_key k is held by the unfinished task own")
        expect(yield* eventsOf("same")).toEqual(["record_quarantined"])
        const kept = yield* sql("SELECT original_json FROM adopted_rows WHERE row_id = 'same'")
        expect(JSON.parse(String(kept[0]?.original_json))).toMatchObject({ dedupe_key: "k" })
      })
    )
  )
})

describe("what does not fit as it is", () => {
  const odd = (tasks: ReadonlyArray<Readonly<Record<string, string | number | null>>>) => {
    const file = place()
    makeOriginal(file, { rows: { tasks } })
    return take(file)
  }

  it.live("is mapped by its word, or set aside as blocked and told", () =>
    inStore(
      Effect.gen(function* () {
        const taken = yield* odd([
          originalTask("word", { status: "queued" }),
          originalTask("failed", { status: "failed" }),
          originalTask("strange", { status: "half-way" }),
          originalTask("payload", { payload_json: "{" }),
          originalTask("due", { available_at: "soon" }),
          originalTask("ended", {
            status: "completed",
            payload_json: "[]",
            outcome_json: '{"status":"fine"}'
          }),
          originalTask("worn out", { status: "retryable_failure", attempt_count: 3 }),
          originalTask("sqlite", { created_at: "2026-04-29 07:00:00" })
        ])
        const status = (id: string) => Effect.map(find(id), ({ task }) => task.status)
        expect(
          yield* Effect.forEach(["word", "failed", "strange", "payload", "due", "ended"], status)
        ).toEqual(["pending", "permanent_failure", "blocked", "blocked", "blocked", "completed"])
        expect(yield* status("worn out")).toBe("blocked")
        expect(text((yield* find("sqlite")).task.createdAt)).toBe("2026-04-29T07:00:00.000Z")
        expect(taken.setAside).toBe(4)
        expect(taken.remarks).toContain("task payload came damaged: payload_json is not a JSON object")
        expect(taken.remarks).toContain("task word was queued and is pending")
        expect(Option.getOrThrow((yield* find("strange")).task.lastError)).toMatch(/status is not a status/)
        for (const id of ["strange", "payload", "due", "ended", "worn out"])
          expect(yield* eventsOf(id)).toEqual(["record_quarantined"])
        const kept = yield* sql("SELECT original_json FROM adopted_rows WHERE row_id = 'payload'")
        expect(JSON.parse(String(kept[0]?.original_json))).toMatchObject({ payload_json: "{" })
      })
    )
  )

  it.live("is told once of a cell, whoever reads it", () =>
    inStore(
      Effect.gen(function* () {
        const { remarks } = yield* odd([originalTask("a", { created_at: "then" })])
        expect(remarks).toEqual(["task a came damaged: created_at is not a time"])
      })
    )
  )

  it.live("is brought when rows that it names are missing, or it is named by nothing", () =>
    inStore(
      Effect.gen(function* () {
        const file = place()
        makeOriginal(file, {
          schema: ["PRAGMA foreign_keys = OFF"],
          rows: {
            tasks: [{ ...originalTask("x"), task_id: null }],
            task_attempts: [originalAttempt("orphan", "gone", { adapter_kind: "unresolved" })]
          }
        })
        const { counts } = yield* take(file)
        expect(counts.tasks).toEqual({ found: 1, adopted: 1, present: 0 })
        expect(counts.attempts).toEqual({ found: 1, adopted: 1, present: 0 })
        expect((yield* find("gone")).task.status).toBe("blocked")
        const again = yield* take(file)
        expect(again.counts.tasks).toEqual({ found: 1, adopted: 0, present: 1 })
        expect(yield* sql("SELECT count(*) AS n FROM tasks")).toEqual([{ n: 2 }])
      })
    )
  )

  it.live("leaves one open attempt to a running task, counted, and none to any other", () =>
    inStore(
      Effect.gen(function* () {
        const file = place()
        const open = { status: "running", ended_at: null, exit_status: null, retry_class: null }
        makeOriginal(file, {
          rows: {
            tasks: [
              originalTask("runs", { status: "running" }),
              originalTask("alone", { status: "running" }),
              originalTask("waits")
            ],
            task_attempts: [
              originalAttempt("a1", "runs", open),
              originalAttempt("a2", "runs", open),
              originalAttempt("a3", "waits", open)
            ]
          }
        })
        expect((yield* take(file)).reclaimed).toBe(1)
        const attempts = yield* sql(
          "SELECT attempt_id, number, status, reason FROM attempts ORDER BY attempt_id"
        )
        expect(attempts).toEqual([
          { attempt_id: "a1", number: 1, status: "finished", reason: "boot_sweep" },
          { attempt_id: "a2", number: 2, status: "running", reason: null },
          { attempt_id: "a3", number: 1, status: "finished", reason: "boot_sweep" }
        ])
        expect((yield* find("runs")).task).toMatchObject({ status: "running", attemptCount: 2 })
        expect((yield* find("alone")).task).toMatchObject({ status: "retryable_failure", attemptCount: 1 })
        expect((yield* find("waits")).task.status).toBe("pending")
      })
    )
  )

  it.live("is a schedule that is disabled and a workflow that stalls where they are damaged", () =>
    inStore(
      Effect.gen(function* () {
        const file = place()
        const times = { next_run_at: "never", last_run_at: null, created_at: "", updated_at: "" }
        makeOriginal(file, {
          rows: {
            schedules: [
              { schedule_id: "s", name: "n", enabled: 1, interval_seconds: 0, task_json: "x", ...times }
            ],
            workflows: [originalWorkflow("w", { context_json: "3" })]
          }
        })
        expect((yield* take(file)).setAside).toBe(2)
        expect(yield* sql("SELECT enabled FROM schedules WHERE disabled_reason LIKE '%damaged%'")).toEqual([
          { enabled: 0 }
        ])
        expect(yield* sql("SELECT status FROM workflows")).toEqual([{ status: "stalled" }])
      })
    )
  )

  it.live("is one unfinished task too many of a workflow's state, which then moves nothing", () =>
    inStore(
      Effect.gen(function* () {
        const file = place()
        const of = { source: "workflow:1:plan" }
        makeOriginal(file, {
          rows: {
            workflows: [originalWorkflow("w")],
            tasks: [originalTask("first", { ...of, status: "blocked" }), originalTask("second", of)]
          }
        })
        yield* take(file)
        expect((yield* find("first")).round.workflowState).toEqual(Option.none())
        expect((yield* find("second")).round.workflowState).toEqual(Option.some("plan"))
      })
    )
  )
})
