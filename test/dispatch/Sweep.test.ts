import { describe, expect } from "bun:test"
import { Effect, Option } from "effect"
import { RUNNER } from "../../layers/Memory.ts"
import { Sqlite } from "../../layers/store/Sqlite.ts"
import { LeftOvers } from "../../src/adapter/LeftOvers.ts"
import { Audit } from "../../src/artifact/AuditFolder.ts"
import { sweep } from "../../src/dispatch/Sweep.ts"
import { AttemptId, BundleId, type TaskId } from "../../src/domain/Ids.ts"
import { now } from "../../src/domain/Time.ts"
import { Store } from "../../src/store/Store.ts"
import { StoreUnavailable } from "../../src/store/StoreError.ts"
import type { Move } from "../../src/store/Tasks.ts"
import { fullAudit } from "../support/audits.ts"
import { it } from "../support/effect.ts"
import { claimAs, DEAD, stamp } from "./others.ts"
import {
  attemptsOf,
  DOOR,
  detailsOf,
  eventsOf,
  history,
  queue,
  says,
  taskOf,
  typesOf,
  world
} from "./world.ts"

const quiet = { adapters: { local: says("hello") } }
const requestCancel = (id: TaskId, reason: Option.Option<string>) =>
  Effect.gen(function* () {
    const store = yield* Store
    yield* store.tasks.requestCancel(id, reason, yield* stamp)
  })

/** The record of an attempt, as from its start on. */
const recordStart = (id: TaskId, folder: string) =>
  Effect.gen(function* () {
    const store = yield* Store
    const bundle = {
      bundleId: BundleId.make("b"),
      taskId: id,
      attemptId: AttemptId.make("a1"),
      bundleHash: "hash",
      bundleVersion: 1,
      profileId: "lumen",
      adapterId: "local",
      adapterMode: "script",
      model: Option.none(),
      replayGrade: "inputs_frozen",
      relativePath: "bundles/b.json",
      promptRelativePath: "bundles/b.prompt.txt"
    } as const
    const paths = {
      promptPath: `${folder}/assembled-context.txt`,
      stdoutPath: `${folder}/stdout.log`,
      stderrPath: `${folder}/stderr.log`,
      resultPath: `${folder}/result.json`
    }
    expect(yield* store.attempts.compiled(bundle, paths, yield* stamp)).toBe(true)
  })

