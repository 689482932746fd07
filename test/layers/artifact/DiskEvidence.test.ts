import { afterAll, beforeAll, describe, expect } from "bun:test"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Chunk, Effect, Stream } from "effect"
import { layer } from "../../../layers/artifact/DiskEvidence.ts"
import { EvidenceFiles } from "../../../src/artifact/EvidenceFiles.ts"
import { AttemptId, TaskId } from "../../../src/domain/Ids.ts"
import { it } from "../../support/effect.ts"

let folder = ""
let count = 0

beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "agent-runtime-evidence-"))
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

const attempt = (task: string, id: string) => ({ taskId: TaskId.make(task), attemptId: AttemptId.make(id) })

/** An artifact root, and a place outside it with something to lose. */
const place = () => {
  const made = join(folder, `${count++}`)
  const root = join(made, "artifacts")
  const run = join(root, "adapter-runs", "t", "a")
  fs.mkdirSync(run, { recursive: true })
  fs.mkdirSync(join(made, "outside"))
  fs.writeFileSync(join(made, "outside", "treasure"), "gold")
  const evidence = Effect.provide(
    EvidenceFiles,
    layer({ artifactDir: root, dbPath: join(made, "runtime.db"), stateDir: join(made, "state") })
  )
  const isUntouched = () => fs.readFileSync(join(made, "outside", "treasure"), "utf8") === "gold"
  return { made, root, run, evidence, isUntouched, outside: join(made, "outside") }
}

describe("the removal of an attempt's folder", () => {
  it.live("takes all that is in it, however deep, and counts the bytes", () => {
    const { evidence, root, run } = place()
    return Effect.gen(function* () {
      const files = yield* evidence
      // Deeper than most processes may have folders open.
      const deepest = join(run, "d/".repeat(1_900))
      fs.mkdirSync(deepest, { recursive: true })
      fs.writeFileSync(join(deepest, "bottom"), "12345")
      const wide = join(run, "wide")
      for (let n = 0; n < 300; n++) {
        fs.mkdirSync(join(wide, `${n}`), { recursive: true })
        fs.writeFileSync(join(wide, `${n}`, "x"), "1")
      }
      const removed = yield* files.removeAttempt(attempt("t", "a"), { dryRun: false })
      expect(removed).toEqual({ entries: 1, bytes: 305 })
      expect(fs.readdirSync(join(root, "adapter-runs", "t"))).toEqual([])
      expect(yield* files.removeAttempt(attempt("t", "a"), { dryRun: false })).toEqual({
        entries: 0,
        bytes: 0
      })
      expect(yield* files.removeTask(TaskId.make("t"), { dryRun: false })).toEqual({ entries: 1, bytes: 0 })
    })
  })

  it.live("follows no link, wherever it stands", () => {
    const { evidence, isUntouched, outside, root, run } = place()
    return Effect.gen(function* () {
      const files = yield* evidence
      fs.symlinkSync(outside, join(run, "folder"))
      fs.symlinkSync(join(outside, "treasure"), join(run, "file"))
      fs.linkSync(join(outside, "treasure"), join(run, "second name"))
      fs.mkdirSync(join(run, "in"))
      fs.symlinkSync(outside, join(run, "in", "folder"))
      expect(yield* files.removeAttempt(attempt("t", "a"), { dryRun: true })).toEqual({
        entries: 1,
        bytes: 0
      })
      expect(yield* files.removeAttempt(attempt("t", "a"), { dryRun: false })).toEqual({
        entries: 1,
        bytes: 0
      })
      expect(isUntouched()).toBe(true)
      // In the place of the folder itself, and of one above it.
      fs.symlinkSync(outside, run)
      expect(yield* files.removeAttempt(attempt("t", "a"), { dryRun: false })).toEqual({
        entries: 0,
        bytes: 0
      })
      fs.mkdirSync(join(outside, "a"))
      fs.rmSync(join(root, "adapter-runs", "t"), { recursive: true })
      fs.symlinkSync(outside, join(root, "adapter-runs", "t"))
      const told = yield* Effect.flip(files.removeAttempt(attempt("t", "a"), { dryRun: false }))
      expect(told.reason).toContain("not ours")
      expect(isUntouched()).toBe(true)
      expect(fs.existsSync(join(outside, "a"))).toBe(true)
    })
  })

  it.live("takes a folder whose rights its agent has taken away", () => {
    const { evidence, root, run } = place()
    return Effect.gen(function* () {
      const files = yield* evidence
      fs.mkdirSync(join(run, "locked"))
      fs.writeFileSync(join(run, "locked", "x"), "123")
      fs.chmodSync(join(run, "locked"), 0)
      expect(yield* files.removeAttempt(attempt("t", "a"), { dryRun: false })).toEqual({
        entries: 1,
        bytes: 3
      })
      expect(fs.readdirSync(join(root, "adapter-runs", "t"))).toEqual([])
    })
  })
})

it.live("a path that is no bundle's is left alone", () => {
  const { evidence, isUntouched, outside, root } = place()
  return Effect.gen(function* () {
    const files = yield* evidence
    fs.mkdirSync(join(root, "bundles"))
    fs.symlinkSync(outside, join(root, "bundles", "2026-01-01"))
    fs.writeFileSync(join(outside, "x.json"), "{}")
    fs.writeFileSync(join(root, "product.json"), "{}")
    for (const path of [
      "product.json",
      "../outside/x.json",
      "bundles/../product.json",
      "bundles/2026-01-01/../x.json",
      join(outside, "x.json"),
      ""
    ])
      expect(yield* files.removeBundle(path, { dryRun: false })).toEqual({ entries: 0, bytes: 0 })
    yield* Effect.flip(files.removeBundle("bundles/2026-01-01/x.json", { dryRun: false }))
    expect(fs.existsSync(join(outside, "x.json")) && fs.existsSync(join(root, "product.json"))).toBe(true)
    expect(isUntouched()).toBe(true)
  })
})

it.live("what lies there is told by its ids, whatever characters they have", () => {
  const { evidence, root } = place()
  return Effect.gen(function* () {
    const files = yield* evidence
    for (const path of ["a%2Fb/%2E.", "%2e%2e/x", "plain", "not%ZZ/y"])
      fs.mkdirSync(join(root, "adapter-runs", path), { recursive: true })
    const found = Chunk.toReadonlyArray(yield* Stream.runCollect(files.attempts)).flat()
    expect(found.map(({ attemptId, taskId }) => `${taskId} ${attemptId}`).sort()).toEqual(["a/b ..", "t a"])
    expect(
      Chunk.toReadonlyArray(yield* Stream.runCollect(files.tasks))
        .flat()
        .map(String)
        .sort()
    ).toEqual(["a/b", "plain", "t"])
  })
})
