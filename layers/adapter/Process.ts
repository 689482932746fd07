import { Context, Deferred, Effect, Exit, Layer, Option, Runtime } from "effect"
import type { StopReason } from "../../src/adapter/AdapterRegistry.ts"
import { steadyMillis } from "../../src/domain/Time.ts"
import { traced } from "../../src/domain/Traced.ts"
import { awaitingRoom } from "../artifact/Room.ts"
import { makeCollector } from "../Garbage.ts"
import { held } from "../Held.ts"
import type { CannotStart } from "./CannotStart.ts"
import { kernelPipes } from "./KernelPipe.ts"
import { type Ladder, usualLadder } from "./Ladder.ts"
import { makeLeashes } from "./Leash.ts"
import { makePipes, type Pipe } from "./Pipe.ts"
import { ProcessTrees, type Root } from "./ProcessTree.ts"
import { type Child, type Spawned, type Start, spawnChild } from "./Spawn.ts"
import { Subreaper } from "./Subreaper.ts"

/**
 * Takes a child's output as it comes. What stands between the pipe and the file (a redactor that works on
 * a stream) is a sink around a sink. `end` is called once, after the last chunk, whatever happened.
 */
export interface Sink {
  readonly write: (chunk: Uint8Array) => void
  readonly end: () => void
}

export interface Launch extends Start {
  readonly timeoutMs: number
  readonly noOutputTimeoutMs: Option.Option<number>
  readonly stdout: Sink
  readonly stderr: Sink
  readonly stop: Deferred.Deferred<StopReason>
  /** Run while the child runs, once it has done so for a moment; a child that ends sooner is not told of. */
  readonly started: (root: Root) => Effect.Effect<void>
  readonly ladder?: Ladder
}

/** How the direct child came to its end. */
export type Ending =
  | { readonly _tag: "Exited"; readonly code: number }
  | { readonly _tag: "Killed"; readonly signal: string }
  | { readonly _tag: "TimedOut"; readonly afterMs: number }
  | { readonly _tag: "Silent"; readonly forMs: number }
  | { readonly _tag: "Stopped"; readonly reason: StopReason }

export interface Ended {
  readonly ending: Ending
  /** Processes that outlived the ladder, as `pid (command)`. */
  readonly survivors: ReadonlyArray<string>
  /** Whether both outputs were read to their ends; not when a survivor holds a pipe open. */
  readonly drained: boolean
}

/** Runs child processes to their very end. */
export class Processes extends Context.Tag("agent-runtime/Processes")<
  Processes,
  {
    /**
     * Starts a child, hands its output to the sinks, and answers how it ended: only after every process of
     * its attempt is gone (or named as survivor), whether it ended by itself, by `timeoutMs`, by silence of
     * `noOutputTimeoutMs`, or by `stop`. Interruption ends the processes, too, before it goes on. A child
     * that exited is judged by that, whoever still holds its output open. Memory stays bounded: a child
     * that prints faster than the sinks write is held up by its pipe.
     */
    readonly run: (launch: Launch) => Effect.Effect<Ended, CannotStart>
  }
>() {}

const DRAIN_MS = 2000

const exitOf = (child: Child, code: number): Ending =>
  child.signalCode === null ? { _tag: "Exited", code } : { _tag: "Killed", signal: String(child.signalCode) }

/** Waits inside what cannot be interrupted, but no longer than `ms`; whether it came to its end without a fault. */
const within = (ms: number, wait: Promise<unknown>): Effect.Effect<boolean> =>
  Effect.promise(
    () =>
      new Promise<boolean>((resolve) => {
        const late = setTimeout(() => resolve(false), ms)
        const over = (well: boolean) => () => {
          clearTimeout(late)
          resolve(well)
        }
        wait.then(over(true), over(false))
      })
  )

interface Watch {
  /** Milliseconds by a clock that nobody sets. */
  readonly now: () => number
  lastOutput: number
}

/**
 * A child that ends sooner costs no streams, each read of which takes 256 KiB of new memory. Until then its pipe holds
 * what it prints, and holds it up where it prints more than that.
 */
const STREAMED_AFTER_MS = 20

/** Hands on what a pipe holds, until its end or until it is let go of. */
const pump = (pipe: Pipe, sink: Sink, take: (chunk: Uint8Array) => void) => {
  let ended = false
  const end = () => {
    if (!ended) sink.end()
    ended = true
  }
  let cancel = (): Promise<void> => Promise.resolve()
  const read = async (): Promise<void> => {
    try {
      const reader = pipe.stream().getReader()
      cancel = () => reader.cancel()
      for (let next = await reader.read(); !next.done && !ended; next = await reader.read()) take(next.value)
    } finally {
      end()
    }
  }
  let streamed: Promise<void> | undefined
  const stream = () => {
    streamed = read()
    // Whoever waits for it hears of a fault; until then it is nobody's.
    streamed.catch(() => undefined)
    return streamed
  }
  const later = setTimeout(stream, STREAMED_AFTER_MS)
  const atEnd = async (): Promise<void> => {
    clearTimeout(later)
    if (streamed === undefined && pipe.takeNow(take)) return end()
    return streamed ?? stream()
  }
  const letGo = () => {
    clearTimeout(later)
    end()
    // A pipe that failed meanwhile has nothing left to be let go of.
    cancel().catch(() => undefined)
  }
  return { atEnd, letGo }
}

