import { describe, expect } from "bun:test"
import { Deferred, Effect, Fiber, Layer } from "effect"
import type { Scripted } from "../../layers/adapter/ScriptedAdapters.ts"
import type { AuditLog } from "../../src/artifact/AuditFolder.ts"
import { Audit } from "../../src/artifact/AuditFolder.ts"
import { KnownSecrets } from "../../src/artifact/KnownSecrets.ts"
import { attemptLog } from "../../src/cli/AttemptLog.ts"
import { bind } from "../../src/cli/Command.ts"
import { main } from "../../src/cli/Main.ts"
import { Terminal } from "../../src/cli/Terminal.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { Store } from "../../src/store/Store.ts"
import { attemptsOf, queue, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import { fakeTerminal, type Scene } from "../support/fakeTerminal.ts"

/** An adapter that writes these logs whole. */
const leaves =
  (logs: { readonly [file in AuditLog]?: string | Uint8Array }): Scripted =>
  (job) =>
    Effect.gen(function* () {
      for (const file of ["stdout.log", "stderr.log", "steps.jsonl"] as const) {
        const text = logs[file]
        if (text !== undefined) (yield* job.audit.log(file)).write(Buffer.from(text))
      }
      return { lastMessage: "done" }
    }).pipe(Effect.scoped, Effect.orDie)

/** Runs the command on an attempt. */
const ask = (id: string, options: ReadonlyArray<string>, scene: Scene = {}) =>
  Effect.gen(function* () {
    const layer = Layer.mergeAll(
      Layer.succeed(Store, yield* Store),
      Layer.succeed(Audit, yield* Audit),
      Layer.succeed(KnownSecrets, yield* KnownSecrets)
    )
    const terminal = fakeTerminal({ ...scene, argv: ["attempt-log", id, ...options] })
    const code = yield* main({
      name: "agent-runtime",
      version: "1.2.3",
      summary: "for a test",
      commands: [bind(attemptLog, () => layer)]
    }).pipe(Effect.provideService(Terminal, terminal.service))
    return { code, out: terminal.out(), bytes: terminal.bytes(), err: terminal.err() }
  })

/** Runs a task, then the command on its attempt. */
const run = (options: ReadonlyArray<string>, scene: Scene = {}, id?: string) =>
  Effect.gen(function* () {
    const task = yield* queue()
    yield* runOnce
    const attempt = (yield* attemptsOf(task))[0]!
    return { attempt, ...(yield* ask(id ?? attempt.attemptId, options, scene)) }
  })

const every = Uint8Array.from({ length: 256 }, (_, byte) => byte)
const hostile = "\u001b[2Jcleared\r\n\tkept\u0007 \u202eabc ✓\n"

describe("an attempt's output", () => {
  it.effect("goes into a pipe byte by byte", () =>
    Effect.gen(function* () {
      for (const options of [[], ["--follow"]]) {
        const told = yield* run(options)
        expect(told).toMatchObject({ code: 0, err: "" })
        expect(told.bytes.equals(every)).toBe(true)
      }
      expect(yield* run(["--stderr"])).toMatchObject({ code: 0, out: hostile, err: "" })
    }).pipe(
      Effect.provide(world({ adapters: { local: leaves({ "stdout.log": every, "stderr.log": hostile }) } }))
    )
  )

  it.effect("reaches a terminal without anything that it would obey", () =>
    Effect.gen(function* () {
      const readable = "\\e[2Jcleared\\r\n\tkept\\x07 \\u{202e}abc ✓\n"
      expect((yield* run([], { columns: 20 })).out).toBe(readable)
      expect((yield* run(["--follow"], { columns: 20 })).out).toBe(readable)
      expect((yield* run(["-o", "table"])).out).toBe(readable)
    }).pipe(Effect.provide(world({ adapters: { local: leaves({ "stdout.log": hostile }) } })))
  )

  it.effect("is one object where JSON is asked for, with --follow an object for each part", () =>
    Effect.gen(function* () {
      const { attempt, out } = yield* run(["-o", "json"])
      expect(JSON.parse(out)).toEqual({
        attempt_id: attempt.attemptId,
        stream: "stdout",
        offset: 0,
        size: Buffer.byteLength(hostile),
        truncated: false,
        text: hostile
      })
      const followed = yield* run(["--follow", "--output=json"])
      expect(followed.out.split("\n")).toHaveLength(2)
      expect(JSON.parse(followed.out)).toEqual({
        attempt_id: followed.attempt.attemptId,
        stream: "stdout",
        offset: 0,
        text: hostile
      })
    }).pipe(Effect.provide(world({ adapters: { local: leaves({ "stdout.log": hostile }) } })))
  )

  it.effect("that is not there is refused with why, whatever the form and with --follow too", () =>
    Effect.gen(function* () {
      for (const options of [[], ["--follow"], ["--stderr"], ["-o", "table"]]) {
        const told = yield* run(options)
        expect(told).toMatchObject({ code: 1, out: "" })
        expect(told.err).toMatch(/^agent-runtime: attempt \S+ has no std(out|err)\.log: .+\n$/)
      }
      for (const options of [
        ["-o", "json"],
        ["-o", "json", "--follow"]
      ]) {
        const told = yield* run(options)
        expect(told).toMatchObject({ code: 1, out: "" })
        expect(JSON.parse(told.err)).toMatchObject({ code: "log_not_found" })
      }
    }).pipe(Effect.provide(world({ adapters: { local: leaves({}) } })))
  )

  it.effect("of an attempt that has not begun it is nothing yet, and why is said", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<string>()
      const end = yield* Deferred.make<void>()
      const waits: Scripted = (job) =>
        Effect.as(Effect.zipRight(Deferred.succeed(begun, job.attemptId), Deferred.await(end)), {
          lastMessage: "done"
        })
      yield* Effect.gen(function* () {
        yield* queue()
        const running = yield* Effect.fork(runOnce)
        const id = yield* Deferred.await(begun)
        for (const options of [[], ["--stderr"]]) {
          const told = yield* ask(id, options)
          expect(told).toMatchObject({ code: 0, out: "" })
          expect(told.err).toContain("its adapter has not begun yet; --follow waits for it")
        }
        const steps = yield* ask(id, ["--steps"])
        expect({ code: steps.code, answer: JSON.parse(steps.out) }).toEqual({
          code: 0,
          answer: { steps: [] }
        })
        const followed = yield* Effect.fork(ask(id, ["--follow"]))
        yield* Effect.yieldNow()
        yield* Deferred.succeed(end, undefined)
        yield* Fiber.join(running)
        expect(yield* Fiber.join(followed)).toMatchObject({ code: 1, out: "" })
      }).pipe(Effect.provide(world({ adapters: { local: waits } })))
    })
  )

  it.effect("whose reader is gone ends it quietly", () =>
    Effect.gen(function* () {
      for (const options of [[], ["--follow"], ["--steps"], ["--steps", "--follow"]])
        expect(yield* run(options, { written: { _tag: "Closed" } })).toMatchObject({ code: 0, err: "" })
    }).pipe(
      Effect.provide(
        world({
          adapters: {
            local: leaves({
              "stdout.log": "text",
              "steps.jsonl": '{"id":"1","at":"2026-04-29T07:00:00.000Z","tool":"shell"}\n'
            })
          }
        })
      )
    )
  )
})