describe("the boot sweep", () => {
  it.effect("puts the task of a dead dispatcher back, counted, due at once, with its story told", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* claimAs(DEAD, "a1", "/memory/dispatch.lock")
      expect(yield* sweep()).toBe(1)
      const task = yield* taskOf(id)
      expect([task.status, task.attemptCount]).toEqual(["retryable_failure", 1])
      expect(task.availableAt).toEqual(yield* now)
      expect(yield* typesOf(id)).toEqual([
        "task_enqueued",
        "task_claimed",
        "boot_sweep_reclaimed",
        "task_attempt_finished",
        "task_retry_scheduled"
      ])
      expect(yield* detailsOf(id, "boot_sweep_reclaimed")).toEqual([{ dead_runner_id: DEAD, survivors: [] }])
      const [attempt] = yield* attemptsOf(id)
      expect([attempt?.status, Option.getOrNull(attempt!.reason)]).toEqual(["finished", "boot_sweep"])
      // A second sweep finds nothing and says nothing.
      const before = yield* history
      expect(yield* sweep()).toBe(0)
      expect(yield* history).toEqual(before)
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("blocks a task whose attempts are used up", () =>
    Effect.gen(function* () {
      const id = yield* queue({ maxAttempts: 1 })
      yield* claimAs(DEAD, "a1")
      yield* sweep()
      const task = yield* taskOf(id)
      expect(task.status).toBe("blocked")
      expect(Option.getOrThrow(task.lastError)).toStartWith("attempts_used_up: ")
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("cancels a task that an operator had asked to cancel, told as by a dispatcher that lives", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* claimAs(DEAD, "a1")
      yield* requestCancel(id, Option.some("no more"))
      yield* sweep()
      expect((yield* taskOf(id)).status).toBe("operator_canceled")
      const [attempt] = yield* attemptsOf(id)
      expect(attempt).toMatchObject({
        exitStatus: Option.some("canceled"),
        retryClass: Option.some("none"),
        reason: Option.some("cancel: canceled by olga: no more")
      })
      const [event] = (yield* eventsOf(id)).filter((one) => one.eventType === "task_operator_canceled")
      expect(event).toMatchObject({ actor: DOOR.actor, detail: { reason: "canceled by olga: no more" } })
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("blocks a task whose processes survive, and names them", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* claimAs(DEAD, "a1")
      yield* requestCancel(id, Option.none())
      yield* sweep()
      const task = yield* taskOf(id)
      expect(task.status).toBe("blocked")
      expect(Option.getOrThrow(task.lastError)).toBe("processes_left: 4711 (sleep)")
      const [attempt] = yield* attemptsOf(id)
      expect(attempt?.issues).toEqual(["still running after SIGKILL: 4711 (sleep)"])
    }).pipe(Effect.provide(world({ ...quiet, survivors: { a1: ["4711 (sleep)"] } })))
  )

  it.effect("says nothing of an attempt that was ended while its processes were looked for", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* claimAs(DEAD, "a1")
      const context = yield* Effect.context<Effect.Effect.Context<ReturnType<typeof sweep>>>()
      const meanwhile = sweep().pipe(Effect.provide(context), Effect.orDie, Effect.as([]))
      expect(yield* Effect.provideService(sweep(), LeftOvers, { sweep: () => meanwhile })).toBe(0)
      const types = yield* typesOf(id)
      expect(types.filter((type) => type === "boot_sweep_reclaimed")).toHaveLength(1)
      expect(types).not.toContain("late_result_ignored")
    }).pipe(Effect.provide(world(quiet)))
  )

  for (const [what, there, left] of [
    ["", [], ["result.json"]],
    [" that had begun", ["stdout.log", "stderr.log"], ["result.json"]],
    [" whose own was written already", ["result.json"], []]
  ] as const)
    it.effect(`leaves the result of an attempt${what}, and a record that names what is there`, () =>
      Effect.gen(function* () {
        const store = yield* Store
        const audit = yield* Audit
        const id = yield* queue()
        yield* claimAs(DEAD, "a1")
        const folder = yield* audit.open(id, AttemptId.make("a1"))
        yield* recordStart(id, folder.relativePath)
        for (const file of there) yield* folder.put(file, "theirs")
        yield* requestCancel(id, Option.some("no more"))
        yield* sweep()
        const named = Option.getOrThrow(yield* store.attempts.find(AttemptId.make("a1")))
        const paths = { "stdout.log": named.stdoutPath, "stderr.log": named.stderrPath }
        for (const [file, path] of Object.entries(paths))
          expect(Option.isSome(path)).toBe(there.some((one) => one === file))
        expect(named.resultPath).toEqual(Option.some(`${folder.relativePath}/result.json`))
        const range = { offset: 0, most: 10_000 }
        const text = `${Buffer.from(yield* audit.read(id, AttemptId.make("a1"), "result.json", range))}`
        if (left.length === 0) expect(text).toBe("theirs")
        else
          expect(JSON.parse(text)).toEqual({
            verdict: "Canceled",
            reason: "cancel",
            detail: "canceled by olga: no more",
            exit_status: "canceled",
            retry_class: "none",
            issues: [],
            facts: { dead_runner_id: DEAD, survivors: [] },
            artifact_written_by_runtime: null,
            outcome: null
          })
        const told = "result.json was written by the sweep: the dispatcher that ran the attempt died"
        expect(named.issues.includes(told)).toBe(left.length > 0)
      }).pipe(Effect.scoped, Effect.provide(world(quiet)))
    )

  it.effect("has a record name no result that could not be written, and says so", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* claimAs(DEAD, "a1")
      const audit = yield* Audit
      yield* recordStart(id, (yield* audit.open(id, AttemptId.make("a1"))).relativePath)
      yield* Effect.provideService(sweep(), Audit, { ...audit, open: () => Effect.succeed(fullAudit) })
      const [attempt] = yield* attemptsOf(id)
      expect(attempt).toMatchObject({
        promptPath: Option.some(`adapter-runs/${id}/a1/assembled-context.txt`),
        stdoutPath: Option.none(),
        stderrPath: Option.none(),
        resultPath: Option.none(),
        issues: [
          "not written before the dispatcher that ran the attempt died: stdout.log, stderr.log, result.json"
        ]
      })
    }).pipe(Effect.scoped, Effect.provide(world(quiet)))
  )

  it.effect("leaves nothing of an attempt that had recorded nothing yet", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* claimAs(DEAD, "a1")
      yield* sweep()
      const audit = yield* Audit
      expect(yield* audit.size(id, AttemptId.make("a1"), "result.json")).toEqual(Option.none())
      expect((yield* attemptsOf(id))[0]?.issues).toEqual([])
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("leaves its own attempts alone", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* claimAs(RUNNER, "a1")
      expect(yield* sweep()).toBe(0)
      expect((yield* taskOf(id)).status).toBe("running")
    }).pipe(Effect.provide(world(quiet)))
  )
})

