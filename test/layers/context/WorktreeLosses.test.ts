import { afterAll, beforeAll, beforeEach, describe, expect } from "bun:test"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Option } from "effect"
import { make } from "../../../layers/context/GitWorktrees.ts"
import { removal } from "../../../src/context/Worktrees.ts"
import { AttemptId, TaskId } from "../../../src/domain/Ids.ts"
import { redactorOf } from "../../../src/domain/Redactor.ts"
import { it } from "../../support/effect.ts"
import { run, write } from "./agentGit.ts"

const base = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "losses-test-")))
afterAll(() => fs.rmSync(base, { recursive: true, force: true }))

const ATTEMPT = AttemptId.make("0190-attempt")
const SECRET = "hunter2-hunter2"

let count = 0
let repo = ""
let state = ""
const template = join(base, "template")
beforeAll(() => {
  write(join(template, "a.txt"), "a\n")
  write(join(template, ".gitignore"), "dist/\n")
  run(template, "init", "-q", "-b", "main")
  run(template, "add", ".")
  run(template, "commit", "-q", "-m", "first")
})
beforeEach(() => {
  repo = join(base, `case-${++count}`, "repo")
  state = join(base, `case-${count}`, "state")
  fs.cpSync(template, repo, { recursive: true })
})

const worktrees = Effect.sync(() =>
  make({ stateDir: state }, { command: "git", timeoutMs: 20_000, path: process.env.PATH ?? "" }, () =>
    Effect.succeed(redactorOf([SECRET]))
  )
)
const made = Effect.flatMap(worktrees, (all) =>
  all.make({ taskId: TaskId.make("task"), attemptId: ATTEMPT, dir: repo, base: Option.none() })
)
const looked = Effect.flatMap(worktrees, (all) => all.changes(ATTEMPT))
const changes = Effect.map(looked, Option.getOrThrow)
const entry = () => join(repo, ".git/worktrees", ATTEMPT)
const unchanged = {
  files: 0,
  commits: 0,
  staged: 0,
  ignored: false,
  gone: false,
  problem: Option.none<string>()
}

/** A commit on the base that no name has; its id. */
const dangling = (path: string, subject: string) =>
  run(path, "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", subject)

/** Makes a repository of a folder, with work in a file of it that only a commit has which HEAD has left. */
const ownRepository = (folder: string, file: string) => {
  run(folder, "init", "-q", "-b", "main")
  run(folder, "add", ".")
  run(folder, "commit", "-q", "-m", "base")
  write(join(folder, file), "work\n")
  run(folder, "commit", "-q", "-a", "-m", "work")
  run(folder, "checkout", "-q", "HEAD~1")
}

describe("a worktree that is not as it was made", () => {
  it.live(
    "may have lost commits where a repository is in the place of its .git, and its files are told",
    () =>
      Effect.gen(function* () {
        const { path } = yield* made
        expect(yield* changes).toMatchObject(unchanged)
        fs.rmSync(join(path, ".git"))
        ownRepository(path, "a.txt")
        const found = yield* changes
        expect(found).toMatchObject({
          ...unchanged,
          problem: Option.some(expect.stringMatching(/its \.git is not the file/))
        })
        write(join(path, "a.txt"), "more\n")
        expect(yield* changes).toMatchObject({ files: 1 })
        fs.rmSync(join(path, ".git"), { recursive: true })
        expect(Option.isSome((yield* changes).problem)).toBe(true)
        write(join(path, ".git"), `gitdir: ${entry()}\n`)
        expect((yield* changes).problem).toEqual(Option.none())
      })
  )

  it.live("may have lost commits where its entry is another one, or the log of HEAD was cut", () =>
    Effect.gen(function* () {
      const { path } = yield* made
      const log = fs.readFileSync(join(entry(), "logs/HEAD"))
      fs.writeFileSync(join(entry(), "logs/HEAD"), "")
      expect(Option.getOrNull((yield* changes).problem)).toContain("the log of its HEAD")
      fs.writeFileSync(join(entry(), "logs/HEAD"), log)
      expect(yield* changes).toMatchObject(unchanged)
      fs.mkdirSync(join(entry(), "objects"))
      expect(Option.getOrNull((yield* changes).problem)).toContain("its entry in the repository")
      fs.rmdirSync(join(entry(), "objects"))
      fs.writeFileSync(join(entry(), "commondir"), join(path, "elsewhere"))
      expect(Option.isSome((yield* changes).problem)).toBe(true)
    })
  )
})

