import { describe, expect } from "bun:test"
import { Effect, FastCheck, Layer, Option, Ref, TestClock } from "effect"
import { scriptSettings } from "../../layers/adapter/ScriptedAdapters.ts"
import { type Adapter, AdapterRegistry } from "../../src/adapter/AdapterRegistry.ts"
import { clash } from "../../src/dispatch/Grounds.ts"
import { next } from "../../src/dispatch/Steps.ts"
import type { TaskId } from "../../src/domain/Ids.ts"
import { now } from "../../src/domain/Time.ts"
import { waiting } from "../../src/operate/Waiting.ts"
import { Store } from "../../src/store/Store.ts"
import { it } from "../support/effect.ts"
import { complete, ended } from "../support/store.ts"
import { limits, makeWorkers, quiet, runtime, type Workers, whileDispatching } from "./resident.ts"
import { DOOR, detailsOf, queue, ran, says, taskOf, world } from "./world.ts"

const folder = (path: string) => Option.some({ given: path, path })

/** Two writers of one repository, one of them through a symlink; a reader of it; a writer of another. */
const configured = [
  scriptSettings("writer", { workspace: "exclusive", workingDir: folder("/repo") }),
  scriptSettings("second", { workspace: "exclusive", workingDir: folder("/link") }),
  scriptSettings("reader", { workspace: "shared", workingDir: folder("/repo") }),
  scriptSettings("beside", { workspace: "worktree", workingDir: folder("/repo") }),
  scriptSettings("other", { workspace: "exclusive", workingDir: folder("/else") })
]
const IDS = configured.map(({ id }) => id)

const workspace = { files: { "/link": { realPath: "/repo" } } }

const site = (workers: Workers, concurrency = 9) => ({
  adapters: Object.fromEntries(IDS.map((id) => [id, workers.act])),
  configured,
  workspace,
  ...limits({ concurrency })
})

const why = (id: TaskId) =>
  Effect.map(Effect.flatMap(taskOf(id), waiting), (found) =>
    Option.match(found, { onNone: () => "runs", onSome: ({ detail, reason }) => `${reason}: ${detail}` })
  )

const task = (adapter: string, priority = 5) => queue({ requestedAdapter: adapter, priority })

/** While a dispatcher runs whose adapters work until they are told to end. */
const story = <E, R>(body: (workers: Workers) => Effect.Effect<unknown, E, R>) =>
  Effect.flatMap(makeWorkers, (workers) =>
    whileDispatching(() => body(workers)).pipe(Effect.provide(runtime(site(workers))))
  )

/** What a claim takes now, which must be there. */
const claimed = Effect.flatMap(next(), (found) =>
  found._tag === "Claimed"
    ? Effect.succeed(found.claimed)
    : Effect.dieMessage(`nothing to claim: ${found._tag}`)
)

describe("a dispatcher", () => {
  it.effect("runs no two attempts in one folder where either wants to be alone, symlinks followed", () =>
    story((workers) =>
      Effect.gen(function* () {
        const first = yield* task("writer")
        yield* workers.begun
        const second = yield* task("second")
        const reader = yield* task("reader")
        yield* quiet
        expect(yield* workers.waiting).toBe(0)
        expect(yield* why(second)).toBe(
          `workspace: the workspace of adapter second is in use by task ${first} (adapter writer) since 1970-01-01T00:00:00.000Z`
        )
        expect(yield* why(reader)).toStartWith("workspace: the workspace of adapter reader is in use by")
        yield* workers.end(first)
        expect((yield* workers.begun).taskId).toBe(second)
        yield* quiet
        expect(yield* workers.waiting).toBe(0)
        yield* workers.end(second)
        expect((yield* workers.begun).taskId).toBe(reader)
      })
    )
  )

  it.effect("lets others by that work elsewhere, and those that share run together", () =>
    story((workers) =>
      Effect.gen(function* () {
        yield* task("reader")
        yield* workers.begun
        const held = yield* task("writer")
        yield* task("other", 1)
        yield* workers.begun
        yield* quiet
        expect(yield* why(held)).toStartWith("workspace: ")
        yield* task("reader", 9)
        yield* task("beside", 9)
        yield* workers.begun
        yield* workers.begun
      })
    )
  )

  it.effect("keeps the turn of one that waits for an empty folder before those that come after it", () =>
    story((workers) =>
      Effect.gen(function* () {
        const reading = yield* task("reader")
        yield* workers.begun
        const writer = yield* task("writer")
        const later = yield* task("reader")
        yield* quiet
        expect(yield* workers.waiting).toBe(0)
        expect(yield* why(later)).toBe(
          `workspace: its workspace is kept for task ${writer} (adapter writer), which comes first and waits until nobody works there`
        )
        const urgent = yield* task("reader", 9)
        expect((yield* workers.begun).taskId).toBe(urgent)
        yield* workers.end(reading)
        yield* quiet
        expect(yield* workers.waiting).toBe(0)
        yield* workers.end(urgent)
        expect((yield* workers.begun).taskId).toBe(writer)
        yield* workers.end(writer)
        expect((yield* workers.begun).taskId).toBe(later)
      })
    )
  )

  it.effect("waits for no folder that an attempt of another process has given up", () =>
    Effect.gen(function* () {
      const store = yield* Store
      yield* task("writer")
      const first = yield* claimed
      const second = yield* task("second")
      expect((yield* next())._tag).toBe("Idle")
      expect(yield* why(second)).toStartWith("workspace: ")
      yield* store.attempts.occupy(first.attempt.attemptId, Option.none())
      expect((yield* claimed).ground).toEqual({ dir: "/repo", workspace: "exclusive" })
    }).pipe(Effect.provide(world({ adapters: {}, configured, workspace })))
  )
})

