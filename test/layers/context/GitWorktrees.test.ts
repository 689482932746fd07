import { afterAll, beforeAll, beforeEach, describe, expect } from "bun:test"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Option } from "effect"
import { make } from "../../../layers/context/GitWorktrees.ts"
import type { Worktree } from "../../../src/context/Worktrees.ts"
import { AttemptId, TaskId } from "../../../src/domain/Ids.ts"
import { redactorOf } from "../../../src/domain/Redactor.ts"
import { it } from "../../support/effect.ts"
import { run, write } from "./agentGit.ts"

const base = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "worktrees-test-")))
afterAll(() => fs.rmSync(base, { recursive: true, force: true }))

const SECRET = "hunter2-hunter2"
const ATTEMPT = AttemptId.make("0190-attempt")

let count = 0
let repo = ""
let state = ""
let witness = ""

const template = join(base, "template")
beforeAll(() => {
  fs.mkdirSync(template)
  run(template, "init", "-q", "-b", "main")
  write(join(template, "a.txt"), "a\n")
  write(join(template, "wiki/page.md"), "page\n")
  write(join(template, ".gitignore"), "dist/\n")
  run(template, "add", ".")
  run(template, "commit", "-q", "-m", "first")
})

beforeEach(() => {
  const folder = join(base, `case-${++count}`)
  repo = join(folder, "repo")
  state = join(folder, "state")
  witness = join(folder, "witness")
  fs.cpSync(template, repo, { recursive: true })
})

const worktrees = (git: { readonly command?: string; readonly timeoutMs?: number } = {}) =>
  make({ stateDir: state }, { command: "git", timeoutMs: 20_000, path: process.env.PATH ?? "", ...git }, () =>
    Effect.succeed(redactorOf([SECRET]))
  )

const made = (dir = repo, wanted: Option.Option<string> = Option.none(), using = worktrees()) =>
  using.make({ taskId: TaskId.make("task"), attemptId: ATTEMPT, dir, base: wanted })

const refused = (dir: string, using = worktrees()) =>
  Effect.map(Effect.flip(made(dir, Option.none(), using)), ({ reason }) => reason)

const changes = Effect.suspend(() => Effect.map(worktrees().changes(ATTEMPT), Option.getOrThrow))

const entries = () => {
  const folder = join(repo, ".git/worktrees")
  return fs.existsSync(folder) ? fs.readdirSync(folder) : []
}

const leftOnDisk = () =>
  fs.existsSync(join(state, "worktrees")) ? fs.readdirSync(join(state, "worktrees")) : []

