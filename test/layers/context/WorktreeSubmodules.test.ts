import { afterAll, beforeAll, beforeEach, describe, expect } from "bun:test"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Option } from "effect"
import { make } from "../../../layers/context/GitWorktrees.ts"
import { fillingOf } from "../../../layers/context/SubmoduleFolders.ts"
import { AttemptId, TaskId } from "../../../src/domain/Ids.ts"
import { redactorOf } from "../../../src/domain/Redactor.ts"
import { it } from "../../support/effect.ts"
import { run, write } from "./agentGit.ts"

const base = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "submodules-test-")))
afterAll(() => fs.rmSync(base, { recursive: true, force: true }))

const SECRET = "hunter2-hunter2"
const ATTEMPT = AttemptId.make("0190-attempt")

/** A repository with a file, and submodules by their names. */
const repository = (dir: string, submodules: Readonly<Record<string, string>> = {}) => {
  fs.mkdirSync(dir)
  run(dir, "init", "-q", "-b", "main")
  write(join(dir, "tracked"), "first\n")
  write(join(dir, ".gitignore"), "dist/\n")
  for (const [name, from] of Object.entries(submodules))
    run(dir, "submodule", "--quiet", "add", "--name", `of/${name}`, from, `libs/${name}`)
  run(dir, "add", ".")
  run(dir, "commit", "-q", "-m", "first")
}

const repo = join(base, "repo")
beforeAll(() => {
  repository(join(base, "inner"))
  repository(join(base, "outer"), { inner: join(base, "inner") })
  repository(repo, { outer: join(base, "outer") })
})

let count = 0
let state = ""
beforeEach(() => {
  state = join(base, `state-${++count}`)
})

const worktrees = () =>
  make({ stateDir: state }, { command: "git", timeoutMs: 20_000, path: process.env.PATH ?? "" }, () =>
    Effect.succeed(redactorOf([SECRET]))
  )
const made = Effect.suspend(() =>
  worktrees().make({ taskId: TaskId.make("task"), attemptId: ATTEMPT, dir: repo, base: Option.none() })
)
const changes = Effect.suspend(() => Effect.map(worktrees().changes(ATTEMPT), Option.getOrThrow))

const OUTER = "libs/outer"
const INNER = `${OUTER}/libs/inner`

/** A worktree with its submodules cloned, as an agent would to build it; `body` is what it does in it then. */
const inside = (body: (path: string) => void, depth: "--recursive" | "--checkout" = "--recursive") =>
  Effect.acquireUseRelease(
    Effect.tap(made, ({ path }) =>
      Effect.sync(() => run(path, "submodule", "--quiet", "update", "--init", depth))
    ),
    ({ path }) =>
      Effect.gen(function* () {
        body(path)
        return { path, found: yield* changes }
      }),
    () => worktrees().remove(ATTEMPT)
  )

const commit = (dir: string, subject: string) => {
  write(join(dir, "tracked"), `${subject}\n`)
  run(dir, "commit", "-q", "-a", "-m", subject)
}

const unchanged = { files: 0, commits: 0, staged: 0, ignored: false, problem: Option.none() }

