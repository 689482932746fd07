import { describe, expect } from "bun:test"
import { Effect, Either } from "effect"
import { MemoryFiles } from "../../layers/artifact/MemoryArtifacts.ts"
import { ArtifactStore } from "../../src/artifact/ArtifactStore.ts"
import { assemble, persist } from "../../src/context/Assemble.ts"
import { isPromptIntact, recordedBundle } from "../../src/context/RecordedBundle.ts"
import type { BundleRecord } from "../../src/domain/Bundle.ts"
import { it } from "../support/effect.ts"
import { input, task, world } from "./world.ts"

/** A bundle on disk, its row, and the text of its file. */
const written = Effect.gen(function* () {
  const made = input({ task: task({ payload: { bundle_id: "019a0000-0000-7000-8000-0000000000b1" } }) })
  const compiled = yield* Effect.tap(assemble(made), persist)
  const store = yield* ArtifactStore
  const record: BundleRecord = {
    bundleId: made.bundleId,
    taskId: made.task.taskId,
    attemptId: "a",
    bundleHash: compiled.bundleHash,
    bundleVersion: 1,
    profileId: "lumen",
    adapterId: "local",
    adapterMode: "script",
    model: compiled.bundle.adapter.model,
    replayGrade: compiled.replayGrade,
    relativePath: compiled.relativePath,
    promptRelativePath: compiled.promptRelativePath
  }
  const read = yield* store.read(compiled.relativePath, 1_000_000)
  return { compiled, record, text: read._tag === "Some" ? read.value : "" }
})

const reasonOf = (record: BundleRecord) =>
  Effect.map(Effect.either(recordedBundle(record)), (read) =>
    Either.isLeft(read) ? read.left.reason : "genuine"
  )

describe("a recorded bundle", () => {
  it.effect("reads back as it was made, also where its payload names its id", () =>
    Effect.gen(function* () {
      const { compiled, record } = yield* written
      expect(yield* recordedBundle(record)).toEqual(compiled.bundle)
      expect(yield* isPromptIntact(record, compiled.bundle)).toBe(true)
    }).pipe(Effect.provide(world()))
  )

  const harms: ReadonlyArray<readonly [what: string, harm: (text: string) => string]> = [
    [
      "one letter of the prompt",
      (text) => text.replace("The pump", "The dump").replace("Be careful", "Be careless")
    ],
    ["a space between two keys", (text) => text.replace(',"agent"', ', "agent"')],
    ["its last newline", (text) => text.slice(0, -1)],
    ["one more newline", (text) => `${text}\n`],
    ["its id", (text) => text.replace('"bundle_id":"019a0000', '"bundle_id":"019b0000')],
    ["a key twice", (text) => text.replace(/\}\n$/, ',"task":{}}\n')],
    ["no JSON at all", () => "what?\n"],
    ["nothing in it", () => ""],
    ["a nesting that no reader survives", () => `${"[".repeat(1_000_000)}\n`]
  ]
  for (const [what, harm] of harms)
    it.effect(`that has ${what} is no more the recorded one`, () =>
      Effect.gen(function* () {
        const { record, text } = yield* written
        const { put } = yield* MemoryFiles
        expect(harm(text)).not.toBe(text)
        yield* put(record.relativePath, harm(text))
        expect(yield* reasonOf(record)).toBe("changed")
        const failure = yield* Effect.flip(recordedBundle(record))
        expect(failure).toMatchObject({ detail: expect.stringContaining(record.relativePath) })
      }).pipe(Effect.provide(world()))
    )

  it.effect("whose file is gone, is a folder or leads out of the artifact root is told so", () =>
    Effect.gen(function* () {
      const { record } = yield* written
      const { remove } = yield* MemoryFiles
      yield* remove(record.relativePath)
      expect(yield* reasonOf(record)).toBe("missing")
      expect(yield* reasonOf({ ...record, relativePath: "bundles" })).toBe("missing")
      expect(yield* reasonOf({ ...record, relativePath: "../secret" })).toBe("unreadable")
    }).pipe(Effect.provide(world()))
  )

  it.effect("of another version is not read", () =>
    Effect.gen(function* () {
      const { record } = yield* written
      expect(yield* reasonOf({ ...record, bundleVersion: 2 })).toBe("unsupported")
    }).pipe(Effect.provide(world()))
  )

  it.effect("of an adopted attempt is told so: its file was not adopted, or is not read here", () =>
    Effect.gen(function* () {
      const { record } = yield* written
      const adopted = { ...record, bundleVersion: 0 }
      expect(
        yield* Effect.flip(recordedBundle({ ...adopted, relativePath: "bundles/b.json" }))
      ).toMatchObject({
        reason: "not_adopted",
        detail:
          "bundles/b.json below the artifact root is not there: its attempt was adopted from the original runtime, its file was not"
      })
      expect(yield* reasonOf({ ...adopted, relativePath: "/old/host/b.json" })).toBe("not_adopted")
      expect(yield* Effect.flip(recordedBundle(adopted))).toMatchObject({
        reason: "unsupported",
        detail: expect.stringContaining("was made by the original runtime")
      })
    }).pipe(Effect.provide(world()))
  )

  it.effect("tells when the text beside it is another one or gone", () =>
    Effect.gen(function* () {
      const { compiled, record } = yield* written
      const { put, remove } = yield* MemoryFiles
      yield* put(record.promptRelativePath, "Do something else.")
      expect(yield* isPromptIntact(record, compiled.bundle)).toBe(false)
      yield* remove(record.promptRelativePath)
      expect(yield* isPromptIntact(record, compiled.bundle)).toBe(false)
    }).pipe(Effect.provide(world()))
  )
})