describe("a worktree", () => {
  it.live("has the files of HEAD, detached, and is one that git itself knows", () =>
    Effect.gen(function* () {
      write(join(repo, "a.txt"), "not committed\n")
      write(join(repo, "untracked.txt"), "x\n")
      const { base: commit, cwd, path } = yield* made()
      expect(path).toBe(join(state, "worktrees", ATTEMPT))
      expect(cwd).toBe(path)
      expect(commit).toBe(run(repo, "rev-parse", "HEAD"))
      expect(fs.readdirSync(path).sort()).toEqual([".git", ".gitignore", "a.txt", "wiki"])
      expect(fs.readFileSync(join(path, "a.txt"), "utf8")).toBe("a\n")
      expect(run(path, "status", "--porcelain")).toBe("")
      expect(run(path, "rev-parse", "--abbrev-ref", "HEAD")).toBe("HEAD")
      expect(run(repo, "worktree", "list", "--porcelain")).toContain(`worktree ${path}`)
      expect(fs.statSync(join(state, "worktrees")).mode & 0o777).toBe(0o700)
    })
  )

  it.live("stands for a subfolder by the same subfolder", () =>
    Effect.gen(function* () {
      const { cwd, path } = yield* made(join(repo, "wiki"))
      expect(cwd).toBe(join(path, "wiki"))
      expect(fs.readFileSync(join(cwd, "page.md"), "utf8")).toBe("page\n")
    })
  )

  it.live("begins from the commit that is wanted, and from HEAD where the repository has not got it", () =>
    Effect.gen(function* () {
      const first = run(repo, "rev-parse", "HEAD")
      write(join(repo, "b.txt"), "b\n")
      run(repo, "add", ".")
      run(repo, "commit", "-q", "-m", "second")
      expect((yield* made(repo, Option.some(first))).base).toBe(first)
      yield* worktrees().remove(ATTEMPT)
      expect((yield* made(repo, Option.some("0".repeat(40)))).base).toBe(run(repo, "rev-parse", "HEAD"))
    })
  )

  it.live("can be had of a repository of SHA-256, and beside others of the same repository", () =>
    Effect.gen(function* () {
      const other = join(base, `sha256-${count}`)
      fs.mkdirSync(other)
      run(other, "init", "-q", "--object-format=sha256")
      write(join(other, "a"), "a")
      run(other, "add", ".")
      run(other, "commit", "-q", "-m", "first")
      const one = yield* made(other)
      write(join(one.path, "a"), "changed")
      expect(yield* changes).toMatchObject({ files: 1, problem: Option.none() })
      expect(one.base).toHaveLength(64)
      const again = yield* Effect.forEach(
        ["u", "v", "w", "x", "y", "z"],
        (name) =>
          worktrees().make({
            taskId: TaskId.make("task"),
            attemptId: AttemptId.make(name),
            dir: repo,
            base: Option.none()
          }),
        { concurrency: 6 }
      )
      expect(again.map(({ path }) => fs.existsSync(join(path, "a.txt")))).toEqual(Array(6).fill(true))
      expect((yield* worktrees().list).map((listed) => listed.state)).toEqual(Array(7).fill("open"))
    })
  )

  it.live("can be had of a worktree, and of a repository whose .git lies elsewhere", () =>
    Effect.gen(function* () {
      const linked = join(base, `linked-${count}`)
      run(repo, "worktree", "add", "-q", "--detach", linked)
      fs.renameSync(join(repo, ".git"), join(base, `git-${count}`))
      fs.symlinkSync(join(base, `git-${count}`), join(repo, ".git"))
      for (const dir of [linked, join(repo, "wiki")]) {
        const { cwd, path } = yield* made(dir)
        expect(fs.existsSync(join(path, "a.txt"))).toBe(true)
        expect(cwd).toBe(dir === linked ? path : join(path, "wiki"))
        yield* worktrees().remove(ATTEMPT)
        expect(entries()).toEqual([`linked-${count}`])
      }
    })
  )

  it.live("is refused in words where none can be had, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const plain = join(base, `plain-${count}`)
      const bare = join(base, `bare-${count}`)
      const empty = join(base, `empty-${count}`)
      fs.mkdirSync(plain)
      run(base, "init", "-q", "--bare", bare)
      run(base, "init", "-q", empty)
      fs.mkdirSync(join(repo, "new"))
      expect(yield* refused(plain)).toStartWith(`${plain} cannot have a git worktree: not a git repository`)
      expect(yield* refused(bare)).toBe(`${bare} is a bare repository, which has no files to work on`)
      expect(yield* refused(empty)).toBe(`${empty} is a git repository without a commit to work from`)
      expect(yield* refused(join(repo, ".git"))).toContain("lies in the .git folder")
      expect(yield* refused(join(repo, "new"))).toContain("commit something in it first")
      expect(yield* refused(repo, worktrees({ command: "git-is-not-here" }))).toBe(
        `${repo} cannot have a git worktree: git-is-not-here is not installed, or not on PATH`
      )
      fs.chmodSync(join(repo, ".git"), 0o500)
      if (process.getuid?.() !== 0) expect(yield* refused(repo)).toContain("cannot have a git worktree: ")
      fs.chmodSync(join(repo, ".git"), 0o700)
      expect(leftOnDisk()).toEqual([])
      expect(entries()).toEqual([])
    })
  )
})