/** A timer of the host takes no more; what is to wait longer waits for ever. */
const MOST_MS = 2 ** 31 - 1

/**
 * What ends sooner is not worth a note of it, which waits for the disk: until then it is found by its marks, which
 * it can shed on purpose only.
 */
const NOTED_AFTER_MS = 50

/** The first of what may end a child, but for `stop`. One callback each: an attempt that is quick pays for no fiber. */
const endingByItself = (
  { child, root }: Spawned,
  launch: Launch,
  watch: Watch,
  run: (note: Effect.Effect<void>) => void
): Effect.Effect<Ending> =>
  Effect.async((resume) => {
    const timers = new Set<NodeJS.Timeout>()
    const clear = () => {
      for (const timer of timers) clearTimeout(timer)
    }
    const end = (how: Ending) => {
      clear()
      resume(Effect.succeed(how))
    }
    const after = (ms: number, run: () => void) => {
      if (ms > MOST_MS) return
      const timer = setTimeout(() => {
        timers.delete(timer)
        run()
      }, ms)
      timers.add(timer)
    }
    child.exited.then((code) => end(exitOf(child, code)))
    after(NOTED_AFTER_MS, () => run(launch.started(root)))
    after(launch.timeoutMs, () => end({ _tag: "TimedOut", afterMs: launch.timeoutMs }))
    if (Option.isSome(launch.noOutputTimeoutMs)) {
      const forMs = launch.noOutputTimeoutMs.value
      const listen = () => {
        const left = watch.lastOutput + forMs - watch.now()
        if (left > 0) after(Math.ceil(left), listen)
        else end({ _tag: "Silent", forMs })
      }
      listen()
    }
    return Effect.sync(clear)
  })

const ending = (spawned: Spawned, launch: Launch, watch: Watch): Effect.Effect<Ending> =>
  Effect.raceFirst(
    Effect.flatMap(Effect.runtime(), (runtime) =>
      endingByItself(spawned, launch, watch, Runtime.runFork(runtime))
    ),
    Effect.map(Deferred.await(launch.stop), (reason): Ending => ({ _tag: "Stopped", reason }))
  )

// An interrupt asks the program to wind up. Where it has ended by itself only what it left is to be ended.
const ladderFor = (launch: Launch, met: Exit.Exit<Ending>): Ladder => {
  const ladder = launch.ladder ?? usualLadder
  const isOver = Exit.isSuccess(met) && (met.value._tag === "Exited" || met.value._tag === "Killed")
  return isOver ? ladder.filter(({ signal }) => signal !== "SIGINT") : ladder
}

const make = Effect.gen(function* () {
  const trees = yield* ProcessTrees
  const subreaper = yield* Subreaper
  const kernel = yield* Effect.sync(kernelPipes)
  const launcher = {
    subreaper,
    inMemory: kernel.inMemory,
    pipes: makePipes(kernel),
    leashes: makeLeashes(kernel)
  }
  const collect = makeCollector()

  const readBoth = ({ stderr, stdout }: Spawned, launch: Launch, watch: Watch) => {
    const reading = (pipe: Pipe, sink: Sink) =>
      pump(pipe, sink, (chunk) => {
        watch.lastOutput = watch.now()
        sink.write(chunk)
      })
    const both = [reading(stdout, launch.stdout), reading(stderr, launch.stderr)]
    return {
      atEnd: () => Promise.all(both.map(({ atEnd }) => atEnd())),
      letGo: () => {
        for (const { letGo } of both) letGo()
      }
    }
  }

  const finish = (
    child: Child,
    stop: Effect.Effect<ReadonlyArray<string>>,
    reading: ReturnType<typeof readBoth>
  ) =>
    Effect.gen(function* () {
      const survivors = yield* stop
      // Bun collects the child a turn later: until then it would still be listed, as a zombie.
      if (survivors.length === 0) yield* within(DRAIN_MS, child.exited)
      const drained = yield* within(DRAIN_MS, reading.atEnd())
      reading.letGo()
      return { survivors, drained }
    })

  const run = traced("Process.run")(
    (launch: Launch): Effect.Effect<Ended, CannotStart> =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const spawning = awaitingRoom(spawnChild(launch, launcher), ({ passing }) => passing)
          const spawned = yield* held(spawning, ({ letGo }) => Effect.sync(letGo))
          const { child, root } = spawned
          const tree = yield* trees.watch(launch.attemptId, root)
          const clock = yield* Effect.clock
          const now = () => steadyMillis(clock)
          const watch: Watch = { now, lastOutput: now() }
          const reading = readBoth(spawned, launch, watch)
          collect()
          const met = yield* Effect.exit(restore(ending(spawned, launch, watch)))
          const { survivors, drained } = yield* finish(child, tree.stop(ladderFor(launch, met)), reading)
          if (Exit.isFailure(met)) return yield* Effect.failCause(met.cause)
          return { ending: met.value, survivors, drained }
        }).pipe(Effect.scoped)
      )
  )
  return { run }
})

export const layer: Layer.Layer<Processes, never, ProcessTrees | Subreaper> = Layer.effect(Processes, make)