/** Adapters of which the first fails its probe, so that its fallback runs. */
const broken = (registry: AdapterRegistry["Type"]): AdapterRegistry["Type"] => ({
  ids: registry.ids,
  get: (id) =>
    Option.map(
      registry.get(id),
      (adapter): Adapter => ({
        ...adapter,
        probe:
          id === "sick"
            ? Effect.succeed({ ok: false, reason: "away", remedy: "", warnings: [] })
            : adapter.probe
      })
    )
})

const sickProbe = Layer.effect(AdapterRegistry, Effect.map(AdapterRegistry, broken))

describe("an attempt whose fallback works in another folder", () => {
  const scene = {
    adapters: { sick: says("x"), writer: says("done") },
    configured: [
      ...configured,
      scriptSettings("sick", { workingDir: folder("/sick"), fallbackAdapter: Option.some("writer") })
    ],
    workspace
  }

  it.effect("is put back uncounted while that one is in use, says so, and runs when it is free", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const holder = yield* task("writer", 9)
      const held = yield* claimed
      const id = yield* task("sick")
      const attempted = yield* ran
      expect(attempted.verdict).toMatchObject({ _tag: "Snooze", reason: "workspace_in_use", seconds: 5 })
      const put = yield* taskOf(id)
      expect([put.status, put.attemptCount]).toEqual(["retryable_failure", 0])
      expect(yield* why(id)).toStartWith("workspace: it is not due yet; its last attempt: workspace_in_use: ")
      const [wait] = yield* detailsOf(id, "task_retry_scheduled")
      expect(wait).toMatchObject({ counted: false, available_at: "1970-01-01T00:00:05.000Z" })
      expect(wait?.reason).toContain(`is in use by task ${holder}`)
      yield* store.tasks.settle({
        attemptId: held.attempt.attemptId,
        end: ended(),
        move: complete,
        stamp: { at: yield* now, actor: DOOR.actor }
      })
      yield* TestClock.adjust("5 seconds")
      expect((yield* ran).verdict._tag).toBe("Completed")
      expect((yield* taskOf(id)).status).toBe("completed")
    }).pipe(Effect.provide(Layer.provideMerge(sickProbe, world(scene))))
  )
})

/** What is to happen: a task of an adapter comes, or the n-th of those that run ends. */
const step = FastCheck.oneof(
  FastCheck.record({ adapter: FastCheck.constantFrom(...IDS), priority: FastCheck.nat(2) }),
  FastCheck.record({ end: FastCheck.nat(9) })
)

it.effect(
  "no two attempts ever clash, the claim and the explanation agree, and in the end all have run",
  () =>
    Effect.forEach(
      FastCheck.sample(FastCheck.array(step, { minLength: 12, maxLength: 24 }), { numRuns: 4, seed: 5 }),
      (steps) => Effect.provide(sequence(steps), world({ adapters: {}, configured, workspace }))
    )
)

const sequence = (
  steps: ReadonlyArray<{ readonly adapter: string; readonly priority: number } | { readonly end: number }>
) =>
  Effect.gen(function* () {
    const store = yield* Store
    const running = yield* Ref.make<ReadonlyArray<Running>>([])
    const queued: Array<TaskId> = []
    const claimAll = Effect.gen(function* () {
      for (;;) {
        const found = yield* next()
        if (found._tag !== "Claimed") break
        const { attempt, ground, task: one } = found.claimed
        const now_ = yield* Ref.get(running)
        for (const other of now_)
          if (ground !== undefined && other.ground !== undefined)
            expect(clash(ground, other.ground)).toBe(false)
        yield* Ref.set(running, [...now_, { attemptId: attempt.attemptId, taskId: one.taskId, ground }])
      }
      for (const id of queued) {
        const { status } = yield* taskOf(id)
        if (status === "pending") expect(yield* why(id)).toStartWith("workspace: ")
      }
    })
    const end = (nth: number) =>
      Effect.gen(function* () {
        const now_ = yield* Ref.get(running)
        const one = now_[nth % Math.max(1, now_.length)]
        if (one === undefined) return
        const stamp = { at: yield* now, actor: DOOR.actor }
        yield* store.tasks.settle({ attemptId: one.attemptId, end: ended(), move: complete, stamp })
        yield* Ref.set(
          running,
          now_.filter((other) => other !== one)
        )
      })
    for (const one of steps) {
      if ("adapter" in one) queued.push(yield* task(one.adapter, one.priority))
      else yield* end(one.end)
      yield* claimAll
    }
    while ((yield* Ref.get(running)).length > 0) yield* Effect.zipRight(end(0), claimAll)
    for (const id of queued) expect((yield* taskOf(id)).status).toBe("completed")
  })

interface Running {
  readonly attemptId: Parameters<Store["Type"]["attempts"]["occupy"]>[0]
  readonly taskId: TaskId
  readonly ground: Parameters<typeof clash>[0] | undefined
}