describe("a dispatcher whose process lives, though its lock is gone", () => {
  it.effect("is left alone with its record until it has died", () => {
    const living = new Set([DEAD])
    return Effect.gen(function* () {
      const store = yield* Store
      const id = yield* queue()
      yield* claimAs(DEAD, "a1", "/memory/dispatch.lock")
      expect(yield* sweep()).toBe(0)
      expect((yield* taskOf(id)).status).toBe("running")
      expect(
        (yield* store.runners.open).filter((one) => one.runnerId !== RUNNER).map((one) => one.runnerId)
      ).toEqual([DEAD])
      living.delete(DEAD)
      expect(yield* sweep()).toBe(1)
      expect((yield* taskOf(id)).status).toBe("retryable_failure")
      expect((yield* store.runners.open).filter((one) => one.runnerId !== RUNNER)).toEqual([])
    }).pipe(Effect.provide(world({ ...quiet, living })))
  })

  it.effect("is not trusted when its record says that it has ended", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const id = yield* queue()
      yield* claimAs(DEAD, "a1", "/memory/dispatch.lock")
      yield* store.runners.end(DEAD, yield* stamp)
      expect(yield* sweep()).toBe(1)
      expect((yield* taskOf(id)).status).toBe("retryable_failure")
    }).pipe(Effect.provide(world({ ...quiet, living: new Set([DEAD]) })))
  )
})

const FAULTS = [
  ["meets a defect", Effect.dieMessage("a damaged row")],
  [
    "the store refuses",
    new StoreUnavailable({ path: "/x", reason: "datatype mismatch", remedy: "", isFault: true })
  ]
] as const

/** Two attempts of a dead dispatcher; the end of the first meets `fault` in what `isMet` tells. */
const twoLeft = (fault: Effect.Effect<never, StoreUnavailable>, isMet: (move: Move) => boolean) =>
  Effect.gen(function* () {
    const [bad, good] = [yield* queue({ priority: 9 }), yield* queue()]
    yield* claimAs(DEAD, "a1")
    yield* claimAs(DEAD, "a2")
    const store = yield* Store
    const settle: typeof store.tasks.settle = (settlement) =>
      settlement.attemptId === "a1" && isMet(settlement.move) ? fault : store.tasks.settle(settlement)
    const damaged = { ...store, tasks: { ...store.tasks, settle } }
    return { bad, good, swept: yield* Effect.provideService(sweep(), Store, damaged) }
  })