it.live("one that was moved with the state folder is removed as an operator is told to", () =>
  Effect.gen(function* () {
    yield* made
    const moved = `${state}-moved`
    fs.renameSync(state, moved)
    const path = join(moved, "worktrees", ATTEMPT)
    fs.writeFileSync(join(path, "new.txt"), "work\n")
    const told = [...removal(path).matchAll(/git -C (\S+) ([^(),]+?) *(?=[(),]|$)/g)]
    const [remove, repair] = told.map(
      ([, at = "", words = ""]) =>
        () =>
          run(at, ...words.split(" "))
    )
    expect(remove).toThrow()
    repair!()
    remove!()
    expect(fs.existsSync(path)).toBe(false)
    expect(run(repo, "worktree", "list").split("\n")).toHaveLength(1)
  })
)

describe("what git lists nowhere", () => {
  it.live(
    "is named: a repository in a folder of tracked files, at every depth, and a file in its place",
    () =>
      Effect.gen(function* () {
        write(join(repo, "wiki/deep/page.md"), "page\n")
        run(repo, "add", ".")
        run(repo, "commit", "-q", "-m", "wiki")
        const { path } = yield* made
        expect(yield* changes).toMatchObject(unchanged)
        const wiki = join(path, "wiki/deep")
        ownRepository(wiki, "page.md")
        expect(run(path, "status", "--porcelain")).toBe("")
        write(join(path, "wiki/.git"), "words\n")
        const found = yield* changes
        expect(found).toMatchObject({ ...unchanged, files: 2 })
        expect(found.diff).toContain('# not in this diff: "wiki/deep/.git/"\n')
        expect(found.diff).toContain('# not in this diff: "wiki/.git"\n')
        expect(found.touched(join(wiki, ".git/HEAD"))).toBe(true)
        expect(found.touched(join(wiki, "page.md"))).toBe(false)
      })
  )

  it.live("is named where a folder cannot be read, and not sought in what is told as a whole", () =>
    Effect.gen(function* () {
      const { path } = yield* made
      write(join(path, "dist/.git/HEAD"), "x")
      run(path, "init", "-q", "nested")
      const found = yield* changes
      expect(found).toMatchObject({ ...unchanged, files: 1, ignored: true })
      fs.mkdirSync(join(path, "shut"), { mode: 0o000 })
      expect(yield* changes).toMatchObject({ files: process.getuid?.() === 0 ? 1 : 2 })
      fs.chmodSync(join(path, "shut"), 0o700)
    })
  )
})

describe("what is in an index alone", () => {
  it.live("is told by name: staged and put back, staged and removed, taken out of the index", () =>
    Effect.gen(function* () {
      const { path } = yield* made
      write(join(path, "a.txt"), "work\n")
      write(join(path, "new.txt"), "new\n")
      run(path, "add", ".")
      expect(yield* changes).toMatchObject({ ...unchanged, files: 2 })
      write(join(path, "a.txt"), "a\n")
      fs.rmSync(join(path, "new.txt"))
      const found = yield* changes
      expect(found).toMatchObject({ ...unchanged, staged: 2 })
      expect(found.diff).toContain('# not in this diff, for it is in the index alone: "a.txt"\n')
      expect(found.diff).toContain('# not in this diff, for it is in the index alone: "new.txt"\n')
      run(path, "reset", "-q")
      expect(yield* changes).toMatchObject(unchanged)
      run(path, "rm", "-q", "--cached", "a.txt")
      expect(yield* changes).toMatchObject({ ...unchanged, staged: 1 })
      run(path, "add", ".")
      write(join(path, "a.txt"), "one\n")
      run(path, "add", ".")
      write(join(path, "a.txt"), "two\n")
      expect(yield* changes).toMatchObject({ ...unchanged, files: 1, staged: 1 })
    })
  )

  it.live("is nothing beside a diff that has it, removals and modes among it, nor in a split index", () =>
    Effect.gen(function* () {
      const { path } = yield* made
      fs.chmodSync(join(path, "a.txt"), 0o755)
      run(path, "rm", "-q", ".gitignore")
      run(path, "add", ".")
      expect(yield* changes).toMatchObject({ ...unchanged, files: 2 })
      run(path, "reset", "-q", "--hard")
      run(path, "update-index", "--split-index")
      expect(yield* changes).toMatchObject(unchanged)
    })
  )
})

