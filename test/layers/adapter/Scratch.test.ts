import { expect } from "bun:test"
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { putScratch, removeScratch, scratchFolder } from "../../../layers/adapter/Scratch.ts"
import { AttemptId } from "../../../src/domain/Ids.ts"
import { temporaryFolder } from "../../support/children/support.ts"
import { it } from "../../support/effect.ts"

const attemptId = AttemptId.make("attempt-1")

it.live("a scratch folder is private, empty at first, and gone with its scope", () =>
  Effect.gen(function* () {
    const state = yield* temporaryFolder
    const left = join(state, "scratch", attemptId)
    mkdirSync(left, { recursive: true })
    writeFileSync(join(left, "from-a-killed-run"), "")
    const path = yield* Effect.scoped(
      Effect.gen(function* () {
        const path = yield* scratchFolder(state, attemptId)
        expect([statSync(path).mode & 0o777, readdirSync(path)]).toEqual([0o700, []])
        yield* putScratch(path, { "a.json": "{}" })
        expect(readFileSync(join(path, "a.json"), "utf8")).toBe("{}")
        mkdirSync(join(path, "deep", "er"), { recursive: true })
        return path
      })
    )
    expect(existsSync(path)).toBe(false)
    yield* removeScratch(state, attemptId)
  })
)

it.live("an id that is no file name stays within the folder", () =>
  Effect.gen(function* () {
    const state = yield* temporaryFolder
    const path = yield* scratchFolder(state, AttemptId.make("../../escape"))
    expect(path).toMatch(/\/scratch\/[0-9a-f]{64}$/)
  }).pipe(Effect.scoped)
)

it.live("a folder that cannot be made or written says which and why", () =>
  Effect.gen(function* () {
    const state = yield* temporaryFolder
    writeFileSync(join(state, "scratch"), "a file in its place")
    const unmade = yield* Effect.flip(Effect.scoped(scratchFolder(state, attemptId)))
    expect(unmade).toMatchObject({ _tag: "ScratchFailed", reason: "EEXIST" })
    const unwritten = yield* Effect.flip(putScratch(join(state, "gone"), { "a.json": "" }))
    expect(unwritten).toMatchObject({ path: join(state, "gone", "a.json"), reason: "ENOENT" })
  })
)