describe("what was changed in a worktree", () => {
  const work = ({ path }: Worktree) => {
    write(join(path, "a.txt"), "a\nmore\n")
    write(join(path, "sub/new.txt"), `key=${SECRET}\n`)
    fs.rmSync(join(path, "wiki/page.md"))
  }

  it.live("is seen in the second of the checkout too, where a file stays as long as it was", () =>
    Effect.gen(function* () {
      yield* Effect.promise(() => Bun.sleep(1_000 - (Date.now() % 1_000)))
      const { path } = yield* made()
      write(join(path, "a.txt"), "b\n")
      yield* Effect.promise(() => Bun.sleep(1_000 - (Date.now() % 1_000)))
      expect(run(path, "status", "--porcelain")).toBe("M a.txt")
      const found = yield* changes
      expect(found).toMatchObject({ files: 1, problem: Option.none() })
      expect(found.diff).toContain("-a\n+b\n")
    })
  )

  it.live("is told as one diff that git can apply, new files and deletions in it, secrets masked", () =>
    Effect.gen(function* () {
      const worktree = yield* made()
      expect(yield* changes).toMatchObject({ files: 0, commits: 0, ignored: false, problem: Option.none() })
      work(worktree)
      const found = yield* changes
      expect(found).toMatchObject({ files: 3, commits: 0, problem: Option.none() })
      expect(found.diff).toContain("+key=[redacted]\n")
      expect(found.diff).not.toContain(SECRET)
      const file = join(state, "the.diff")
      fs.writeFileSync(file, found.diff)
      run(repo, "apply", file)
      expect(fs.readFileSync(join(repo, "a.txt"), "utf8")).toBe("a\nmore\n")
      expect(fs.existsSync(join(repo, "wiki/page.md"))).toBe(false)
      const touched = ["a.txt", "sub/new.txt", "sub", "wiki/page.md", ".gitignore", "nothing"]
      expect(touched.filter((name) => found.touched(join(worktree.path, name)))).toEqual(touched.slice(0, 4))
      expect(found.touched(join(repo, "a.txt"))).toBe(false)
    })
  )

  it.live("has what was committed there, and names the commits", () =>
    Effect.gen(function* () {
      const worktree = yield* made()
      work(worktree)
      run(worktree.path, "checkout", "-q", "-b", "mine")
      run(worktree.path, "add", "-A")
      run(worktree.path, "commit", "-q", "-m", `with ${SECRET}`)
      write(join(worktree.path, "a.txt"), "after\n")
      const found = yield* changes
      expect(found).toMatchObject({ files: 3, commits: 1 })
      expect(found.diff).toMatch(/^# commit [0-9a-f]{40} with \[redacted\]$/m)
      expect(found.diff).toContain("+after\n")
    })
  )

  it.live("names commits that HEAD was moved away from, and no others that it was moved to", () =>
    Effect.gen(function* () {
      run(repo, "checkout", "-q", "-b", "other")
      run(repo, "commit", "-q", "--allow-empty", "-m", "known before")
      run(repo, "checkout", "-q", "main")
      const worktree = yield* made()
      run(worktree.path, "checkout", "-q", "--detach", "other")
      run(worktree.path, "checkout", "-q", "--detach", "main")
      expect(yield* changes).toMatchObject({ files: 0, commits: 0 })
      work(worktree)
      run(worktree.path, "add", "-A")
      run(worktree.path, "commit", "-q", "-m", `precious ${SECRET}`)
      run(worktree.path, "reset", "-q", "--hard", "HEAD~1")
      const found = yield* changes
      expect(found).toMatchObject({ files: 0, commits: 1 })
      expect(found.diff).toMatch(/^# commit that HEAD does not have: [0-9a-f]{40} precious \[redacted\]$/m)
      run(worktree.path, "checkout", "-q", "-b", "mine")
      run(worktree.path, "commit", "-q", "--allow-empty", "-m", "held")
      expect((yield* changes).diff).toMatch(/^# commit [0-9a-f]{40} held\n# commit that HEAD .* precious/m)
      write(join(worktree.path, "a.txt"), "put aside\n")
      run(worktree.path, "stash")
      const stashed = yield* changes
      expect(stashed).toMatchObject({ files: 0, commits: 4 })
      expect(stashed.diff).toMatch(/^# commit that HEAD does not have: [0-9a-f]{40} WIP on mine/m)
      run(worktree.path, "stash", "drop", "-q")
      fs.appendFileSync(
        join(repo, ".git/worktrees", entries()[0]!, "logs/HEAD"),
        `garbage\n${"0".repeat(40)} ${"1".repeat(40)} x\n`
      )
      expect(yield* changes).toMatchObject({ commits: 2, problem: Option.none() })
    })
  )

  it.live("counts a commit that changes nothing, and what the agent hides by flags of its index", () =>
    Effect.gen(function* () {
      const { path } = yield* made()
      run(path, "commit", "-q", "--allow-empty", "-m", "empty")
      expect(yield* changes).toMatchObject({ files: 0, commits: 1 })
      run(path, "update-index", "--assume-unchanged", "a.txt")
      write(join(path, "a.txt"), "hidden\n")
      expect(run(path, "status", "--porcelain")).toBe("")
      expect(yield* changes).toMatchObject({ files: 1 })
    })
  )

  it.live("leaves ignored files out of the diff and says that they are there", () =>
    Effect.gen(function* () {
      const { path } = yield* made()
      write(join(path, "dist/out.js"), "x")
      const found = yield* changes
      expect(found).toMatchObject({ files: 0, ignored: true })
      expect(found.touched(join(path, "dist/out.js"))).toBe(true)
    })
  )

  it.live("counts a repository within it, a pipe and binary files without reading what they hold", () =>
    Effect.gen(function* () {
      const { path } = yield* made()
      run(path, "init", "-q", "nested")
      fs.writeFileSync(join(path, "image.png"), Buffer.from([0, 1, 2, 3]))
      execFileSync("mkfifo", [join(path, "pipe")])
      const found = yield* changes
      expect(found).toMatchObject({ files: 2, problem: Option.none() })
      expect(found.diff).toContain('# not in this diff: "nested/"')
      expect(found.diff).toMatch(/Binary files .* and b\/image.png differ/)
    })
  )

  it.live("names files of terabytes, changed or new, without reading them", () =>
    Effect.gen(function* () {
      const { path } = yield* made()
      for (const name of ["a.txt", "big.bin"]) fs.writeFileSync(join(path, name), "")
      for (const name of ["a.txt", "big.bin"]) fs.truncateSync(join(path, name), 2 ** 42)
      write(join(path, "small.txt"), "small\n")
      const found = yield* changes
      expect(found).toMatchObject({ files: 3, problem: Option.none() })
      for (const name of ["a.txt", "big.bin"]) {
        expect(found.diff).toContain(`# not in this diff: "${name}"`)
        expect(found.touched(join(path, name))).toBe(true)
      }
      expect(found.diff).toContain("+small")
    })
  )

  it.live("is not told, which is said, where a pipe for an attributes file stops every git", () =>
    Effect.gen(function* () {
      const { path } = yield* made()
      execFileSync("mkfifo", [join(path, ".gitattributes")])
      const found = yield* Effect.map(worktrees({ timeoutMs: 500 }).changes(ATTEMPT), Option.getOrThrow)
      expect(found.problem).toEqual(Option.some("git did not tell within 500 ms"))
      expect(found.diff).toContain("could not be compared with its base")
    })
  )

  it.live("is cut with a mark when it is too large", () =>
    Effect.gen(function* () {
      const { path } = yield* made()
      write(join(path, "large.txt"), `${"x".repeat(79)}\n`.repeat(70_000))
      const found = yield* changes
      expect(found.files).toBe(1)
      expect(found.diff.length).toBeLessThan(4 * 1024 * 1024 + 200)
      expect(found.diff).toEndWith("the kept worktree has all of it\n")
    })
  )

  it.live("is not told, which is said, where the agent broke the worktree", () =>
    Effect.gen(function* () {
      yield* made()
      fs.rmSync(join(repo, ".git/worktrees", ATTEMPT, "HEAD"))
      const found = yield* changes
      expect(Option.isSome(found.problem)).toBe(true)
      expect(found.diff).toContain("could not be compared with its base")
    })
  )
})

describe("nothing that a repository configures is run", () => {
  /** Programs of the repository, and of whoever writes to its configuration, that would leave a mark. */
  const hostile = () => {
    const script = join(base, `hook-${count}`)
    fs.writeFileSync(script, `#!/bin/sh\necho "$0 $*" >> ${witness}\ncat\n`, { mode: 0o755 })
    for (const hook of ["post-checkout", "reference-transaction", "post-index-change", "post-commit"])
      fs.copyFileSync(script, join(repo, ".git/hooks", hook))
    write(join(repo, ".gitattributes"), "*.txt filter=evil diff=evil\n")
    run(repo, "add", ".")
    run(repo, "-c", "core.hooksPath=/dev/null", "commit", "-q", "-m", "attributes")
    run(repo, "update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},vendor`)
    run(repo, "-c", "core.hooksPath=/dev/null", "commit", "-q", "-m", "a submodule")
    write(join(repo, ".git/info/attributes"), "* filter=evil diff=evil\n")
    const included = join(base, `included-${count}`)
    fs.writeFileSync(included, `[filter "late"]\n\tsmudge = ${script}\n\tclean = ${script}\n`)
    const config = {
      "filter.evil.smudge": script,
      "filter.evil.clean": script,
      "filter.evil.process": script,
      "filter.evil.required": "true",
      "diff.evil.textconv": script,
      "diff.evil.command": script,
      "diff.external": script,
      "core.fsmonitor": script,
      "core.pager": script,
      "core.sshCommand": script,
      "includeIf.gitdir:**/worktrees/**.path": included
    }
    for (const [key, value] of Object.entries(config))
      run(repo, "-c", "core.hooksPath=/dev/null", "config", key, value)
  }

  it.live("when a worktree is made, compared and removed", () =>
    Effect.gen(function* () {
      hostile()
      write(join(repo, "a.txt"), "a\n")
      expect(() => run(repo, "checkout", "-f", "HEAD")).toThrow()
      expect(fs.existsSync(witness)).toBe(true)
      fs.rmSync(witness)
      const { path } = yield* made()
      expect(fs.readFileSync(join(path, "a.txt"), "utf8")).toBe("a\n")
      write(join(path, "a.txt"), "changed\n")
      write(join(path, ".gitattributes"), "* filter=late diff=evil\n")
      write(join(path, "b.txt"), "b\n")
      for (const nested of [join(path, "nested"), join(path, "vendor")]) {
        run(path, "-c", "core.fsmonitor=false", "init", "-q", nested)
        write(join(nested, "tracked"), "x")
        run(nested, "add", ".")
        run(nested, "commit", "-q", "-m", "x")
        write(join(nested, "tracked"), "changed")
        run(nested, "config", "core.fsmonitor", join(base, `hook-${count}`))
      }
      expect(yield* changes).toMatchObject({ files: 5, problem: Option.none() })
      yield* worktrees().remove(ATTEMPT)
      expect(fs.existsSync(witness)).toBe(false)
    })
  )
})

describe("a worktree that is over", () => {
  it.live("is removed with its entry in the repository, whatever its agent made of it", () =>
    Effect.gen(function* () {
      const { path } = yield* made()
      write(join(path, "deep/er/file"), "12345")
      fs.chmodSync(join(path, "deep"), 0o000)
      fs.symlinkSync(repo, join(path, "link"))
      run(repo, "worktree", "lock", path)
      expect((yield* worktrees().remove(ATTEMPT, { dryRun: true })).bytes).toBeGreaterThan(0)
      expect(fs.existsSync(path)).toBe(true)
      expect((yield* worktrees().remove(ATTEMPT)).bytes).toBeGreaterThan(5)
      expect(leftOnDisk()).toEqual([])
      expect(entries()).toEqual([])
      expect(run(repo, "worktree", "list").split("\n")).toHaveLength(1)
      expect(fs.readFileSync(join(repo, "a.txt"), "utf8")).toBe("a\n")
      expect(yield* worktrees().remove(ATTEMPT)).toEqual({ bytes: 0 })
      expect(yield* worktrees().changes(ATTEMPT)).toEqual(Option.none())
    })
  )

  it.live("is listed while it is kept, and spent when an operator has taken it away", () =>
    Effect.gen(function* () {
      const { path } = yield* made()
      yield* worktrees().keep(ATTEMPT)
      expect(yield* worktrees().list).toMatchObject([
        { attemptId: ATTEMPT, taskId: "task", path, state: "kept" }
      ])
      run(path, "worktree", "remove", "--force", path)
      expect(yield* worktrees().list).toMatchObject([{ state: "spent" }])
      yield* worktrees().remove(ATTEMPT)
      expect(yield* worktrees().list).toEqual([])
    })
  )

  it.live("removes no other worktree's entry than its own", () =>
    Effect.gen(function* () {
      const other = join(base, `other-${count}`)
      run(repo, "worktree", "add", "-q", "--detach", other)
      yield* made()
      const record = join(state, "worktrees", `${ATTEMPT}.side/record.json`)
      const told = fs.readFileSync(record, "utf8")
      fs.writeFileSync(record, told.replace(`/worktrees/${ATTEMPT}"`, `/worktrees/other-${count}"`))
      yield* worktrees().remove(ATTEMPT)
      expect(entries()).toContain(`other-${count}`)
      expect(fs.existsSync(join(other, "a.txt"))).toBe(true)
    })
  )

  it.live("is spent where its removal was begun, so that what is gone is not taken for a change", () =>
    Effect.gen(function* () {
      const { path } = yield* made()
      const record = join(state, "worktrees", `${ATTEMPT}.side/record.json`)
      fs.writeFileSync(record, fs.readFileSync(record, "utf8").replace('"ready"', '"removing"'))
      fs.rmSync(join(path, "a.txt"))
      expect(yield* worktrees().list).toMatchObject([{ state: "spent" }])
      expect(yield* worktrees().changes(ATTEMPT)).toEqual(Option.none())
      yield* worktrees().remove(ATTEMPT)
      expect([leftOnDisk(), entries()]).toEqual([[], []])
    })
  )

  it.live(
    "is spent where nothing but the folder beside it is left, and unknown where it is there without a record",
    () =>
      Effect.gen(function* () {
        const { path } = yield* made()
        fs.rmSync(join(state, "worktrees", `${ATTEMPT}.side/record.json`))
        expect(yield* worktrees().list).toEqual([])
        fs.rmSync(path, { recursive: true })
        expect(yield* worktrees().list).toMatchObject([{ attemptId: ATTEMPT, state: "spent" }])
        yield* worktrees().remove(ATTEMPT)
        expect(leftOnDisk()).toEqual([])
      })
  )

  it.live("is spent, and removed without a trace, where its maker died on the way", () =>
    Effect.gen(function* () {
      const { path } = yield* made()
      const side = join(state, "worktrees", `${ATTEMPT}.side`)
      const entry = join(repo, ".git/worktrees", ATTEMPT)
      const record = fs.readFileSync(join(side, "record.json"), "utf8")
      // git was killed when it had only begun the entry, which it locks until it is done.
      fs.writeFileSync(
        join(side, "record.json"),
        record.replace('"ready"', '"making"').replace(/"entry":"[^"]*"/, '"entry":null')
      )
      fs.rmSync(path, { recursive: true })
      fs.rmSync(join(entry, "gitdir"))
      fs.writeFileSync(join(entry, "locked"), "initializing")
      expect(yield* worktrees().list).toMatchObject([{ state: "spent" }])
      expect(yield* worktrees().changes(ATTEMPT)).toEqual(Option.none())
      yield* worktrees().remove(ATTEMPT)
      expect(leftOnDisk()).toEqual([])
      expect(entries()).toEqual([])
    })
  )
})
