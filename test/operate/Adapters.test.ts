import { describe, expect } from "bun:test"
import { DateTime, Deferred, Effect, Fiber, Layer, Option, Schema, TestClock } from "effect"
import { scriptSettings } from "../../layers/adapter/ScriptedAdapters.ts"
import { AdapterRegistry, type ProbeResult } from "../../src/adapter/AdapterRegistry.ts"
import type { AgentCliSettings } from "../../src/config/AdapterSettings.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { AttemptId, RunnerId } from "../../src/domain/Ids.ts"
import { now } from "../../src/domain/Time.ts"
import { clear, list } from "../../src/operate/Adapters.ts"
import { Store } from "../../src/store/Store.ts"
import {
  DOOR,
  failing,
  history,
  queue,
  ran,
  says,
  taskOf,
  UNTRUSTED,
  world,
  yields
} from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

const limited = yields({ ...failing, retryAfterSeconds: Option.some(100) })

const codex: AgentCliSettings = {
  ...scriptSettings("codex", { fallbackAdapter: Option.some("local") }),
  mode: "agent-cli",
  driver: "codex",
  model: Option.some("a-model"),
  workspace: "exclusive",
  settingsFile: Option.none(),
  sandbox: Option.none(),
  autonomy: "restricted",
  provider: {}
}

const shown = (probe = false) => Effect.flatMap(list.run({ probe }, DOOR.actor), Schema.encode(list.output))

const dispatch = {
  concurrency: 4,
  drainSeconds: 30,
  adapterConcurrency: new Map([["local", 2]]),
  untrustedAdapters: Option.some(["codex"])
}

describe("the adapters", () => {
  it.effect("are told from the configuration, without their probes", () =>
    Effect.gen(function* () {
      expect(yield* shown()).toEqual({
        adapters: [
          {
            id: "local",
            mode: "script",
            driver: null,
            model: null,
            workspace: "shared",
            autonomy: null,
            fallback: null,
            default: true,
            untrusted: false,
            concurrency: 2,
            running: 0,
            cooldown: null
          },
          {
            id: "codex",
            mode: "agent-cli",
            driver: "codex",
            model: "a-model",
            workspace: "exclusive",
            autonomy: "restricted",
            fallback: "local",
            default: false,
            untrusted: true,
            concurrency: null,
            running: 0,
            cooldown: null
          }
        ]
      })
    }).pipe(
      Effect.provide(world({ adapters: { local: says("x") }, configured: [codex], settings: { dispatch } }))
    )
  )

  it.effect("tell how their newest attempt ended, where they ever ran", () =>
    Effect.gen(function* () {
      yield* queue()
      yield* ran
      const { adapters } = yield* shown()
      expect(
        adapters.map((one) => [one.id, one.last_attempt?.exit_status, one.last_attempt?.ended_at])
      ).toEqual([
        ["local", "ok", "1970-01-01T00:00:00.000Z"],
        ["codex", undefined, undefined]
      ])
    }).pipe(Effect.provide(world({ adapters: { local: says("x") }, configured: [codex] })))
  )

  const running = Effect.map(shown(), ({ adapters }) =>
    Object.fromEntries(adapters.map((one) => [one.id, one.running]))
  )

  it.effect("show how many attempts each runs, counted from the claim on", () =>
    Effect.gen(function* () {
      const store = yield* Store
      yield* queue({ requestedAdapter: "other" })
      yield* store.tasks.claim({
        lanes: (yield* store.tasks.lanes).map((lane) => lane.key),
        attemptId: AttemptId.make("an attempt of another process"),
        runnerId: RunnerId.make("host:1:2026-04-29T07:00:00.000Z"),
        host: "host",
        stamp: { at: yield* now, actor: DOOR.actor }
      })
      expect(yield* running).toEqual({ local: 0, other: 1 })
    }).pipe(Effect.provide(world({ adapters: { local: says("x"), other: says("x") } })))
  )

  it.effect("show a running attempt at the adapter that runs it, until it ends", () =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const slow = () =>
        Effect.as(Effect.zipRight(Deferred.succeed(began, undefined), Deferred.await(goOn)), {})
      const story = Effect.gen(function* () {
        yield* queue({}, UNTRUSTED)
        const cycle = yield* Effect.fork(runOnce)
        yield* Deferred.await(began)
        expect(yield* running).toEqual({ local: 0, other: 1 })
        yield* Deferred.succeed(goOn, undefined)
        yield* Fiber.join(cycle)
        expect(yield* running).toEqual({ local: 0, other: 0 })
      })
      const configured = [scriptSettings("local", { fallbackAdapter: Option.some("other") })]
      const only = { ...dispatch, untrustedAdapters: Option.some(["other"]) }
      yield* Effect.provide(
        story,
        world({ adapters: { local: slow, other: slow }, configured, settings: { dispatch: only } })
      )
    })
  )

  it.effect("show until when and why one cools down, while it does", () =>
    Effect.gen(function* () {
      yield* queue()
      yield* ran
      const [local, other] = (yield* shown()).adapters
      expect(local?.cooldown).toMatchObject({
        until: "1970-01-01T00:01:40.000Z",
        reason: expect.stringContaining("exit code 7: boom")
      })
      expect(other?.cooldown).toBeNull()
      yield* TestClock.adjust("100 seconds")
      expect((yield* shown()).adapters[0]?.cooldown).toBeNull()
    }).pipe(Effect.provide(world({ adapters: { local: limited, other: says("x") } })))
  )
})