for (const [what, fault] of FAULTS) {
  it.effect(`an attempt whose end ${what} blocks its task, and the others are ended`, () =>
    Effect.gen(function* () {
      const { bad, good, swept } = yield* twoLeft(fault, ({ _tag }) => _tag !== "Block")
      expect(swept).toBe(2)
      expect((yield* taskOf(bad)).status).toBe("blocked")
      expect(Option.getOrThrow((yield* taskOf(bad)).lastError)).toStartWith("internal_fault: ")
      expect(yield* typesOf(bad)).not.toContain("boot_sweep_reclaimed")
      expect((yield* taskOf(good)).status).toBe("retryable_failure")
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect(`one attempt of which every end ${what} does not keep the others from theirs`, () =>
    Effect.gen(function* () {
      const { bad, good, swept } = yield* twoLeft(fault, () => true)
      expect(swept).toBe(1)
      expect((yield* taskOf(bad)).status).toBe("running")
      expect((yield* taskOf(good)).status).toBe("retryable_failure")
    }).pipe(Effect.provide(world(quiet)))
  )
}

/** What another program does to the records. */
const damage = (...texts: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const sqlite = yield* Sqlite
    for (const text of texts) yield* sqlite.transact("damage", sqlite.rows({ text, names: [] }))
  })
const FINISHED = "UPDATE attempts SET status = 'finished', ended_at = started_at"

describe("a task that is running without a running attempt", () => {
  for (const [what, texts, problem] of [
    ["whose attempts were removed", ["DELETE FROM attempts"], "it has none"],
    ["whose attempt was finished beside it", [FINISHED], "the last one, a1, is finished"]
  ] as const)
    it.effect(`${what} is set aside, and can be retried`, () =>
      Effect.gen(function* () {
        const id = yield* queue({ dedupeKey: "K" })
        yield* claimAs(DEAD, "a1")
        yield* damage(...texts)
        yield* sweep()
        const task = yield* taskOf(id)
        expect(task.status).toBe("blocked")
        const told = `status: running, but no attempt of it is running: ${problem}`
        expect(Option.getOrThrow(task.lastError)).toBe(`this record is damaged: ${told}`)
        expect(yield* detailsOf(id, "record_quarantined")).toEqual([{ table: "tasks", problem: told }])
        // A second sweep finds nothing and says nothing.
        const before = yield* history
        yield* sweep()
        expect(yield* history).toEqual(before)
        const store = yield* Store
        expect(yield* store.tasks.retry(id, Option.none(), yield* stamp)).toMatchObject({ _tag: "Moved" })
        yield* claimAs(RUNNER, "a2")
      }).pipe(Effect.provide(world(quiet)))
    )

  it.effect("as it was set so by hand is set aside, too", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* damage("UPDATE tasks SET status = 'running', ready = 0")
      yield* sweep()
      expect((yield* taskOf(id)).status).toBe("blocked")
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("is canceled by the operator who had asked for it", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* claimAs(DEAD, "a1")
      yield* requestCancel(id, Option.some("no more"))
      yield* damage(FINISHED)
      yield* sweep()
      expect((yield* taskOf(id)).status).toBe("operator_canceled")
      const [event] = (yield* eventsOf(id)).filter((one) => one.eventType === "task_operator_canceled")
      expect(event).toMatchObject({ actor: DOOR.actor, detail: { from: "running", reason: "no more" } })
    }).pipe(Effect.provide(world(quiet)))
  )

  it.effect("has the processes of its dead dispatcher ended first, and names those that are left", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* claimAs(DEAD, "a1")
      yield* requestCancel(id, Option.none())
      yield* damage(FINISHED)
      yield* sweep()
      const task = yield* taskOf(id)
      expect(task.status).toBe("blocked")
      expect(Option.getOrThrow(task.lastError)).toEndWith("of its processes are left: 4711 (sleep)")
    }).pipe(Effect.provide(world({ ...quiet, survivors: { a1: ["4711 (sleep)"] } })))
  )
})

it.effect("an attempt of a task that was moved beside it is ended, and the queue goes on", () =>
  Effect.gen(function* () {
    const id = yield* queue({ priority: 9 })
    yield* claimAs(DEAD, "a1")
    yield* damage("UPDATE tasks SET status = 'pending', ready = 1")
    expect(yield* sweep()).toBe(1)
    expect((yield* attemptsOf(id)).map(({ status }) => status)).toEqual(["finished"])
    expect((yield* taskOf(id)).status).toBe("pending")
    yield* claimAs(RUNNER, "a2")
  }).pipe(Effect.provide(world(quiet)))
)