describe("an attempt's steps", () => {
  const marks = [
    { id: "1", at: "2026-04-29T07:00:00.000Z", tool: "shell", target: "ls \u001b[31m" },
    { id: "2", at: "2026-04-29T07:00:01.000Z", tool: "edit", target: "a.md", ok: true },
    { id: "1", at: "2026-04-29T07:00:02.000Z", ok: false }
  ]
  const steps = [
    { at: "2026-04-29T07:00:00.000Z", tool: "shell", target: "ls \u001b[31m", ok: false },
    { at: "2026-04-29T07:00:01.000Z", tool: "edit", target: "a.md", ok: true }
  ]
  const told = leaves({
    "stdout.log": "",
    "steps.jsonl": marks.map((mark) => `${JSON.stringify(mark)}\n`).join("")
  })

  it.effect("are one document, with --follow an object a line as they ended", () =>
    Effect.gen(function* () {
      const listed = yield* run(["--steps"])
      expect(listed).toMatchObject({ code: 0, err: "" })
      expect(JSON.parse(listed.out)).toEqual({ steps })
      const followed = yield* run(["--steps", "--follow"])
      expect(
        followed.out
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line))
      ).toEqual([...steps].reverse())
    }).pipe(Effect.provide(world({ adapters: { local: told } })))
  )

  it.effect("are a table on a terminal, harmless to it", () =>
    Effect.gen(function* () {
      const { out } = yield* run(["--steps"], { columns: 100, env: { NO_COLOR: "1" } })
      expect(out).toBe(
        [
          "at                        is      tool   target",
          "2026-04-29T07:00:00.000Z  failed  shell  ls \\e[31m",
          "2026-04-29T07:00:01.000Z  ok      edit   a.md",
          ""
        ].join("\n")
      )
      const followed = yield* run(["--steps", "--follow"], { columns: 100, env: { NO_COLOR: "1" } })
      expect(followed.out.split("\n")[1]).toBe("2026-04-29T07:00:00.000Z  failed  shell  ls \\e[31m")
    }).pipe(Effect.provide(world({ adapters: { local: told } })))
  )

  it.effect("that no driver told are an empty list and a line on stderr", () =>
    Effect.gen(function* () {
      const { code, err, out } = yield* run(["--steps"])
      expect({ code, answer: JSON.parse(out) }).toEqual({ code: 0, answer: { steps: [] } })
      expect(err).toContain("the adapter local tells no steps")
    }).pipe(Effect.provide(world({ adapters: { local: leaves({ "stdout.log": "text" }) } })))
  )
})

describe("what cannot be answered", () => {
  it.effect("is refused: an attempt that is not there (1), steps of stderr (2)", () =>
    Effect.gen(function* () {
      for (const options of [[], ["--follow"], ["--stderr"], ["--steps"], ["-o", "json"]]) {
        const told = yield* run(options, {}, "0196a1b2-0000-7000-8000-000000000009")
        expect(told).toMatchObject({ code: 1, out: "" })
        expect(told.err).toContain("there is no attempt 0196a1b2-0000-7000-8000-000000000009")
        expect(told.err).toContain("task-show")
      }
      const wrong = yield* run(["--steps", "--stderr"])
      expect(wrong).toMatchObject({ code: 2, out: "" })
      expect(wrong.err).toContain("--steps and --stderr exclude each other")
    }).pipe(Effect.provide(world({ adapters: { local: leaves({}) } })))
  )
})
