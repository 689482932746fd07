import { describe, expect } from "bun:test"
import { Deferred, Effect, Fiber, Option, Queue, Schema, Stream } from "effect"
import type { Scripted } from "../../layers/adapter/ScriptedAdapters.ts"
import { Audit, AuditFailed, type AuditLog } from "../../src/artifact/AuditFolder.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import type { Attempt } from "../../src/domain/Attempt.ts"
import { attemptOf, logBytes, logText, missing, TAIL_BYTES, tail } from "../../src/operate/AttemptLog.ts"
import { Store } from "../../src/store/Store.ts"
import { attemptsOf, DOOR, queue, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

/** An adapter that prints the texts. */
const prints =
  (...texts: ReadonlyArray<string | Uint8Array>): Scripted =>
  (job) =>
    Effect.gen(function* () {
      const log = yield* job.audit.log("stdout.log")
      for (const text of texts) log.write(Buffer.from(text))
      return { lastMessage: "done" }
    }).pipe(Effect.scoped, Effect.orDie)

/** Runs a task and answers its attempt. */
const ran = (intent: Parameters<typeof queue>[0] = {}) =>
  Effect.gen(function* () {
    const id = yield* queue(intent)
    yield* runOnce
    return (yield* attemptsOf(id))[0]!
  })

const joined = (pieces: Iterable<Uint8Array>): string => Buffer.concat([...pieces]).toString()

const read = (attempt: Attempt, from = 0, file: AuditLog = "stdout.log") =>
  Stream.runCollect(logBytes(attempt, file, { from, follow: false }))

describe("the bytes of a log", () => {
  it.effect("come from any offset on, and there are none of a log that nobody wrote", () =>
    Effect.gen(function* () {
      const attempt = yield* ran()
      expect(joined(yield* read(attempt))).toBe("one two")
      expect(joined(yield* read(attempt, 4))).toBe("two")
      expect(joined(yield* read(attempt, 99))).toBe("")
      expect(joined(yield* read(attempt, 0, "stderr.log"))).toBe("")
    }).pipe(Effect.provide(world({ adapters: { local: prints("one ", "two") } })))
  )

  const all = Uint8Array.from({ length: 3_000_000 }, (_, at) => (at * 7) % 256)
  it.effect("come in pieces, whatever their number and values", () =>
    Effect.gen(function* () {
      const pieces = [...(yield* read(yield* ran()))]
      expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(256 * 1024)
      expect(Buffer.concat(pieces).equals(all)).toBe(true)
    }).pipe(Effect.provide(world({ adapters: { local: prints(all) } })))
  )

  it.effect("of a file that is not ours are refused without a path of the host", () =>
    Effect.gen(function* () {
      const attempt = yield* ran()
      const audit = yield* Audit
      const fault = Effect.fail(new AuditFailed({ path: "/srv/secret/stdout.log", reason: "a link" }))
      const refusal = yield* Effect.flip(
        Effect.provideService(read(attempt), Audit, { ...audit, read: () => fault })
      )
      expect(refusal).toMatchObject({ _tag: "Refusal", code: "log_unreadable", exitCode: 1 })
      expect(refusal.message).toContain("stdout.log")
      expect(refusal.message).not.toContain("/srv")
    }).pipe(Effect.provide(world({ adapters: { local: prints("one") } })))
  )
})

describe("a secret that a process wrote into its own folder", () => {
  const text = `${"x".repeat(300_000)} the key is hunter22, in base64 ${btoa("hunter22!")}; `
  const shown = text
    .replace("hunter22", "*".repeat(8))
    .replace(btoa("hunter22!").slice(0, 11), "*".repeat(11))
  const given = {
    adapters: { local: prints(text.slice(0, 300_015), text.slice(300_015)) },
    secrets: ["hunter22"]
  }

  it.effect("is told as so many asterisks, from wherever the log is read", () =>
    Effect.gen(function* () {
      const attempt = yield* ran()
      const at = text.indexOf("hunter22")
      for (const from of [0, at - 3, at, at + 1, at + 7, at + 8, at + 40, text.length - 1, text.length])
        expect([from, joined(yield* read(attempt, from))]).toEqual([from, shown.slice(from)])
      const followed = yield* Stream.runCollect(
        logBytes(attempt, "stdout.log", { from: at + 2, follow: true })
      )
      expect(joined(followed)).toBe(shown.slice(at + 2))
      const end = yield* tail.run({ id: attempt.attemptId, stream: "stdout" }, DOOR.actor)
      expect(end).toMatchObject({ size: text.length, text: shown })
    }).pipe(Effect.provide(world(given)))
  )
})

/** An adapter that waits to be told, by `say`, what to print next; none ends it. */
const talker = Effect.gen(function* () {
  const words = yield* Queue.unbounded<Option.Option<string>>()
  const begun = yield* Deferred.make<void>()
  const act: Scripted = (job) =>
    Effect.gen(function* () {
      yield* Deferred.succeed(begun, undefined)
      const first = yield* Queue.take(words)
      const log = yield* job.audit.log("stdout.log")
      for (let word = first; Option.isSome(word); word = yield* Queue.take(words))
        log.write(Buffer.from(word.value))
      return { lastMessage: "done" }
    }).pipe(Effect.scoped, Effect.orDie)
  return {
    act,
    begun: Deferred.await(begun),
    say: (word: string) => Queue.offer(words, Option.some(word)),
    end: Queue.offer(words, Option.none())
  }
})

describe("a log that is followed", () => {
  it.effect("is told as it grows, from before it is there, and ends with its attempt", () =>
    Effect.gen(function* () {
      const { act, begun, end, say } = yield* talker
      yield* Effect.gen(function* () {
        const id = yield* queue()
        const running = yield* Effect.fork(runOnce)
        yield* begun
        const attempt = (yield* attemptsOf(id))[0]!
        expect(attempt.status).toBe("running")
        const heard = yield* Queue.unbounded<string>()
        const following = yield* Stream.runForEach(
          logBytes(attempt, "stdout.log", { from: 0, follow: true }),
          (piece) => Queue.offer(heard, Buffer.from(piece).toString())
        ).pipe(Effect.fork)
        yield* say("one")
        expect(yield* Queue.take(heard)).toBe("one")
        yield* say("two")
        expect(yield* Queue.take(heard)).toBe("two")
        expect(Option.isNone(yield* Fiber.poll(following))).toBe(true)
        yield* end
        yield* Fiber.join(following)
        yield* Fiber.join(running)
        expect(yield* Queue.size(heard)).toBe(0)
      }).pipe(Effect.provide(world({ adapters: { local: act } })))
    })
  )

  it.effect("has all that was written before the end, also when nothing told of it", () =>
    Effect.gen(function* () {
      const { act, begun, end, say } = yield* talker
      yield* Effect.gen(function* () {
        const id = yield* queue()
        const running = yield* Effect.fork(runOnce)
        yield* begun
        const attempt = (yield* attemptsOf(id))[0]!
        const audit = yield* Audit
        const store = yield* Store
        const listens = yield* Deferred.make<void>()
        const following = yield* Stream.runCollect(
          logBytes(attempt, "stdout.log", { from: 1, follow: true })
        ).pipe(
          Effect.provideService(Audit, { ...audit, growth: () => Stream.never }),
          Effect.provideService(Store, {
            ...store,
            changes: Stream.tap(store.changes, () => Deferred.succeed(listens, undefined))
          }),
          Effect.fork
        )
        yield* Deferred.await(listens)
        yield* say("one two three")
        yield* end
        expect(joined(yield* Fiber.join(following))).toBe("ne two three")
        yield* Fiber.join(running)
      }).pipe(Effect.provide(world({ adapters: { local: act } })))
    })
  )

  it.effect("of an attempt that has ended is told and ends at once", () =>
    Effect.gen(function* () {
      const attempt = yield* ran()
      const pieces = yield* Stream.runCollect(logBytes(attempt, "stdout.log", { from: 0, follow: true }))
      expect(joined(pieces)).toBe("one")
    }).pipe(Effect.provide(world({ adapters: { local: prints("one") } })))
  )
})

describe("an id", () => {
  it.effect("that no attempt has is refused; that of a task is told apart", () =>
    Effect.gen(function* () {
      const attempt = yield* ran()
      expect((yield* attemptOf(attempt.attemptId)).attemptId).toBe(attempt.attemptId)
      for (const id of ["nobody", "", "x".repeat(5_000)]) {
        const refusal = yield* Effect.flip(attemptOf(id))
        expect(refusal).toMatchObject({ code: "attempt_not_found", exitCode: 1 })
        expect(refusal.message.length).toBeLessThan(300)
        expect(refusal).toMatchObject({ hint: expect.stringContaining("task-show TASK_ID") })
      }
      expect(yield* Effect.flip(attemptOf(attempt.taskId))).toMatchObject({
        code: "attempt_not_found",
        hint: expect.stringContaining(`task-show ${attempt.taskId}`)
      })
    }).pipe(Effect.provide(world({ adapters: { local: prints("one") } })))
  )
})

describe("why there is no log", () => {
  it.effect("is the end of an attempt that never came to its adapter, without what its reason names", () =>
    Effect.gen(function* () {
      const attempt = yield* ran({ requestedAdapter: "nowhere" })
      const why = Option.getOrThrow(yield* missing(attempt, "stdout.log"))
      expect(why).toBe(
        `attempt ${attempt.attemptId} has no stdout.log: it ended before its adapter wrote one (adapter_unknown)`
      )
      expect(Option.isSome(attempt.reason)).toBe(true)
      expect(joined(yield* read(attempt))).toBe("")
    }).pipe(Effect.provide(world({ adapters: { local: prints("one") } })))
  )

  it.effect("is nothing for a log that is there and empty", () =>
    Effect.gen(function* () {
      expect(yield* missing(yield* ran(), "stdout.log")).toEqual(Option.none())
    }).pipe(Effect.provide(world({ adapters: { local: prints() } })))
  )

  it.effect("is that the attempt has just begun", () =>
    Effect.gen(function* () {
      const { act, begun, end } = yield* talker
      yield* Effect.gen(function* () {
        const id = yield* queue()
        const running = yield* Effect.fork(runOnce)
        yield* begun
        const why = yield* missing((yield* attemptsOf(id))[0]!, "stdout.log")
        expect(Option.getOrThrow(why)).toContain("--follow waits for it")
        yield* end
        yield* Fiber.join(running)
      }).pipe(Effect.provide(world({ adapters: { local: act } })))
    })
  )
})

describe("the end of a log as text", () => {
  const asked = (attempt: Attempt) =>
    Effect.flatMap(tail.run({ id: attempt.attemptId, stream: "stdout" }, DOOR.actor), (found) =>
      Schema.encode(tail.output)(found)
    )

  it.effect("is all of a short one", () =>
    Effect.gen(function* () {
      const attempt = yield* ran()
      expect(yield* asked(attempt)).toEqual({
        attempt_id: attempt.attemptId,
        stream: "stdout",
        offset: 0,
        size: 7,
        truncated: false,
        text: "one \ufffdé"
      })
    }).pipe(
      Effect.provide(world({ adapters: { local: prints("one ", Uint8Array.of(0xff), Buffer.from("é")) } }))
    )
  )

  it.effect("is the last MiB of a long one, beginning with a whole character", () =>
    Effect.gen(function* () {
      const found = yield* asked(yield* ran())
      const size = 4 * 300_001 + 1
      expect(found).toMatchObject({ size, offset: size - TAIL_BYTES + 3, truncated: false })
      expect(found.text).toBe(`${"🙂".repeat((TAIL_BYTES - 4) / 4)}x`)
    }).pipe(Effect.provide(world({ adapters: { local: prints("🙂".repeat(300_001), "x") } })))
  )
})

describe("pieces as text", () => {
  it.prop(
    "join to the text of the whole, and each tells where it begins",
    Schema.Struct({
      bytes: Schema.Array(Schema.Literal(0x61, 0x80, 0xa9, 0xc3, 0xe2, 0xed, 0xf0, 0x9f, 0x99, 0x82, 0xff)),
      cuts: Schema.Array(Schema.Int.pipe(Schema.between(0, 12)))
    }),
    ({ bytes, cuts }) =>
      Effect.gen(function* () {
        const all = Uint8Array.from(bytes)
        const ends = [...cuts.filter((cut) => cut < all.length), all.length].sort((a, b) => a - b)
        const pieces = ends.map((end, at) => all.subarray(ends[at - 1] ?? 0, end))
        const parts = [...(yield* Stream.runCollect(logText(Stream.fromIterable(pieces), 100)))]
        expect(parts.map((part) => part.text).join("")).toBe(new TextDecoder().decode(all))
        for (const [at, part] of parts.entries()) {
          const to = parts[at + 1]?.offset ?? 100 + all.length
          expect(part.text).toBe(new TextDecoder().decode(all.subarray(part.offset - 100, to - 100)))
        }
      })
  )
})
