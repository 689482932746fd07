import { describe, expect } from "bun:test"
import { Effect, Option, Schema } from "effect"
import { scriptSettings } from "../../layers/adapter/ScriptedAdapters.ts"
import { MemoryFiles } from "../../layers/artifact/MemoryArtifacts.ts"
import type { AdapterSettings } from "../../src/config/AdapterSettings.ts"
import type { Settings } from "../../src/config/RuntimeConfig.ts"
import { AttemptId } from "../../src/domain/Ids.ts"
import { Refusal } from "../../src/operate/Refusal.ts"
import { replay } from "../../src/operate/Replay.ts"
import { show } from "../../src/operate/Tasks.ts"
import { Store } from "../../src/store/Store.ts"
import { agentCli, ollama } from "../context/world.ts"
import {
  answer,
  attemptsOf,
  DOOR,
  detailsOf,
  history,
  queue,
  ran,
  taskOf,
  UNTRUSTED,
  world,
  yields
} from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import { settings } from "../support/settings.ts"

const done = yields(answer())

/** Three adapters of which two have a model. */
const rich = (changes: Partial<Settings> = {}) =>
  world({
    adapters: { local: done, agent: done, model: done },
    settings: {
      adapters: new Map<string, AdapterSettings>([
        ["local", scriptSettings("local")],
        ["agent", agentCli({ id: "agent", model: Option.some("its-own") })],
        ["model", ollama({ id: "model", model: "small" })]
      ]),
      ...changes
    }
  })

const replayed = (attemptId: string, adapter?: string) =>
  replay.run({ attemptId, adapter: Option.fromNullable(adapter) }, DOOR.actor)

const refusalOf = <A, E, R>(asked: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Effect.flip(asked), (error) =>
    error instanceof Refusal ? Effect.succeed(error) : Effect.dieMessage(`no refusal: ${error}`)
  )

