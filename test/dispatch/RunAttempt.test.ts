import { describe, expect } from "bun:test"
import { Deferred, Effect, Fiber, Option, TestClock } from "effect"
import { scriptSettings } from "../../layers/adapter/ScriptedAdapters.ts"
import { MemoryFiles } from "../../layers/artifact/MemoryArtifacts.ts"
import type { Execution, Job } from "../../src/adapter/AdapterRegistry.ts"
import { Audit, AuditFailed } from "../../src/artifact/AuditFolder.ts"
import type { TaskId } from "../../src/domain/Ids.ts"
import type { TaskStatus } from "../../src/domain/Task.ts"
import { Store } from "../../src/store/Store.ts"
import { it } from "../support/effect.ts"
import { profile } from "../support/settings.ts"
import {
  answer,
  attemptsOf,
  DOOR,
  detailsOf,
  eventsOf,
  failing,
  queue,
  ran,
  says,
  taskOf,
  typesOf,
  UNTRUSTED,
  world,
  yields
} from "./world.ts"

const BEGUN = ["task_enqueued", "task_claimed", "bundle_compiled", "task_started", "task_attempt_finished"]

interface Ending {
  readonly what: string
  readonly execution: Partial<Execution>
  readonly maxAttempts?: number
  readonly status: TaskStatus
  readonly reason: string
  readonly event: string
  /** What follows from that. */
  readonly consequence?: string
  readonly error: string | null
  readonly exitStatus?: string
}

const endings: ReadonlyArray<Ending> = [
  {
    what: "a completed outcome",
    execution: answer({ operator_summary: "all well" }),
    status: "completed",
    reason: "completed: all well",
    event: "task_finished",
    error: null
  },
  {
    what: "a claim without its file",
    execution: answer({ artifact_paths: ["missing.md"] }),
    status: "blocked",
    reason: "verification_failed: ",
    event: "task_finished",
    error: "verification_failed: "
  },
  {
    what: "an outcome that says blocked",
    execution: answer({ status: "blocked", machine_status: "blocked", operator_summary: "no key" }),
    status: "blocked",
    reason: "reported_blocked: no key",
    event: "task_finished",
    error: "reported_blocked: no key"
  },
  {
    what: "an outcome that says it failed for good",
    execution: answer({ status: "permanent_failure", machine_status: "failed", operator_summary: "gone" }),
    status: "permanent_failure",
    reason: "reported_permanent_failure: gone",
    event: "task_finished",
    error: "reported_permanent_failure: gone"
  },
  {
    what: "an outcome that asks to be tried again",
    execution: answer({
      status: "retryable_failure",
      machine_status: "needs_retry",
      operator_summary: "later"
    }),
    status: "retryable_failure",
    reason: "reported_retryable_failure: later",
    event: "task_retry_scheduled",
    error: "reported_retryable_failure: later"
  },
  {
    what: "an exit code",
    execution: failing,
    status: "retryable_failure",
    reason: "exit_error: exit code 7: boom",
    event: "task_retry_scheduled",
    error: "exit_error: exit code 7: boom",
    exitStatus: "error"
  },
  {
    what: "a timeout",
    execution: {
      exitStatus: "timeout",
      retryClass: "retryable",
      reason: Option.some("timed out after 1000 ms")
    },
    status: "retryable_failure",
    reason: "timeout: timed out after 1000 ms",
    event: "task_retry_scheduled",
    error: "timeout: timed out after 1000 ms",
    exitStatus: "timeout"
  },
  {
    what: "a command that cannot start",
    execution: {
      exitStatus: "error",
      retryClass: "permanent",
      reason: Option.some("cannot start: no such file")
    },
    status: "permanent_failure",
    reason: "cannot_start: cannot start: no such file",
    event: "task_finished",
    error: "cannot_start: cannot start: no such file",
    exitStatus: "error"
  },
  {
    what: "an error that waiting does not mend",
    execution: { exitStatus: "error", retryClass: "none", reason: Option.some("401: log in again") },
    status: "blocked",
    reason: "needs_operator: 401: log in again",
    event: "task_finished",
    error: "needs_operator: 401: log in again",
    exitStatus: "error"
  },
  {
    what: "the last attempt's failure",
    execution: failing,
    maxAttempts: 1,
    status: "blocked",
    reason: "attempts_used_up: 1 of 1 attempts used up; the last one: exit_error: exit code 7: boom",
    event: "task_finished",
    error: "attempts_used_up: ",
    exitStatus: "error"
  },
  {
    what: "a rate limit",
    execution: { ...failing, retryAfterSeconds: Option.some(90) },
    status: "retryable_failure",
    reason: "rate_limited: ",
    event: "rate_limit_rescheduled",
    consequence: "adapter_cooldown",
    error: "rate_limited: ",
    exitStatus: "error"
  },
  {
    what: "processes that survive",
    execution: { ...failing, survivors: ["4711 (sleep)"] },
    status: "blocked",
    reason: "processes_left: ",
    event: "task_finished",
    error: "processes_left: ",
    exitStatus: "error"
  },
  {
    what: "an interruption that nobody asked for",
    execution: { exitStatus: "canceled", retryClass: "none", reason: Option.some("stopped") },
    status: "retryable_failure",
    reason: "interrupted: stopped",
    event: "task_retry_scheduled",
    error: "interrupted: stopped",
    exitStatus: "canceled"
  }
]

