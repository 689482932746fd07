import { Deferred, Duration, Effect, Fiber, Layer, Option, Queue, Ref, Stream, TestClock } from "effect"
import type { Scripted } from "../../layers/adapter/ScriptedAdapters.ts"
import type { Execution, Job } from "../../src/adapter/AdapterRegistry.ts"
import { EvidenceFiles } from "../../src/artifact/EvidenceFiles.ts"
import type { Settings } from "../../src/config/RuntimeConfig.ts"
import { dispatch } from "../../src/dispatch/Dispatcher.ts"
import { Notify } from "../../src/dispatch/Notify.ts"
import type { TaskId } from "../../src/domain/Ids.ts"
import { now } from "../../src/domain/Time.ts"
import { Store } from "../../src/store/Store.ts"
import { StoreUnavailable } from "../../src/store/StoreError.ts"
import { evidenceOf } from "../support/evidence.ts"
import { settings } from "../support/settings.ts"
import { DOOR, history, says, world } from "./world.ts"

/** Adapters whose work ends when the test says so, or when they are told to stop. */
export interface Workers {
  readonly act: Scripted
  /** The next job that was begun. */
  readonly begun: Effect.Effect<Job>
  /** How many jobs were begun and not yet taken by `begun`. */
  readonly waiting: Effect.Effect<number>
  readonly end: (task: TaskId, execution?: Partial<Execution>) => Effect.Effect<void>
}

const done: Partial<Execution> = { lastMessage: "done" }

export const makeWorkers: Effect.Effect<Workers> = Effect.gen(function* () {
  const begun = yield* Queue.unbounded<Job>()
  const ends = yield* Ref.make<ReadonlyMap<TaskId, Deferred.Deferred<Partial<Execution>>>>(new Map())
  return {
    act: (job) =>
      Effect.gen(function* () {
        const end = yield* Deferred.make<Partial<Execution>>()
        yield* Ref.update(ends, (all) => new Map(all).set(job.taskId, end))
        yield* Queue.offer(begun, job)
        const stopped = Effect.map(Deferred.await(job.stop), (why) => ({
          exitStatus: "canceled" as const,
          reason: Option.some(`stopped: ${why}`)
        }))
        return yield* Effect.raceFirst(Deferred.await(end), stopped)
      }),
    begun: Queue.take(begun),
    waiting: Queue.size(begun),
    end: (task, execution = done) =>
      Effect.flatMap(Ref.get(ends), (all) => {
        const end = all.get(task)
        return end === undefined
          ? Effect.dieMessage(`task ${task} does not run`)
          : Deferred.succeed(end, execution)
      })
  }
})

/** Settings in which dispatch is limited like this. */
export const limits = (changes: Partial<Settings["dispatch"]>): { readonly settings: Partial<Settings> } => ({
  settings: { dispatch: { ...settings().dispatch, ...changes } }
})

/** A service manager that keeps what it was told, in order. */
export class Manager extends Effect.Service<Manager>()("test/Manager", {
  effect: Effect.map(Ref.make<ReadonlyArray<string>>([]), (told) => ({
    told: Ref.get(told),
    say: (word: string) => Ref.update(told, (all) => [...all, word])
  }))
}) {}

/** A disk without evidence; it counts how often it was looked through. */
export class Evidence extends Effect.Service<Evidence>()("test/Evidence", {
  effect: Effect.map(Ref.make(0), (looks) => ({ looks }))
}) {}

export const noEvidence = Layer.effect(
  EvidenceFiles,
  Effect.map(Evidence, ({ looks }) =>
    evidenceOf({
      removeUnfinished: () =>
        Effect.as(
          Ref.update(looks, (count) => count + 1),
          { entries: 0, bytes: 0 }
        )
    })
  )
).pipe(Layer.provideMerge(Evidence.Default))

/** What a dispatcher needs beside a world: Notify to a Manager, which expects a sign of life in each `watchdog`. */
export const notify = (watchdog: Option.Option<Duration.Duration> = Option.none()) =>
  Layer.effect(
    Notify,
    Effect.map(Manager, ({ say }) => ({
      ready: say("READY"),
      status: (line) => say(`STATUS ${line}`),
      alive: say("ALIVE"),
      stopping: say("STOPPING"),
      watchdog
    }))
  ).pipe(Layer.provideMerge(Manager.Default), Layer.merge(noEvidence))

/** Waits until something is so; it is looked at again after every commit. */
export const until = <E, R>(isSo: Effect.Effect<boolean, E, R>) =>
  Effect.gen(function* () {
    const store = yield* Store
    yield* store.changes.pipe(
      Stream.mapEffect(() => isSo),
      Stream.takeUntil((so) => so),
      Stream.runDrain
    )
  })

/** How often an event is in the history. */
export const times = (type: string) =>
  Effect.map(history, (types) => types.filter((one) => one === type).length)

/** Waits until an event is there so often. */
export const told = (type: string, count = 1) => until(Effect.map(times(type), (found) => found >= count))

/** Runs a body while a dispatcher runs, which is then told to end; time goes on until it has. */
export const whileDispatching = <A, E, R>(
  body: (dispatcher: Fiber.RuntimeFiber<never, unknown>) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const dispatcher = yield* Effect.fork(dispatch)
    return yield* Effect.ensuring(body(dispatcher), ended(dispatcher))
  })

const ended = (dispatcher: Fiber.RuntimeFiber<never, unknown>) =>
  Effect.flatMap(Effect.forkDaemon(Fiber.interrupt(dispatcher)), whileTimePasses)

/** Lets time go on, second by second, until a fiber has ended. */
export const whileTimePasses = <A, E>(fiber: Fiber.RuntimeFiber<A, E>) =>
  Effect.gen(function* () {
    while (Option.isNone(yield* Fiber.poll(fiber)))
      yield* Effect.zipRight(TestClock.adjust(Duration.seconds(1)), Effect.yieldNow())
    return yield* Fiber.join(fiber)
  })

/** A store that cannot be written. */
export const unwritable = new StoreUnavailable({
  path: "/x",
  reason: "the disk is full",
  remedy: "make room"
})

/** Runs a program on a store in which some of its contracts are others. */
export const withStore =
  (change: (store: Store["Type"]) => Partial<Store["Type"]>) =>
  <A, E, R>(program: Effect.Effect<A, E, R>) =>
    Effect.flatMap(Store, (store) => Effect.provideService(program, Store, { ...store, ...change(store) }))

/** Lets everything that can go on without time go on; only for what must NOT happen. */
export const quiet = Effect.repeatN(Effect.yieldNow(), 500)

/** A world whose adapter answers at once. */
export const hello = { adapters: { local: says("hello") } }

export const runtime = (given: Parameters<typeof world>[0] = hello) => Layer.merge(world(given), notify())

export const stamp = Effect.map(now, (at) => ({ at, actor: DOOR.actor }))

export const pause = (reason: string) =>
  Effect.gen(function* () {
    const store = yield* Store
    yield* store.gates.setPause(Option.some(reason), yield* stamp)
  })

export const resume = Effect.gen(function* () {
  const store = yield* Store
  yield* store.gates.clearPause(yield* stamp)
})
