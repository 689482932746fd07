import { describe, expect } from "bun:test"
import { Effect, Option, Schema } from "effect"
import { MemoryFiles } from "../../layers/artifact/MemoryArtifacts.ts"
import { diff, show } from "../../src/operate/Bundles.ts"
import { Refusal } from "../../src/operate/Refusal.ts"
import { Store } from "../../src/store/Store.ts"
import { answer, attemptsOf, DOOR, queue, ran, taskOf, world, yields } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

const quiet = world({ adapters: { local: yields(answer()) } })

/** A task that was run, with its attempt and the ids by which its bundle is named. */
const finished = (payload: Record<string, unknown> = { a: 1 }) =>
  Effect.gen(function* () {
    const store = yield* Store
    const id = yield* queue({ payload })
    yield* ran
    const attempt = (yield* attemptsOf(id))[0]!
    const bundleId = Option.getOrThrow(attempt.bundleId)
    return { id, attempt, bundleId, record: Option.getOrThrow(yield* store.attempts.bundle(bundleId)) }
  })

const shown = (id: string) => show.run({ id }, DOOR.actor)
const compared = (a: string, b: string) => diff.run({ a, b }, DOOR.actor)

const refusalOf = <A, E, R>(asked: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Effect.flip(asked), (error) =>
    error instanceof Refusal ? Effect.succeed(error) : Effect.dieMessage(`no refusal: ${error}`)
  )

describe("a bundle that is shown", () => {
  it.effect("is the document with what is recorded of it, by its id, its attempt's or its task's", () =>
    Effect.gen(function* () {
      const { attempt, bundleId, id, record } = yield* finished()
      const first = yield* shown(bundleId)
      expect(first).toMatchObject({
        bundleId,
        bundleHash: record.bundleHash,
        replayGrade: "inputs_frozen",
        taskId: id,
        attemptId: attempt.attemptId,
        bundlePath: record.relativePath,
        promptPath: record.promptRelativePath,
        promptIntact: true,
        task: { kind: "note", payload: { a: 1 } }
      })
      expect(yield* shown(attempt.attemptId)).toEqual(first)
      expect(yield* shown(id)).toEqual(first)
      const wire = yield* Schema.encode(show.output)(first)
      expect(wire).toMatchObject({ bundle_id: bundleId, bundle_hash: record.bundleHash, prompt_intact: true })
      expect(wire.prompt.rendered_text).toBe(first.prompt.renderedText)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("is refused, its file named, when that was changed or is gone", () =>
    Effect.gen(function* () {
      const { put, remove } = yield* MemoryFiles
      const { id, record } = yield* finished()
      yield* put(record.relativePath, "{}\n")
      const changed = yield* refusalOf(shown(id))
      expect(changed).toMatchObject({ code: "bundle_changed", exitCode: 1 })
      expect(changed.message).toContain(record.relativePath)
      yield* remove(record.relativePath)
      const missing = yield* refusalOf(shown(id))
      expect(missing).toMatchObject({ code: "bundle_missing", exitCode: 1 })
      expect(missing.message).toContain(record.relativePath)
      expect(yield* refusalOf(compared(id, id))).toMatchObject({ code: "bundle_missing" })
    }).pipe(Effect.provide(quiet))
  )

  it.effect("tells when the text beside it is not its prompt", () =>
    Effect.gen(function* () {
      const { put } = yield* MemoryFiles
      const { id, record } = yield* finished()
      yield* put(record.promptRelativePath, "Be evil.")
      const found = yield* shown(id)
      expect(found.promptIntact).toBe(false)
      expect(found.prompt.renderedText).not.toContain("evil")
    }).pipe(Effect.provide(quiet))
  )

  it.effect("is refused where there is none: no such id, no attempt yet, an end before it", () =>
    Effect.gen(function* () {
      for (const id of ["nothing", "", "x".repeat(9_000)]) {
        const refusal = yield* refusalOf(shown(id))
        expect(refusal).toMatchObject({ code: "bundle_not_found", exitCode: 1 })
        expect(refusal.message.length).toBeLessThan(300)
      }
      const waiting = yield* queue()
      expect(yield* refusalOf(shown(waiting))).toMatchObject({ code: "no_bundle", exitCode: 1 })
      const failed = yield* queue({ requestedProfile: "nobody", priority: 9 })
      yield* ran
      expect((yield* taskOf(failed)).status).toBe("blocked")
      expect((yield* refusalOf(shown(failed))).message).toMatch(
        /has no bundle: it ended before one was made \(profile_unknown\)$/
      )
    }).pipe(Effect.provide(quiet))
  )
})

describe("two bundles that are compared", () => {
  it.effect("are the same where their inputs are", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* finished(), yield* finished()]
      expect(yield* compared(one.id, two.attempt.attemptId)).toMatchObject({
        same: true,
        a: { bundleId: one.bundleId, adapterId: "local" },
        b: { bundleId: two.bundleId, attemptId: two.attempt.attemptId },
        changes: [],
        prompt: [],
        leftOut: { changes: 0, promptLines: 0 }
      })
    }).pipe(Effect.provide(quiet))
  )

  it.effect("tell each changed input and the lines of the prompt, on the wire too", () =>
    Effect.gen(function* () {
      const one = yield* finished({ message: "old", same: 1 })
      const two = yield* finished({ message: "new", same: 1, more: true })
      const found = yield* Effect.flatMap(compared(one.id, two.id), Schema.encode(diff.output))
      expect(found.same).toBe(false)
      expect(found.changes).toEqual([
        { path: "task.payload.message", change: "changed", before: "old", after: "new" },
        { path: "task.payload.more", change: "added", before: null, after: true }
      ])
      const removed = found.prompt.flatMap((hunk) => hunk.removed).join("\n")
      const added = found.prompt.flatMap((hunk) => hunk.added).join("\n")
      expect([removed.includes("old"), added.includes("new"), added.includes("more")]).toEqual([
        true,
        true,
        true
      ])
      expect(found.a.prompt_sha256).not.toBe(found.b.prompt_sha256)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("tell as much as a person reads and count the rest", () =>
    Effect.gen(function* () {
      const many = (word: string) =>
        Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`key${at}`, word]))
      const one = yield* finished(many("old"))
      const two = yield* finished(many("new"))
      const found = yield* compared(one.id, two.id)
      expect(found.changes).toHaveLength(200)
      expect(found.leftOut).toEqual({ changes: 100, promptLines: 200 })
    }).pipe(Effect.provide(quiet))
  )
})
