import { expect } from "bun:test"
import { Effect, Layer, Option, Ref } from "effect"
import { ArtifactFailed, ArtifactStore } from "../../src/artifact/ArtifactStore.ts"
import { Audit, AuditFailed } from "../../src/artifact/AuditFolder.ts"
import { now } from "../../src/domain/Time.ts"
import { Store } from "../../src/store/Store.ts"
import { it } from "../support/effect.ts"
import { limits, makeWorkers, notify, quiet, told, whileDispatching } from "./resident.ts"
import { answer, attemptsOf, failing, queue, ran, taskOf, world, yields } from "./world.ts"

const lacking = { ...failing, lacksRoom: true, reason: Option.some("cannot start: no pipe (EMFILE)") }

const putOff = (id: Parameters<typeof taskOf>[0]) =>
  Effect.gen(function* () {
    const task = yield* taskOf(id)
    expect(task).toMatchObject({ status: "retryable_failure", attemptCount: 0 })
    return Option.getOrThrow(task.lastError)
  })

it.effect(
  "a child for which the host has no room puts its task off uncounted, and cools no adapter down",
  () =>
    Effect.gen(function* () {
      const id = yield* queue({ maxAttempts: 1 })
      expect((yield* ran).verdict).toMatchObject({ _tag: "Snooze", reason: "no_room", seconds: 1 })
      expect(yield* putOff(id)).toBe("no_room: cannot start: no pipe (EMFILE)")
      const store = yield* Store
      expect(yield* store.gates.cooldowns(yield* now)).toEqual([])
    }).pipe(Effect.provide(world({ adapters: { local: yields(lacking) } })))
)

it.effect("so does a bundle, and the words name the limit and not the rights of a folder", () =>
  Effect.gen(function* () {
    const id = yield* queue()
    const artifacts = yield* ArtifactStore
    const full = { ...artifacts, begin: (path: string) => new ArtifactFailed({ path, reason: "EMFILE" }) }
    yield* Effect.provideService(ran, ArtifactStore, full)
    const error = yield* putOff(id)
    expect(error).toMatch(/^no_room: bundles\/.* \(EMFILE\): .*LimitNOFILE/)
    expect(error).not.toContain("rights")
  }).pipe(Effect.provide(world({ adapters: { local: () => Effect.dieMessage("the adapter was started") } })))
)

it.effect("so does a file of the audit folder", () =>
  Effect.gen(function* () {
    const id = yield* queue()
    const audit = yield* Audit
    const full = { ...audit, open: () => new AuditFailed({ path: "/x", reason: "ENFILE" }) }
    yield* Effect.provideService(ran, Audit, full)
    expect(yield* putOff(id)).toMatch(
      /^no_room: \/x below the artifact root cannot be written \(ENFILE\): .*LimitNOFILE/
    )
  }).pipe(Effect.provide(world({ adapters: { local: () => Effect.dieMessage("the adapter was started") } })))
)

it.effect("what ran and could not be looked at is made again after the back-off, and not blocked", () =>
  Effect.gen(function* () {
    const hasRun = yield* Ref.make(false)
    const runs = () => Effect.as(Ref.set(hasRun, true), answer())
    yield* Effect.gen(function* () {
      const id = yield* queue({ payload: { required_artifacts: ["a.md"] } })
      const artifacts = yield* ArtifactStore
      const observe: typeof artifacts.observe = (path) =>
        Effect.flatMap(Ref.get(hasRun), (has) =>
          has ? new ArtifactFailed({ path, reason: "EMFILE" }) : artifacts.observe(path)
        )
      const full: typeof artifacts = {
        ...artifacts,
        observe,
        survey: () => ({ ...artifacts.survey(), observe })
      }
      yield* Effect.provideService(ran, ArtifactStore, full)
      const task = yield* taskOf(id)
      expect(task).toMatchObject({ status: "retryable_failure", attemptCount: 1 })
      expect(Option.getOrThrow(task.lastError)).toMatch(/^exit_error: a\.md .* \(EMFILE\): .*LimitNOFILE/)
    }).pipe(Effect.provide(world({ adapters: { local: runs } })))
  })
)

it.effect(
  "a dispatcher runs no more at once than the host had room for, and more again as attempts end",
  () =>
    Effect.gen(function* () {
      const workers = yield* makeWorkers
      const program = whileDispatching(() =>
        Effect.gen(function* () {
          const first = yield* queue()
          const second = yield* queue()
          const third = yield* queue()
          for (const _ of [first, second, third]) yield* workers.begun
          yield* workers.end(third, lacking)
          yield* told("task_attempt_finished")
          const [fourth, fifth] = [yield* queue(), yield* queue()]
          yield* quiet
          expect(yield* workers.waiting).toBe(0)
          yield* workers.end(first)
          const jobs = [yield* workers.begun, yield* workers.begun]
          expect(jobs.map(({ taskId }) => taskId)).toEqual([fourth, fifth])
          expect(yield* attemptsOf(third)).toHaveLength(1)
          for (const id of [second, fourth, fifth]) yield* workers.end(id)
        })
      )
      yield* Effect.provide(
        program,
        Layer.merge(world({ ...limits({ concurrency: 3 }), adapters: { local: workers.act } }), notify())
      )
    })
)
