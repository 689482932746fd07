import { describe, expect } from "bun:test"
import { DateTime, Deferred, Effect, Fiber, Option, Queue, Schema, Stream } from "effect"
import type { Scripted } from "../../layers/adapter/ScriptedAdapters.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { StepMark } from "../../src/domain/Step.ts"
import { followedSteps, steps, stepsOf } from "../../src/operate/AttemptSteps.ts"
import { attemptsOf, DOOR, queue, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

type Mark = Omit<StepMark, "at">

const START = Date.UTC(2026, 3, 29, 7, 0, 0)

/** The time of the mark with that number. */
const at = (number: number) => DateTime.unsafeMake(START + 1_000 * number)
const wireAt = (number: number) => DateTime.formatIso(at(number))

/** A mark as an adapter writes it. */
const lineOf = (mark: Mark, number: number) =>
  `${JSON.stringify(Schema.encodeSync(StepMark)({ ...mark, at: at(number) }))}\n`

/** An adapter that writes these lines as its agent's steps; a mark's time is its place. */
const writes =
  (...lines: ReadonlyArray<Mark | string>): Scripted =>
  (job) =>
    Effect.gen(function* () {
      yield* job.audit.log("stdout.log")
      const log = yield* job.audit.log("steps.jsonl")
      for (const [number, line] of lines.entries())
        log.write(Buffer.from(typeof line === "string" ? line : lineOf(line, number)))
      return { lastMessage: "done" }
    }).pipe(Effect.scoped, Effect.orDie)

const ran = Effect.gen(function* () {
  const id = yield* queue()
  yield* runOnce
  return (yield* attemptsOf(id))[0]!
})

const listed = Effect.gen(function* () {
  const attempt = yield* ran
  const found = yield* steps.run({ id: attempt.attemptId }, DOOR.actor)
  const { remarks } = yield* stepsOf(attempt)
  return { ...Schema.encodeSync(steps.output)(found), remarks }
})

describe("the steps of an attempt", () => {
  it.effect("are made of marks, in the order in which they began, ended or not", () =>
    Effect.gen(function* () {
      expect(yield* listed).toEqual({
        steps: [
          { at: wireAt(0), tool: "shell", target: "npm test", ok: false },
          { at: wireAt(1), tool: "edit", target: "src/a.ts", ok: true },
          { at: wireAt(3), tool: "search", target: "docs", ok: true },
          { at: wireAt(5), tool: "shell", target: "sleep 60", ok: null }
        ],
        remarks: []
      })
    }).pipe(
      Effect.provide(
        world({
          adapters: {
            local: writes(
              { id: "1", tool: "shell", target: "npm test" },
              { id: "2", tool: "edit", target: "src/a.ts" },
              { id: "2", ok: true },
              { id: "3", tool: "search", target: "docs", ok: true },
              { id: "1", ok: false },
              { id: "1", tool: "shell", target: "sleep 60" }
            )
          }
        })
      )
    )
  )

  it.effect("pass over what is no mark, and say how much that was", () =>
    Effect.gen(function* () {
      const { remarks, steps } = yield* listed
      expect(steps).toEqual([
        { at: wireAt(1), tool: "shell", target: "", ok: true },
        { at: wireAt(6), tool: "edit", target: "b", ok: null }
      ])
      expect(remarks).toEqual(["lines of steps.jsonl that are no marks of steps and were passed over: 5"])
    }).pipe(
      Effect.provide(
        world({
          adapters: {
            local: writes(
              "not json\n{}\n\n",
              { id: "1", tool: "shell", ok: true },
              { id: "1", ok: false },
              { id: "never begun", ok: true },
              `{"id":"2","at":"2026-04-29T07:00:02.000Z","tool":"x","target":"`,
              `${"x".repeat(300_000)}"}\n`,
              { id: "3", tool: "edit", target: "b" }
            )
          }
        })
      )
    )
  )

  it.effect("are none where the adapter tells none, and that is said", () =>
    Effect.gen(function* () {
      const { remarks, steps } = yield* listed
      expect(steps).toEqual([])
      expect(remarks).toEqual([expect.stringContaining("the adapter local tells no steps")])
    }).pipe(
      Effect.provide(
        world({
          adapters: {
            local: (job) =>
              Effect.as(Effect.orDie(Effect.scoped(job.audit.log("stdout.log"))), { lastMessage: "done" })
          }
        })
      )
    )
  )

  const target = "x".repeat(50_000)
  const many = Array.from({ length: 300 }, (_, number) => ({
    id: String(number),
    tool: String(number),
    target,
    ...(number % 2 === 0 ? { ok: true } : {})
  }))
  it.effect("beyond eight million letters are the newest ones, and how many are left out is said", () =>
    Effect.gen(function* () {
      const { remarks, steps } = yield* listed
      const kept = steps.map((step) => Number(step.tool))
      expect(kept).toEqual(kept.map((_, index) => 300 - kept.length + index))
      expect(kept.length).toBe(Math.floor((8 * 1024 * 1024) / 50_106))
      expect(remarks).toEqual([
        `older steps that were left out: ${300 - kept.length}; --follow tells all of them`
      ])
      const attempt = yield* ran
      const all = yield* Stream.runCollect(followedSteps(attempt).steps)
      expect(all).toHaveLength(300)
    }).pipe(Effect.provide(world({ adapters: { local: writes(...many) } })))
  )
})

describe("steps that are followed", () => {
  it.effect("are told when they end, those without an end when the attempt has ended", () =>
    Effect.gen(function* () {
      const lines = yield* Queue.unbounded<Option.Option<string>>()
      const begun = yield* Deferred.make<void>()
      const agent: Scripted = (job) =>
        Effect.gen(function* () {
          const log = yield* job.audit.log("steps.jsonl")
          yield* Deferred.succeed(begun, undefined)
          for (let line = yield* Queue.take(lines); Option.isSome(line); line = yield* Queue.take(lines))
            log.write(Buffer.from(line.value))
          return { lastMessage: "done" }
        }).pipe(Effect.scoped, Effect.orDie)
      const tell = (mark: Mark, number: number) => Queue.offer(lines, Option.some(lineOf(mark, number)))
      yield* Effect.gen(function* () {
        const id = yield* queue()
        const running = yield* Effect.fork(runOnce)
        yield* Deferred.await(begun)
        const { remarks, steps } = followedSteps((yield* attemptsOf(id))[0]!)
        const heard = yield* Queue.unbounded<unknown>()
        const following = yield* Effect.fork(Stream.runForEach(steps, (step) => Queue.offer(heard, step)))
        yield* tell({ id: "1", tool: "shell", target: "a" }, 0)
        yield* tell({ id: "2", tool: "edit", target: "b" }, 1)
        yield* tell({ id: "2", ok: true }, 2)
        expect(yield* Queue.take(heard)).toEqual({ at: wireAt(1), tool: "edit", target: "b", ok: true })
        yield* tell({ id: "3", tool: "search", target: "c", ok: false }, 3)
        expect(yield* Queue.take(heard)).toEqual({ at: wireAt(3), tool: "search", target: "c", ok: false })
        yield* Queue.offer(lines, Option.some("nonsense"))
        yield* Queue.offer(lines, Option.none())
        yield* Fiber.join(following)
        expect([...(yield* Queue.takeAll(heard))]).toEqual([
          { at: wireAt(0), tool: "shell", target: "a", ok: null }
        ])
        expect(yield* remarks).toEqual([expect.stringContaining("passed over: 1")])
        yield* Fiber.join(running)
      }).pipe(Effect.provide(world({ adapters: { local: agent } })))
    })
  )
})
