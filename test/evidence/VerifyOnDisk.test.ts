import { afterAll, beforeEach, expect } from "bun:test"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DateTime, Effect, Layer, Option } from "effect"
import { layer as diskArtifacts } from "../../layers/artifact/DiskArtifacts.ts"
import { layer as gitWorkspace } from "../../layers/context/GitWorkspace.ts"
import { ArtifactStore } from "../../src/artifact/ArtifactStore.ts"
import { now } from "../../src/domain/Time.ts"
import { verify } from "../../src/evidence/Verify.ts"
import { it } from "../support/effect.ts"
import { claim, outcome } from "./claim.ts"

const base = realpathSync(mkdtempSync(join(tmpdir(), "verify-test-")))
afterAll(() => rmSync(base, { recursive: true, force: true }))

let count = 0
let work = ""
let root = ""
beforeEach(() => {
  work = join(base, `case-${++count}`, "work")
  root = join(base, `case-${count}`, "artifacts")
  mkdirSync(join(work, "src"), { recursive: true })
  mkdirSync(root)
})

const task = { kind: "operator", payload: { output_path: "wiki/a.md" } }

/** What `verify` finds after `during` in a round that began well after `before`. */
const issues = (
  before: () => void,
  during: () => void,
  fileChanges: ReadonlyArray<string>,
  declares = false
) =>
  Effect.gen(function* () {
    before()
    const { hash } = yield* ArtifactStore
    const known = declares ? [{ path: "wiki/a.md", sha256: yield* hash("wiki/a.md") }] : []
    // The round begins when the kernel's clock has moved on by far more than its tick.
    const probe = join(base, "probe")
    let roundStartedAt = yield* now
    for (const until = DateTime.toEpochMillis(roundStartedAt) + 100; ; ) {
      writeFileSync(probe, "")
      roundStartedAt = yield* now
      if (DateTime.toEpochMillis(roundStartedAt) >= until) break
    }
    during()
    const found = yield* verify(
      claim({
        workingDir: Option.some(work),
        worktree: Option.none(),
        round: { roundStartedAt, known },
        outcome: outcome({ fileChanges }),
        ...(declares ? { task } : {})
      })
    )
    return found.map((issue) => issue.split(":")[0])
  }).pipe(Effect.provide(Layer.merge(diskArtifacts(root), gitWorkspace)))

const write = (path: string, text = path) => writeFileSync(join(work, path), text)
const nothing = () => {}

it.live("real changes are believed: made, rewritten, renamed, deleted", () =>
  Effect.gen(function* () {
    const before = () => {
      for (const name of ["b", "c", "e"]) write(`src/${name}`)
    }
    const during = () => {
      write("src/a")
      write("src/b", "changed")
      renameSync(join(work, "src/c"), join(work, "src/d"))
      rmSync(join(work, "src/e"))
    }
    const claims = [
      "created: src/a",
      "modified: src/b",
      "renamed: src/c -> src/d",
      "renamed: src/d",
      "deleted: src/e"
    ]
    expect(yield* issues(before, during, claims)).toEqual([])
  })
)

it.live("claims without an effect are caught, and a change time cannot be faked backwards or forwards", () =>
  Effect.gen(function* () {
    const before = () => {
      write("src/a")
      write("src/b")
      // A modification time in the future is not a change in the future.
      execFileSync("touch", ["-d", "2099-01-01", join(work, "src/b")])
    }
    const claims = ["modified: src/a", "modified: src/b", "deleted: src/never-there"]
    expect(yield* issues(before, nothing, claims)).toEqual(claims.map(() => "file_change_without_effect"))
  })
)

it.live("an artifact that was rewritten with what it held is no evidence, one with new content is", () =>
  Effect.gen(function* () {
    const put = (text: string) => () => {
      mkdirSync(join(root, "wiki"), { recursive: true })
      writeFileSync(join(root, "wiki/a.md"), text)
    }
    expect(yield* issues(put("same"), put("same"), [], true)).toEqual(["artifact_unchanged"])
    expect(yield* issues(put("same"), put("other"), [], true)).toEqual([])
    expect(yield* issues(() => rmSync(join(root, "wiki/a.md")), put("new"), [], true)).toEqual([])
  })
)

it.live("a link to a file that was there is no product, though nothing had its name before", () =>
  Effect.gen(function* () {
    const before = () => {
      mkdirSync(join(root, "wiki"))
      writeFileSync(join(root, "wiki/other.md"), "another task's")
    }
    const link = () => symlinkSync("other.md", join(root, "wiki/a.md"))
    expect(yield* issues(before, link, [], true)).toEqual(["artifact_unchanged"])
    const linkToNew = () => {
      writeFileSync(join(root, "wiki/new.md"), "made now")
      symlinkSync("new.md", join(root, "wiki/a.md"))
    }
    expect(yield* issues(() => rmSync(join(root, "wiki/a.md")), linkToNew, [], true)).toEqual([])
  })
)

it.live("symlinks and siblings do not lead out of the two folders", () =>
  Effect.gen(function* () {
    const during = () => {
      for (const folder of [`${work}-evil`, `${root}-evil`]) {
        mkdirSync(folder)
        writeFileSync(join(folder, "a.md"), "x")
      }
      symlinkSync(`${work}-evil`, join(work, "link"))
      symlinkSync(`${root}-evil`, join(root, "wiki"))
    }
    const claims = [
      "link/a.md",
      "../work-evil/a.md",
      `${work}-evil/a.md`,
      `${root}-evil/a.md`,
      "wiki/a.md",
      "deleted: link/none"
    ]
    expect(yield* issues(nothing, during, claims, true)).toEqual([
      "artifact_refused",
      "file_change_outside",
      "file_change_outside",
      "file_change_outside",
      "file_change_outside",
      "file_change_missing",
      "file_change_outside"
    ])
  })
)