describe("an attempt ends as its evidence says:", () => {
  for (const one of endings)
    it.effect(`${one.what} leaves the task ${one.status}`, () =>
      Effect.gen(function* () {
        const id = yield* queue(one.maxAttempts === undefined ? {} : { maxAttempts: one.maxAttempts })
        const attempted = yield* ran
        const task = yield* taskOf(id)
        expect(task.status).toBe(one.status)
        expect(yield* typesOf(id)).toEqual([
          ...BEGUN,
          one.event,
          ...(one.consequence === undefined ? [] : [one.consequence])
        ])
        const [attempt] = yield* attemptsOf(id)
        expect(attempt?.attemptId).toBe(attempted.attemptId)
        expect(attempt?.status).toBe("finished")
        expect(Option.getOrThrow(attempt!.reason)).toStartWith(one.reason)
        expect(Option.getOrNull(attempt!.exitStatus)).toBe((one.exitStatus ?? "ok") as never)
        const [finished] = yield* detailsOf(id, "task_attempt_finished")
        expect(String(finished?.reason)).toStartWith(one.reason)
        const [decision] = yield* detailsOf(id, one.event)
        if (one.error === null) expect(Option.isNone(task.lastError)).toBe(true)
        else {
          expect(Option.getOrThrow(task.lastError)).toStartWith(one.error)
          expect(String(decision?.reason)).toStartWith(one.error)
        }
        // After the claim every event carries the attempt; the outcome's status is the task's.
        const events = yield* eventsOf(id)
        expect(events.slice(1).every((event) => Option.contains(event.attemptId, attempted.attemptId))).toBe(
          true
        )
        if (one.status !== "operator_canceled")
          expect(Option.getOrThrow(task.outcome).status).toBe(one.status as never)
      }).pipe(Effect.provide(world({ adapters: { local: yields(one.execution) } })))
    )
})

interface Unstarted {
  readonly what: string
  readonly intent: Parameters<typeof queue>[0]
  readonly untrusted?: boolean
  readonly status: TaskStatus
  readonly reason: string
  readonly says: string
}

const unstarted: ReadonlyArray<Unstarted> = [
  {
    what: "an unknown profile",
    intent: { requestedProfile: "nobody" },
    status: "blocked",
    reason: "profile_unknown",
    says: "profile nobody is not configured; configured are lumen"
  },
  {
    what: "an unknown adapter",
    intent: { requestedAdapter: "nothing" },
    status: "permanent_failure",
    reason: "adapter_unknown",
    says: "adapter nothing is not configured; configured are local"
  },
  {
    what: "a missing input artifact",
    intent: { kind: "goal-execute", payload: { proposal_artifact: "plans/p.md" } },
    status: "blocked",
    reason: "input_missing",
    says: "plans/p.md"
  },
  {
    what: "a declared path that leaves the artifact root",
    intent: { payload: { output_path: "../escape.md" } },
    status: "blocked",
    reason: "path_refused",
    says: "escape.md"
  },
  {
    what: "untrusted input that no adapter may run",
    intent: {},
    untrusted: true,
    status: "blocked",
    reason: "untrusted_not_admitted",
    says: "adapter local may not run untrusted input"
  }
]

describe("an attempt ends before its adapter starts for", () => {
  for (const one of unstarted)
    it.effect(one.what, () =>
      Effect.gen(function* () {
        const id = yield* queue(one.intent, one.untrusted === true ? UNTRUSTED : DOOR)
        yield* ran
        const task = yield* taskOf(id)
        expect(task.status).toBe(one.status)
        expect(Option.getOrThrow(task.lastError)).toStartWith(`${one.reason}: `)
        expect(Option.getOrThrow(task.lastError)).toContain(one.says)
        expect(Option.getOrThrow(task.lastError).split(one.reason)).toHaveLength(2)
        expect(yield* typesOf(id)).toEqual([
          "task_enqueued",
          "task_claimed",
          "task_attempt_finished",
          "task_finished"
        ])
        const [attempt] = yield* attemptsOf(id)
        expect(Option.isNone(attempt!.exitStatus)).toBe(true)
      }).pipe(
        Effect.provide(
          world({
            adapters: { local: () => Effect.dieMessage("the adapter was started") },
            settings: {
              dispatch: {
                concurrency: 1,
                drainSeconds: 30,
                adapterConcurrency: new Map(),
                untrustedAdapters: Option.some(["other"])
              }
            }
          })
        )
      )
    )
})