describe("commits that a worktree's own folder alone names", () => {
  it.live("are told where the repository keeps no logs", () =>
    Effect.gen(function* () {
      run(repo, "config", "core.logAllRefUpdates", "false")
      const { path } = yield* made
      expect(yield* changes).toMatchObject(unchanged)
      write(join(path, "a.txt"), "work\n")
      run(path, "commit", "-q", "-a", "-m", "precious")
      run(path, "checkout", "-q", "--detach", "HEAD~1")
      const found = yield* changes
      expect(found).toMatchObject({ ...unchanged, commits: 1 })
      expect(found.diff).toMatch(/^# commit that HEAD does not have: [0-9a-f]{40} precious$/m)
    })
  )

  it.live("are told of refs of its own, of what git puts down, and of a reset, unless others have them", () =>
    Effect.gen(function* () {
      const { path } = yield* made
      run(path, "update-ref", "refs/worktree/keep", dangling(path, "a ref"))
      run(path, "update-ref", "refs/bisect/bad", dangling(path, "bisected"))
      write(join(entry(), "FETCH_HEAD"), `${dangling(path, "fetched")}\tnot-for-merge\tbranch 'x' of y\n`)
      write(join(entry(), "rebase-merge/autostash"), `${dangling(path, "a stash of a rebase")}\n`)
      run(path, "reset", "-q", "--hard", dangling(path, "reset to"))
      run(path, "reset", "-q", "--hard", "HEAD~1")
      const told = (diff: string) =>
        [...diff.matchAll(/^# commit \D+: \S+ (.+)$/gm)].map(([, what]) => what).sort()
      const found = yield* changes
      expect(told(found.diff)).toEqual(["a ref", "a stash of a rebase", "bisected", "fetched", "reset to"])
      expect(found).toMatchObject({ ...unchanged, commits: 5 })
      run(repo, "branch", "fetched", run(path, "rev-parse", "FETCH_HEAD"))
      run(path, "update-ref", "-d", "refs/worktree/keep")
      expect(told((yield* changes).diff)).toEqual(["a stash of a rebase", "bisected", "reset to"])
    })
  )

  it.live("are not all that its refs may name: a file, a tree or a tag is nowhere else", () =>
    Effect.gen(function* () {
      const { path } = yield* made
      run(path, "tag", "-a", "-m", "work", "mine")
      for (const name of [run(path, "rev-parse", "HEAD^{tree}"), run(path, "rev-parse", "mine")]) {
        run(path, "update-ref", "refs/worktree/keep", name)
        expect(yield* changes).toMatchObject({
          ...unchanged,
          problem: Option.some("as its own ref refs/worktree/keep names what is no commit")
        })
      }
    })
  )

  it.live("may be more than can be told", () =>
    Effect.gen(function* () {
      yield* made
      fs.symlinkSync("nowhere", join(entry(), "MERGE_HEAD"))
      expect(Option.getOrNull((yield* changes).problem)).toStartWith("its commits cannot be told: ")
    })
  )
})

describe("a worktree whose record is gone", () => {
  it.live("cannot be told, and is there all the same", () =>
    Effect.gen(function* () {
      const { path } = yield* made
      write(join(path, "a.txt"), "work\n")
      const record = `${path}.side/record.json`
      for (const spoil of [
        () => fs.writeFileSync(record, "{"),
        () => fs.rmSync(`${path}.side`, { recursive: true })
      ]) {
        spoil()
        expect(Option.getOrNull((yield* changes).problem)).toStartWith("as its record beside it is gone")
      }
      fs.rmSync(path, { recursive: true })
      expect(yield* looked).toEqual(Option.none())
    })
  )
})

describe("a worktree whose folder is no longer at its path", () => {
  const aside = (path: string) => {
    write(join(path, "a.txt"), "work\n")
    fs.renameSync(path, `${path}.bak`)
  }

  it.live(
    "is told as gone where a link or another folder is there, and stays until somebody has looked",
    () =>
      Effect.gen(function* () {
        const all = yield* worktrees
        const { path } = yield* made
        aside(path)
        const puts = [
          () => fs.symlinkSync(repo, path),
          () => run(repo, "clone", "-q", repo, path),
          () => fs.symlinkSync("nowhere", path)
        ]
        write(join(repo, "a.txt"), "of the operator\n")
        for (const put of puts) {
          put()
          const found = yield* changes
          expect(found).toMatchObject({
            ...unchanged,
            gone: true,
            problem: Option.some(
              `is no longer the folder that was made, which is "${ATTEMPT}.bak" beside it now`
            )
          })
          expect(found.touched(join(path, "a.txt"))).toBe(false)
          expect(found.diff).not.toContain("of the operator")
          yield* all.keep(ATTEMPT)
          expect(yield* all.list).toMatchObject([{ attemptId: ATTEMPT, state: "kept" }])
          fs.rmSync(path, { recursive: true })
        }
      })
  )

  it.live("is gone without a trace where nothing would be lost", () =>
    Effect.gen(function* () {
      const { path } = yield* made
      fs.renameSync(path, join(base, `elsewhere-${count}`))
      expect(yield* looked).toEqual(Option.none())
    })
  )

  it.live("is kept by what git has of it, as long as git has it", () =>
    Effect.gen(function* () {
      const all = yield* worktrees
      const { path } = yield* made
      run(path, "commit", "-q", "--allow-empty", "-m", `precious ${SECRET}`)
      write(join(path, "staged.txt"), "work\n")
      run(path, "add", ".")
      fs.rmSync(path, { recursive: true })
      const found = yield* changes
      expect(found).toMatchObject({
        gone: true,
        commits: 1,
        staged: 1,
        problem: Option.some("was no longer there")
      })
      expect(found.diff).toMatch(/^# commit [0-9a-f]{40} precious \[redacted\]$/m)
      yield* all.keep(ATTEMPT)
      expect(yield* all.list).toMatchObject([{ state: "kept", goneFrom: join(repo, ".git") }])
      run(repo, "worktree", "prune")
      expect(yield* all.list).toMatchObject([{ state: "spent" }])
      yield* all.remove(ATTEMPT)
      expect(fs.readdirSync(join(state, "worktrees"))).toEqual([])
    })
  )
})

describe("what the diff of a worktree shows", () => {
  it.live("is no matter of attributes that its agent wrote, secrets are masked in it all the same", () =>
    Effect.gen(function* () {
      const { path } = yield* made
      write(join(path, ".gitattributes"), "* -diff\n*.md binary\n")
      write(join(path, "a.txt"), `work ${SECRET}\n`)
      write(join(path, "new.md"), "new\n")
      const { diff } = yield* changes
      expect(diff).toContain("-a\n+work [redacted]\n")
      expect(diff).toContain("+new\n")
    })
  )

  it.live("names what git ignores beside it", () =>
    Effect.gen(function* () {
      const { path } = yield* made
      write(join(path, "a.txt"), "work\n")
      write(join(path, "dist/out.js"), "x")
      const found = yield* changes
      expect(found).toMatchObject({ ...unchanged, files: 1, ignored: true })
      expect(found.diff).toContain('# not in this diff, for git ignores it: "dist/"\n')
    })
  )
})