describe("the probes of adapters", () => {
  const fine: ProbeResult = { ok: true, reason: "", remedy: "", warnings: [] }
  /** The adapters `local` and `other`, with these probes. */
  const probing = (probes: Readonly<Record<string, Effect.Effect<ProbeResult>>>) => {
    const ids = Object.keys(probes)
    const adapter = (id: string) => ({
      settings: scriptSettings(id),
      probe: probes[id] ?? Effect.succeed(fine),
      execute: () => Effect.dieMessage("a probe starts nothing")
    })
    return Layer.succeed(AdapterRegistry, { ids, get: (id) => Option.some(adapter(id)) }).pipe(
      Layer.provideMerge(world({ adapters: { local: says("x"), other: says("x") } }))
    )
  }

  it.effect("say of each whether it could run, why not, and what mends it", () =>
    Effect.gen(function* () {
      const { adapters } = yield* shown(true)
      expect(adapters[0]).toMatchObject({ id: "local", ok: true, reason: "", warnings: ["take care"] })
      expect(adapters[1]).toMatchObject({
        id: "other",
        ok: false,
        reason: "codex is not on PATH",
        remedy: "install it",
        problems: ["codex is not on PATH; install it", "no key; make it"]
      })
    }).pipe(
      Effect.provide(
        probing({
          local: Effect.succeed({ ...fine, warnings: ["take care"] }),
          other: Effect.succeed({
            ok: false,
            reason: "codex is not on PATH",
            remedy: "install it",
            others: [{ reason: "no key", remedy: "make it" }],
            warnings: []
          })
        })
      )
    )
  )

  it.effect("run at once, and one that does not end is not waited for", () =>
    Effect.gen(function* () {
      const asking = yield* Effect.fork(shown(true))
      yield* TestClock.adjust("8 seconds")
      const { adapters } = yield* Fiber.join(asking)
      expect(adapters.map((one) => [one.id, one.ok])).toEqual([
        ["local", false],
        ["other", false]
      ])
      expect(adapters[0]?.reason).toBe("its probe did not end within 8 s")
    }).pipe(Effect.provide(probing({ local: Effect.never, other: Effect.never })))
  )

  it.effect("are not ended by somebody who does not wait: their answer is for others too", () =>
    Effect.gen(function* () {
      const goOn = yield* Deferred.make<void>()
      const cached = yield* Effect.cachedWithTTL(Effect.as(Deferred.await(goOn), fine), "1 hour")
      const story = Effect.gen(function* () {
        const asking = yield* Effect.fork(shown(true))
        yield* TestClock.adjust("8 seconds")
        expect((yield* Fiber.join(asking)).adapters[0]?.ok).toBe(false)
        yield* Deferred.succeed(goOn, undefined)
        expect((yield* shown(true)).adapters[0]?.ok).toBe(true)
      })
      yield* Effect.provide(story, probing({ local: cached }))
    })
  )
})

describe("the end of a cool-down by an operator", () => {
  it.effect("lets the adapter's tasks start, the one that ran into the limit too", () =>
    Effect.gen(function* () {
      const first = yield* queue()
      const second = yield* queue()
      yield* ran
      expect((yield* runOnce)._tag).toBe("Idle")
      const cleared = { ok: true, adapter: "local", cleared: true }
      expect(yield* clear.run({ id: "local" }, DOOR.actor)).toEqual(cleared)
      expect([(yield* taskOf(first)).status, (yield* taskOf(first)).attemptCount]).toEqual([
        "retryable_failure",
        0
      ])
      expect((yield* ran).taskId).toBe(first)
      yield* clear.run({ id: "local" }, DOOR.actor)
      yield* clear.run({ id: "local" }, DOOR.actor)
      expect((yield* ran).taskId).toBe(first)
      expect((yield* taskOf(second)).status).toBe("pending")
    }).pipe(Effect.provide(world({ adapters: { local: limited } })))
  )

  it.effect("is told as such, and nothing happens where there is none", () =>
    Effect.gen(function* () {
      const none = { ok: true, adapter: "local", cleared: false }
      expect(yield* clear.run({ id: "local" }, DOOR.actor)).toEqual(none)
      expect(yield* history).toEqual([])
    }).pipe(Effect.provide(world({ adapters: { local: limited } })))
  )

  it.effect("names the adapter that was probably meant, when there is none of that name", () =>
    Effect.gen(function* () {
      const told = yield* Effect.flip(clear.run({ id: "lokal" }, DOOR.actor))
      expect(told).toMatchObject({
        code: "adapter_not_found",
        message: "there is no adapter lokal",
        hint: "did you mean `local`?",
        exitCode: 1
      })
      const far = yield* Effect.flip(clear.run({ id: "x".repeat(300) }, DOOR.actor))
      expect(far).toMatchObject({ hint: "known adapters: local" })
    }).pipe(Effect.provide(world({ adapters: { local: limited } })))
  )

  it.effect("works for an adapter that left the configuration while it cooled down", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const at = yield* now
      const cooldown = { adapterId: "gone", reason: Option.none(), until: DateTime.add(at, { hours: 1 }) }
      yield* store.gates.coolDown(cooldown, Option.none(), { at, actor: DOOR.actor })
      expect(yield* clear.run({ id: "gone" }, DOOR.actor)).toEqual({
        ok: true,
        adapter: "gone",
        cleared: true
      })
    }).pipe(Effect.provide(world({ adapters: { local: limited } })))
  )
})