it.effect("a fault of ours inside the pipeline blocks the task and says so", () =>
  Effect.gen(function* () {
    const id = yield* queue()
    yield* ran
    const task = yield* taskOf(id)
    expect(task.status).toBe("blocked")
    expect(Option.getOrThrow(task.lastError)).toBe(
      "internal_fault: agent-runtime met a fault of its own: it broke"
    )
    expect((yield* typesOf(id)).at(-1)).toBe("task_finished")
    // Its record names what is there: the result that tells so, and no log of what never began.
    const [attempt] = yield* attemptsOf(id)
    const { attemptId, resultPath, stderrPath, stdoutPath } = attempt!
    expect([stdoutPath, stderrPath]).toEqual([Option.none(), Option.none()])
    expect(Option.getOrThrow(resultPath)).toEndWith("/result.json")
    const bytes = yield* (yield* Audit).read(id, attemptId, "result.json", { offset: 0, most: 10_000 })
    expect(JSON.parse(`${Buffer.from(bytes)}`)).toMatchObject({
      verdict: "Blocked",
      reason: "internal_fault",
      detail: "agent-runtime met a fault of its own: it broke",
      exit_status: null
    })
  }).pipe(Effect.provide(world({ adapters: { local: () => Effect.dieMessage("it broke") } })))
)

it.effect("the record of a failure names no log that its adapter did not begin", () =>
  Effect.gen(function* () {
    const id = yield* queue()
    yield* ran
    const [attempt] = yield* attemptsOf(id)
    expect(attempt).toMatchObject({ stdoutPath: Option.none(), stderrPath: Option.none() })
    expect(Option.isSome(attempt!.resultPath)).toBe(true)
  }).pipe(Effect.provide(world({ adapters: { local: yields(failing) } })))
)

it.effect("evidence that cannot be written blocks the task before anything is started", () =>
  Effect.gen(function* () {
    const id = yield* queue()
    const audit = yield* Audit
    const full = { ...audit, open: () => new AuditFailed({ path: "/x", reason: "ENOSPC" }) }
    yield* Effect.provideService(ran, Audit, full)
    const task = yield* taskOf(id)
    expect(task.status).toBe("blocked")
    expect(Option.getOrThrow(task.lastError)).toStartWith("evidence_unwritable: ")
    expect(Option.getOrThrow(task.lastError)).toContain("ENOSPC")
  }).pipe(Effect.provide(world({ adapters: { local: () => Effect.dieMessage("the adapter was started") } })))
)

const heard = (into: Array<Job>) => (job: Job) => Effect.sync(() => void into.push(job)).pipe(Effect.as({}))

describe("payload.args reach", () => {
  const cases = [
    {
      what: "a script, for trusted input",
      door: DOOR,
      untrustedArgs: false,
      args: ["-n", "1"],
      reach: ["-n", "1"]
    },
    {
      what: "no script, for untrusted input",
      door: UNTRUSTED,
      untrustedArgs: false,
      args: ["-rf"],
      reach: []
    },
    {
      what: "a script that says untrustedArgs",
      door: UNTRUSTED,
      untrustedArgs: true,
      args: ["-n"],
      reach: ["-n"]
    },
    { what: "nobody, when one is no text", door: DOOR, untrustedArgs: false, args: ["-n", 1], reach: [] },
    { what: "nobody, when they are no list", door: DOOR, untrustedArgs: false, args: "-n", reach: [] }
  ] as const
  for (const one of cases)
    it.effect(one.what, () => {
      const jobs: Array<Job> = []
      return Effect.gen(function* () {
        const id = yield* queue({ payload: { args: one.args } }, one.door)
        yield* ran
        expect(jobs.map((job) => job.args)).toEqual([[...one.reach]])
        const [attempt] = yield* attemptsOf(id)
        // What is left out is told.
        const told = attempt!.issues.some((issue) =>
          issue.startsWith("args_left_out: payload.args are not passed on")
        )
        expect(told).toBe(one.reach.length === 0)
      }).pipe(
        Effect.provide(
          world({
            adapters: { local: heard(jobs) },
            configured: [scriptSettings("local", { untrustedArgs: one.untrustedArgs })]
          })
        )
      )
    })
})

