import { expect } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Clock, Effect, Fiber, Layer, Option, Queue, Stream, TestClock } from "effect"
import * as DiskAudit from "../../../layers/artifact/DiskAudit.ts"
import * as MemoryAudit from "../../../layers/artifact/MemoryAudit.ts"
import { Audit } from "../../../src/artifact/AuditFolder.ts"
import { AttemptId, TaskId } from "../../../src/domain/Ids.ts"
import { it } from "../../support/effect.ts"

const task = TaskId.make("task-1")
const attempt = AttemptId.make("attempt-1")
const FOLDER = "adapter-runs/task-1/attempt-1"

const fresh = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "agent-runtime-growth-"))),
  (root) => Effect.sync(() => rmSync(root, { recursive: true, force: true }))
)

const audits = {
  disk: Layer.unwrapScoped(Effect.map(fresh, DiskAudit.layer)),
  memory: MemoryAudit.layer
}

const bytes = (text: string): Uint8Array => Buffer.from(text)

/** What a reader has that reads on with every element, a text for each time that there was more. */
const reader = Effect.gen(function* () {
  const audit = yield* Audit
  const got = yield* Queue.unbounded<string>()
  let offset = 0
  yield* Stream.runForEach(audit.growth(task, attempt, "stdout.log"), () =>
    Effect.gen(function* () {
      const more = yield* audit.read(task, attempt, "stdout.log", { offset, most: 1_000 })
      offset += more.length
      yield* Queue.offer(got, Buffer.from(more).toString())
    })
  ).pipe(Effect.forkScoped)
  const next: Effect.Effect<string> = Effect.flatMap(Queue.take(got), (text) =>
    text === "" ? Effect.suspend(() => next) : Effect.succeed(text)
  )
  return { begun: Queue.take(got), next }
})

for (const [name, layer] of Object.entries(audits)) {
  it.live(`${name}: whoever reads when a log grows has all of it, from before its folder is there`, () =>
    Effect.gen(function* () {
      const audit = yield* Audit
      const { begun, next } = yield* reader
      expect(yield* begun).toBe("")
      const folder = yield* audit.open(task, attempt)
      const log = yield* folder.log("stdout.log")
      for (const text of ["one", "two", "three"]) {
        log.write(bytes(text))
        expect(yield* next).toBe(text)
      }
    }).pipe(Effect.provide(layer))
  )

  it.live(`${name}: the size of a log is none until it is opened`, () =>
    Effect.gen(function* () {
      const audit = yield* Audit
      const size = audit.size(task, attempt, "stdout.log")
      expect(yield* size).toEqual(Option.none())
      const folder = yield* audit.open(task, attempt)
      expect(yield* size).toEqual(Option.none())
      const log = yield* folder.log("stdout.log")
      expect(yield* size).toEqual(Option.some(0))
      log.write(bytes("four"))
      expect(yield* size).toEqual(Option.some(4))
    }).pipe(Effect.provide(layer))
  )
}

it.live("the disk tells of growth by itself: twenty writes take far less than twenty slow looks", () =>
  Effect.gen(function* () {
    const { begun, next } = yield* reader
    yield* begun
    const audit = yield* Audit
    const log = yield* Effect.flatMap(audit.open(task, attempt), (folder) => folder.log("stdout.log"))
    const before = yield* Clock.currentTimeMillis
    for (let count = 0; count < 20; count++) {
      log.write(bytes(`${count};`))
      expect(yield* next).toBe(`${count};`)
    }
    expect((yield* Clock.currentTimeMillis) - before).toBeLessThan(10_000)
  }).pipe(Effect.provide(audits.disk))
)

it.effect("what cannot be watched is looked at every second", () =>
  Effect.gen(function* () {
    const audit = yield* Audit
    const looks = yield* Stream.runCollect(Stream.take(audit.growth(task, attempt, "stdout.log"), 4)).pipe(
      Effect.fork
    )
    yield* TestClock.adjust("2900 millis")
    expect(Option.isNone(yield* Fiber.poll(looks))).toBe(true)
    yield* TestClock.adjust("100 millis")
    expect(yield* Fiber.join(looks)).toHaveLength(4)
  }).pipe(Effect.provide(DiskAudit.layer("/nonexistent/agent-runtime")))
)

it.live("a link in the place of a log has no size", () =>
  Effect.gen(function* () {
    const root = yield* fresh
    writeFileSync(join(root, "victim"), "precious")
    mkdirSync(join(root, FOLDER), { recursive: true })
    symlinkSync(join(root, "victim"), join(root, FOLDER, "stdout.log"))
    const audit = yield* Effect.provide(Audit, DiskAudit.layer(root))
    expect(yield* Effect.flip(audit.size(task, attempt, "stdout.log"))).toMatchObject({ _tag: "AuditFailed" })
  })
)