describe("what was done in a submodule of a worktree", () => {
  it.live("is nothing where it was cloned and looked at", () =>
    Effect.gen(function* () {
      const { found } = yield* inside((path) => {
        run(join(path, OUTER), "checkout", "-q", "main")
        run(join(path, OUTER), "checkout", "-q", "--detach")
        fs.utimesSync(join(path, INNER, "tracked"), 1, 1)
      })
      expect(found).toMatchObject(unchanged)
      expect(found.diff.trim().split("\n")).toHaveLength(1)
      expect(found.touched(join(repo, OUTER, "tracked"))).toBe(false)
    })
  )

  it.live("has its changed and new files, at every depth, and those that git ignores", () =>
    Effect.gen(function* () {
      const { found, path } = yield* inside((path) => {
        write(join(path, OUTER, "tracked"), `after ${SECRET}\n`)
        write(join(path, INNER, "deep/new.txt"), "new\n")
      })
      expect(found).toMatchObject({ ...unchanged, files: 2 })
      expect(found.diff).toContain(
        `--- a/${OUTER}/tracked\n+++ b/${OUTER}/tracked\n@@ -1 +1 @@\n-first\n+after [redacted]\n`
      )
      expect(found.diff).toContain(`+++ b/${INNER}/deep/new.txt\n@@ -0,0 +1 @@\n+new\n`)
      expect(
        [`${INNER}/deep`, `${OUTER}/tracked`, `${INNER}/tracked`].map((one) => found.touched(join(path, one)))
      ).toEqual([true, true, false])
      const ignored = yield* inside((path) => write(join(path, INNER, "dist/out"), "x"))
      expect(ignored.found).toMatchObject({ ...unchanged, ignored: true })
    })
  )

  it.live(
    "has commits that were moved away from, stashed or put on a branch, and not those of a remote",
    () =>
      Effect.gen(function* () {
        const { found } = yield* inside((path) => {
          commit(join(path, OUTER), `precious ${SECRET}`)
          run(join(path, OUTER), "checkout", "-q", "--detach", "HEAD~1")
          write(join(path, INNER, "tracked"), "put aside\n")
          run(join(path, INNER), "stash")
        })
        expect(found).toMatchObject({ ...unchanged, commits: 3 })
        expect(found.diff).toMatch(/^# commit in a submodule: [0-9a-f]{40} precious \[redacted\]$/m)
        expect(found.diff).toMatch(/^# commit in a submodule: [0-9a-f]{40} WIP on \(no branch\)/m)
        const onBranch = yield* inside((path) => {
          const dir = join(path, OUTER)
          run(dir, "config", "core.logAllRefUpdates", "false")
          run(
            dir,
            "branch",
            "mine",
            run(dir, "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "without a log")
          )
          run(dir, "worktree", "add", "-q", "--detach", join(path, "aside"))
        })
        expect(onBranch.found.diff).toMatch(/^# commit in a submodule: [0-9a-f]{40} without a log$/m)
      })
  )

  it.live("has what is in its index alone, and commits that only a ref of its own names", () =>
    Effect.gen(function* () {
      const { found } = yield* inside((path) => {
        const dir = join(path, INNER)
        const made = (subject: string) => run(dir, "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", subject)
        run(dir, "update-ref", "refs/mine/keep", made("a ref"))
        run(dir, "tag", "mine", made("a tag"))
        run(dir, "reset", "-q", "--hard", made("reset to"))
        run(dir, "reset", "-q", "--hard", "HEAD~1")
        write(join(dir, "staged"), "work\n")
        run(dir, "add", ".")
        fs.rmSync(join(dir, "staged"))
      })
      expect(found).toMatchObject({ ...unchanged, commits: 3, staged: 1 })
      expect(found.diff).toContain(`# not in this diff, for it is in the index alone: "${INNER}/staged"\n`)
    })
  )

  it.live("has the commits, and what was staged, of one whose files are gone", () =>
    Effect.gen(function* () {
      const { found } = yield* inside((path) => {
        commit(join(path, INNER), "precious")
        write(join(path, OUTER, "staged"), "work\n")
        run(join(path, OUTER), "add", "staged")
        run(path, "submodule", "--quiet", "deinit", "--force", "--all")
        expect(fs.readdirSync(join(path, OUTER))).toEqual([])
      })
      expect(found).toMatchObject({ ...unchanged, commits: 1, staged: 1 })
      expect(found.diff).toMatch(/^# commit in a submodule: [0-9a-f]{40} precious$/m)
    })
  )

  it.live("is told where a commit moved its gitlink, once", () =>
    Effect.gen(function* () {
      const { found } = yield* inside((path) => commit(join(path, OUTER), "further"), "--checkout")
      expect(found).toMatchObject({ ...unchanged, files: 2, commits: 1 })
      expect(found.diff).toContain("+Subproject commit ")
      expect(found.diff).toContain("+further\n")
    })
  )

  it.live("is that there are files, where there is no repository that they could be compared with", () =>
    Effect.gen(function* () {
      const { found, path } = yield* inside((path) => {
        fs.rmSync(join(path, OUTER), { recursive: true })
        write(join(path, OUTER, "file"), "x")
      }, "--checkout")
      expect(found).toMatchObject({ ...unchanged, files: 1 })
      expect(found.diff).toContain(`# not in this diff: "${OUTER}/"`)
      expect(found.touched(join(path, OUTER, "file"))).toBe(true)
    })
  )

  it.live("is looked for by what is in its folder, whatever that is", () =>
    Effect.sync(() => {
      const dir = join(base, "filling")
      const at = (name: string, text?: string) => {
        const path = join(dir, name)
        if (text === undefined) fs.mkdirSync(path, { recursive: true })
        else write(join(path, ".git"), text)
        return fillingOf(path)._tag
      }
      expect([at("empty"), fillingOf(join(dir, "nowhere"))._tag]).toEqual(["Empty", "Empty"])
      fs.symlinkSync(repo, join(dir, "link"))
      write(join(dir, "file"), "x")
      expect([fillingOf(join(dir, "link"))._tag, fillingOf(join(dir, "file"))._tag]).toEqual([
        "Empty",
        "Empty"
      ])
      expect([at("garbage", "garbage"), at("nothing", "gitdir: /nowhere\n")]).toEqual(["Plain", "Plain"])
      expect(at("elsewhere", `gitdir: ${repo}/.git\n`)).toBe("Cloned")
      expect(fillingOf(repo)).toMatchObject({ _tag: "Cloned", isInside: true })
    })
  )

  it.live(
    "is in a clone that lies in its folder as well, and in one that another one is in the place of",
    () =>
      Effect.gen(function* () {
        const { found } = yield* inside((path) => {
          fs.rmSync(join(path, OUTER), { recursive: true })
          run(path, "clone", "-q", join(base, "outer"), OUTER)
          commit(join(path, OUTER), "precious")
          run(join(path, OUTER), "reset", "-q", "--hard", "HEAD~1")
        }, "--checkout")
        expect(found).toMatchObject({ ...unchanged, commits: 1 })
        const other = yield* inside((path) => {
          fs.rmSync(join(path, OUTER), { recursive: true })
          run(path, "init", "-q", OUTER)
          write(join(path, OUTER, "other"), "x")
          run(join(path, OUTER), "add", ".")
          run(join(path, OUTER), "commit", "-q", "-m", "unrelated")
        }, "--checkout")
        expect(other.found.files).toBe(1)
      })
  )

  it.live("cannot be told, which is said beside what can, where a clone is broken", () =>
    Effect.gen(function* () {
      const { found } = yield* inside((path) => {
        write(join(path, "new"), "x")
        run(path, "submodule", "--quiet", "deinit", "--force", "--all")
        write(join(repo, ".git/worktrees", ATTEMPT, "modules/of/outer/config"), "[garbage\n")
      }, "--checkout")
      expect(Option.getOrNull(found.problem)).toMatch(/^its submodules cannot be told: bad config line 1/)
      expect(found).toMatchObject({ files: 1, commits: 0 })
      expect(found.diff).toContain("+++ b/new\n")
    })
  )

  it.live(
    "is told without a program of its configuration being run, and without its pipes being waited for",
    () =>
      Effect.gen(function* () {
        const witness = join(base, `witness-${count}`)
        const script = join(base, `script-${count}`)
        fs.writeFileSync(script, `#!/bin/sh\necho "$0 $*" >> ${witness}\ncat\n`, { mode: 0o755 })
        const { found } = yield* inside((path) => {
          for (const dir of [join(path, OUTER), join(path, INNER)]) {
            const folder = run(dir, "rev-parse", "--absolute-git-dir")
            write(join(dir, "tracked"), "after\n")
            write(join(dir, ".gitattributes"), "* filter=evil diff=evil\n")
            write(join(folder, "info/attributes"), "* filter=evil diff=evil\n")
            const core = `fsmonitor = ${script}\n pager = ${script}\n sshCommand = ${script}`
            const evil = `clean = ${script}\n smudge = ${script}\n process = ${script}`
            fs.appendFileSync(
              join(folder, "config"),
              `[core]\n ${core}\n[filter "evil"]\n ${evil}\n[diff]\n external = ${script}\n[diff "evil"]
 textconv = ${script}\n command = ${script}\n[gpg]\n program = ${script}\n[log]\n showSignature = true\n`
            )
            fs.cpSync(script, join(folder, "hooks/post-index-change"))
            fs.rmSync(join(folder, "logs/HEAD"))
            execFileSync("mkfifo", [join(folder, "logs/HEAD")])
          }
          fs.rmSync(witness, { force: true })
        })
        expect(found).toMatchObject({ ...unchanged, files: 4 })
        expect(fs.existsSync(witness)).toBe(false)
      })
  )
})