it.effect("payload.args of which one holds a NUL character are told for that", () =>
  Effect.gen(function* () {
    const id = yield* queue({ payload: { args: ["a\u0000b"] } })
    yield* ran
    expect((yield* attemptsOf(id))[0]?.issues).toContain(
      "args_left_out: payload.args are not passed on: one of them holds a NUL character, which no argument can"
    )
  }).pipe(Effect.provide(world({ adapters: { local: says("done") } })))
)

it.effect("an artifact that the runtime wrote is told in the event of the attempt's end", () =>
  Effect.gen(function* () {
    const files = yield* MemoryFiles
    yield* files.put("story.md", "older", -60_000)
    const id = yield* queue({ payload: { output_path: "story.md" } })
    yield* ran
    expect((yield* taskOf(id)).status).toBe("completed")
    const [detail] = yield* detailsOf(id, "task_attempt_finished")
    expect(detail?.artifact).toEqual({ path: "story.md", written_by: "runtime", kept: "story.1.md" })
    expect(detail?.exit_status).toBe("ok")
  }).pipe(Effect.provide(world({ adapters: { local: says("a story") } })))
)

it.effect("what an adapter writes itself is told to nobody as the runtime's", () =>
  Effect.gen(function* () {
    const id = yield* queue()
    yield* ran
    const [detail] = yield* detailsOf(id, "task_attempt_finished")
    expect(detail).not.toHaveProperty("artifact")
  }).pipe(Effect.provide(world({ adapters: { local: says("words") } })))
)

describe("a request to cancel", () => {
  const request = (id: TaskId) =>
    Effect.gen(function* () {
      const store = yield* Store
      const stamp = { at: (yield* taskOf(id)).createdAt, actor: DOOR.actor }
      yield* store.tasks.requestCancel(id, Option.some("wrong task"), stamp)
    })

  it.effect("stops the adapter that runs, from another fiber, in the operator's words", () =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      const adapter = (job: Job) =>
        Effect.gen(function* () {
          yield* Deferred.succeed(began, undefined)
          const why = yield* Deferred.await(job.stop)
          return { exitStatus: "canceled" as const, reason: Option.some(`stopped: ${why}`) }
        })
      const story = Effect.gen(function* () {
        const id = yield* queue()
        const cycle = yield* Effect.fork(ran)
        yield* Deferred.await(began)
        yield* request(id)
        // So often it looks.
        yield* TestClock.adjust("50 millis")
        const { verdict } = yield* Fiber.join(cycle)
        expect(verdict._tag).toBe("Canceled")
        const task = yield* taskOf(id)
        expect(task.status).toBe("operator_canceled")
        expect(Option.getOrThrow(task.lastError)).toBe("canceled by olga: wrong task")
        expect((yield* typesOf(id)).slice(-3)).toEqual([
          "task_cancel_requested",
          "task_attempt_finished",
          "task_operator_canceled"
        ])
      })
      yield* Effect.provide(story, world({ adapters: { local: adapter } }))
    })
  )

  const late: ReadonlyArray<readonly [what: string, execution: Partial<Execution>, status: TaskStatus]> = [
    ["completes", answer({ follow_up_tasks: [{ kind: "more", payload: {} }] }), "operator_canceled"],
    ["fails and would be tried again", failing, "operator_canceled"],
    ["is rate limited", { ...failing, retryAfterSeconds: Option.some(60) }, "operator_canceled"],
    ["leaves processes behind", { ...failing, survivors: ["1 (x)"] }, "blocked"]
  ]
  for (const [what, execution, status] of late)
    it.effect(`holds for an attempt that ${what} before it is stopped`, () =>
      Effect.gen(function* () {
        const acts = yield* Deferred.make<(job: Job) => Effect.Effect<Partial<Execution>>>()
        const adapter = (job: Job) => Effect.flatMap(Deferred.await(acts), (act) => act(job))
        const story = Effect.gen(function* () {
          const context = yield* Effect.context<Store>()
          // The request is there, and the adapter is done before it hears of it.
          const act = (job: Job) =>
            request(job.taskId).pipe(Effect.as(execution), Effect.provide(context), Effect.orDie)
          yield* Deferred.succeed(acts, act)
          const id = yield* queue()
          yield* ran
          expect((yield* taskOf(id)).status).toBe(status)
          expect(yield* typesOf(id)).not.toContain("follow_up_created")
          expect(yield* typesOf(id)).not.toContain("task_retry_scheduled")
        })
        const profiles = new Map([["lumen", profile({ result_schema: { allow_follow_up_tasks: true } })]])
        yield* Effect.provide(story, world({ adapters: { local: adapter }, settings: { profiles } }))
      })
    )
})