describe("to replay an attempt", () => {
  it.effect("queues its recorded work as a new task on what it ran with, and tells so on the first", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const id = yield* queue({
        kind: "note",
        subject: "Look",
        description: "closely",
        payload: { z: 1, a: 2 },
        priority: 9,
        maxAttempts: 1,
        requestedAdapter: "model",
        requestedModel: "asked-for",
        dedupeKey: "once"
      })
      const { attemptId } = yield* ran
      const answered = yield* replayed(attemptId)
      expect(yield* Schema.encode(replay.output)(answered)).toEqual({
        ok: true,
        task_id: answered.taskId,
        status: "pending"
      })
      const { round, task } = Option.getOrThrow(yield* store.tasks.find(answered.taskId))
      expect(task).toMatchObject({
        kind: "note",
        source: `replay:${attemptId}`,
        subject: Option.some("Look"),
        description: Option.some("closely"),
        priority: 9,
        maxAttempts: 1,
        requestedProfile: Option.some("lumen"),
        requestedAdapter: Option.some("model"),
        requestedModel: Option.some("asked-for"),
        dedupeKey: Option.none(),
        parentTaskId: Option.none(),
        untrusted: false
      })
      expect(JSON.stringify(task.payload)).toBe('{"z":1,"a":2}')
      expect(round.replayOf).toEqual(Option.some(attemptId))
      const [attempt] = yield* attemptsOf(id)
      expect(yield* detailsOf(id, "task_replayed")).toEqual([
        {
          replay_task_id: answered.taskId,
          replayed_bundle_id: Option.getOrThrow(attempt!.bundleId),
          replayed_bundle_hash: Option.getOrThrow(attempt!.bundleHash),
          adapter_id: "model",
          changed: []
        }
      ])
    }).pipe(Effect.provide(rich()))
  )

  it.effect("on another adapter leaves the model to that one and says what will differ", () =>
    Effect.gen(function* () {
      const id = yield* queue({ requestedAdapter: "model", requestedModel: "asked-for" })
      const { attemptId } = yield* ran
      const { taskId } = yield* replayed(attemptId, "agent")
      expect(yield* taskOf(taskId)).toMatchObject({
        requestedAdapter: Option.some("agent"),
        requestedModel: Option.none()
      })
      yield* ran
      expect((yield* attemptsOf(taskId))[0]).toMatchObject({
        adapterId: Option.some("agent"),
        model: Option.some("its-own")
      })
      expect((yield* detailsOf(id, "task_replayed"))[0]?.changed).toContain("adapter.model")
    }).pipe(Effect.provide(rich()))
  )

  it.effect("may name its task, and then means the last attempt", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      const { attemptId } = yield* ran
      const { taskId } = yield* replayed(id)
      expect((yield* taskOf(taskId)).source).toBe(`replay:${attemptId}`)
    }).pipe(Effect.provide(rich()))
  )

  it.effect("of untrusted input makes an untrusted task", () =>
    Effect.gen(function* () {
      yield* queue({}, UNTRUSTED)
      const { taskId } = yield* replayed((yield* ran).attemptId)
      expect((yield* taskOf(taskId)).untrusted).toBe(true)
    }).pipe(Effect.provide(rich()))
  )

  it.effect("is refused, nothing queued, where it cannot be the same work", () =>
    Effect.gen(function* () {
      const { put, remove } = yield* MemoryFiles
      const store = yield* Store
      const failed = yield* queue({ requestedProfile: "nobody" })
      const { attemptId: none } = yield* ran
      expect((yield* taskOf(failed)).status).toBe("blocked")
      const id = yield* queue()
      const { attemptId } = yield* ran
      const bundleId = Option.getOrThrow((yield* attemptsOf(id))[0]!.bundleId)
      const { relativePath } = Option.getOrThrow(yield* store.attempts.bundle(bundleId))
      const before = yield* history
      const unknown = yield* refusalOf(replayed(attemptId, "ghost"))
      expect(unknown).toMatchObject({ code: "adapter_unknown", exitCode: 2 })
      expect(unknown.hint).toContain("local, agent, model")
      expect(yield* refusalOf(replayed(AttemptId.make("nobody")))).toMatchObject({
        code: "bundle_not_found",
        exitCode: 1
      })
      expect(yield* refusalOf(replayed(none))).toMatchObject({ code: "no_bundle", exitCode: 1 })
      yield* put(relativePath, "{}\n")
      const changed = yield* refusalOf(replayed(attemptId))
      expect(changed).toMatchObject({ code: "bundle_changed", exitCode: 1 })
      expect(changed.message).toContain(relativePath)
      yield* remove(relativePath)
      expect(yield* refusalOf(replayed(attemptId))).toMatchObject({ code: "bundle_missing", exitCode: 1 })
      expect(yield* history).toEqual(before)
    }).pipe(Effect.provide(rich()))
  )

  it.effect("is refused where its adapter is gone, until another one is named", () =>
    Effect.gen(function* () {
      const adapters = new Map([...settings().adapters, ["old", scriptSettings("old")]] as const)
      yield* Effect.gen(function* () {
        yield* queue({ requestedAdapter: "old" })
        const { attemptId } = yield* ran
        adapters.delete("old")
        const gone = yield* refusalOf(replayed(attemptId))
        expect(gone).toMatchObject({ code: "adapter_unknown", exitCode: 1 })
        expect(gone.hint).toContain("local")
        yield* replayed(attemptId, "local")
      }).pipe(Effect.provide(world({ adapters: { local: done, old: done }, settings: { adapters } })))
    })
  )

  it.effect("is refused where untrusted input would reach an adapter that may not run it", () =>
    Effect.gen(function* () {
      yield* queue({}, UNTRUSTED)
      const { attemptId } = yield* ran
      expect(yield* refusalOf(replayed(attemptId, "agent"))).toMatchObject({
        code: "untrusted_not_admitted",
        exitCode: 1
      })
    }).pipe(
      Effect.provide(
        rich({ dispatch: { ...settings().dispatch, untrustedAdapters: Option.some(["local"]) } })
      )
    )
  )
})

describe("a replay and its original", () => {
  it.effect("are told side by side: each story has the other's runs", () =>
    Effect.gen(function* () {
      const id = yield* queue({ requestedAdapter: "model" })
      const { attemptId } = yield* ran
      const same = yield* replayed(attemptId)
      yield* ran
      const other = yield* replayed(attemptId, "agent")
      const original = yield* Effect.flatMap(show.run({ id }, DOOR.actor), Schema.encode(show.output))
      expect(original.replay_of).toBeNull()
      expect(original.replays).toMatchObject([
        {
          task_id: same.taskId,
          of_attempt_id: attemptId,
          adapter_id: "model",
          model: "small",
          status: "completed",
          exit_status: "ok",
          bundle_hash: original.attempts[0]!.bundle_hash,
          duration_ms: 0,
          operator_summary: "done"
        },
        {
          task_id: other.taskId,
          attempt_id: null,
          of_attempt_id: attemptId,
          adapter_id: "agent",
          status: "pending",
          usage: null,
          operator_summary: null
        }
      ])
      const story = yield* Effect.flatMap(
        show.run({ id: same.taskId }, DOOR.actor),
        Schema.encode(show.output)
      )
      expect(story.replays).toEqual([])
      expect(story.replay_of).toMatchObject({
        task_id: id,
        attempt_id: attemptId,
        of_attempt_id: null,
        adapter_id: "model",
        status: "completed",
        operator_summary: "done"
      })
    }).pipe(Effect.provide(rich()))
  )
})
