import { afterAll, describe, expect } from "bun:test"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Option } from "effect"
import { make } from "../../../layers/context/GitWorktrees.ts"
import { AttemptId, TaskId } from "../../../src/domain/Ids.ts"
import { redactorOf } from "../../../src/domain/Redactor.ts"
import { it } from "../../support/effect.ts"
import { run, write } from "./agentGit.ts"

const base = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "stash-test-")))
afterAll(() => fs.rmSync(base, { recursive: true, force: true }))

const ATTEMPT = AttemptId.make("0190-attempt")
const worktrees = make(
  { stateDir: join(base, "state") },
  { command: "git", timeoutMs: 20_000, path: process.env.PATH ?? "" },
  () => Effect.succeed(redactorOf([]))
)
const changes = Effect.map(worktrees.changes(ATTEMPT), Option.getOrThrow)

describe("what was stashed in a worktree", () => {
  it.live("is told, and not what was stashed elsewhere in the repository meanwhile", () =>
    Effect.gen(function* () {
      const repo = join(base, "repo")
      write(join(repo, "a.txt"), "a\n")
      run(repo, "init", "-q", "-b", "main")
      run(repo, "add", ".")
      run(repo, "commit", "-q", "-m", "first")
      let stashes = 0
      const stash = (dir: string, ...how: ReadonlyArray<string>) => {
        fs.appendFileSync(join(dir, "a.txt"), `put aside ${++stashes}\n`)
        run(dir, "stash", "push", "-q", ...how)
      }
      const another = (name: string) => {
        const dir = join(base, name)
        run(repo, "worktree", "add", "-q", "--no-checkout", "--detach", dir, "HEAD")
        run(dir, "read-tree", "-u", "--reset", "HEAD")
        return dir
      }
      const told = Effect.map(changes, ({ diff }) =>
        [...diff.matchAll(/^# commit that HEAD does not have: \S+ ((WIP on|On) .*)$/gm)]
          .map(([, what]) => what)
          .sort()
      )
      const { path } = yield* worktrees.make({
        taskId: TaskId.make("task"),
        attemptId: ATTEMPT,
        dir: repo,
        base: Option.none()
      })
      stash(repo)
      stash(repo, "-m", "a message: of somebody")
      // Of another attempt, made as this one was; and of a commit that this one never had.
      stash(another("other"), "-m", "other")
      run(repo, "commit", "-q", "--allow-empty", "-m", "elsewhere")
      stash(another("later"))
      expect(run(repo, "stash", "list").split("\n")).toHaveLength(4)
      expect(yield* changes).toMatchObject({ commits: 0 })
      // Git leaves no trace of this where it is made: either of two may be this one's.
      stash(path, "-m", "a part", "--", "a.txt")
      expect(yield* told).toEqual(["On (no branch): a part", "On (no branch): other"])
      run(path, "checkout", "-q", "-b", "topic/mine")
      stash(path)
      fs.appendFileSync(join(path, "a.txt"), "by hand\n")
      run(path, "stash", "store", "-m", "by hand", run(path, "stash", "create"))
      run(path, "checkout", "-q", "-f", "--detach")
      expect(
        (yield* told).filter((what) => /^WIP on topic\/mine: [0-9a-f]+ first$/.test(`${what}`))
      ).toHaveLength(2)
      // Where no log of HEAD is kept nothing is plain.
      fs.rmSync(join(repo, ".git/worktrees", ATTEMPT, "logs"), { recursive: true })
      expect(yield* told).toHaveLength(7)
    })
  )
})
