import { expect, setDefaultTimeout, test } from "bun:test"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { readFile, writeFile } from "node:fs/promises"
import type { Place } from "../support/binary.ts"
import { inPlace, queue, runOnce, story } from "./inPlace.ts"
import { beside } from "./resident.ts"

setDefaultTimeout(60_000)

/** Does what its argument says; what is alone in a folder would notice anybody else there. */
const SCRIPT = `#!/bin/sh
top="$AGENT_RUNTIME_STATE_DIR/.."
case "$1" in
  wait) read -r word < "$top/go"; echo "heard $word" ;;
  alone) mkdir busy 2>/dev/null || { echo overlap; exit 0; }; sleep 0.02; rmdir busy; echo alone ;;
  together) echo "$AGENT_RUNTIME_TASK_ID" >> a.txt; touch "$top/arrived/$AGENT_RUNTIME_TASK_ID"
    while [ "$(ls "$top/arrived" | wc -l)" -lt 3 ]; do sleep 0.02; done; echo together ;;
  die) echo "$TOKEN" > new.txt; echo up > "$top/said"; sleep 600 ;;
  anew) cd ..; rm .git; git init -q -b main; git config user.name t; git config user.email t@example.org
    git add .; git commit -q -m base; echo work > sub/a.txt; git commit -q -a -m work; git checkout -q HEAD~1; pwd ;;
  *) pwd ;;
esac`

const child = (settings: object) => ({ mode: "script", command: "./run.sh", timeoutMs: 30_000, ...settings })

const config = {
  adapters: {
    local: child({}),
    writer: child({ workingDir: "repo", workspace: "exclusive" }),
    second: child({ workingDir: "link", workspace: "exclusive" }),
    tree: child({ workingDir: "link/sub", workspace: "worktree", env: { TOKEN: { secretFile: "token" } } }),
    plain: child({ workingDir: "plain", workspace: "worktree" })
  },
  dispatch: { concurrency: 3 }
}

const git = (dir: string, ...args: ReadonlyArray<string>) =>
  execFileSync("git", ["-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.org", ...args], {
    env: { PATH: process.env.PATH, HOME: "/dev/null", GIT_CONFIG_GLOBAL: "/dev/null" },
    stdio: ["ignore", "pipe", "pipe"]
  }).toString()

const SECRET = "a-token-of-many-letters"

const site = (
  body: (place: Place, add: (adapter: string, what: string) => Promise<string>) => Promise<void>
) =>
  inPlace({ config, files: { "run.sh": SCRIPT, "repo/sub/a.txt": "a\n", token: SECRET } }, async (place) => {
    fs.chmodSync(place.path("token"), 0o600)
    for (const folder of ["plain", "arrived"]) fs.mkdirSync(place.path(folder))
    for (const fifo of ["go", "said"]) execFileSync("mkfifo", [place.path(fifo)])
    fs.symlinkSync("repo", place.path("link"))
    git(place.path("repo"), "init", "-q")
    git(place.path("repo"), "add", ".")
    git(place.path("repo"), "commit", "-q", "-m", "first")
    await body(place, (requested_adapter, what) =>
      queue(place, { requested_adapter, payload: { args: [what] } })
    )
  })

test("who works alone in a folder is alone in it, also with another dispatcher on the same store", () =>
  site((place, add) =>
    beside(place, async (follow, begin) => {
      begin()
      const first = await add("writer", "wait")
      await follow.told("task_started", first)
      const held = await add("second", "alone")
      const other = await add("local", "elsewhere")
      await follow.told("task_finished", other)
      const { waiting } = await story(place, held)
      expect(waiting?.reason).toBe("workspace")
      expect(waiting?.detail).toStartWith(
        `the workspace of adapter second is in use by task ${first} (adapter writer) since 2`
      )
      await place.write("other.json", JSON.stringify({ extends: "runtime.json", lockPath: "other.lock" }))
      begin(["--config", place.path("other.json")])
      const many = [held]
      for (let task = 0; task < 5; task++) many.push(await add(task % 2 === 0 ? "writer" : "second", "alone"))
      await writeFile(place.path("go"), "on\n")
      for (const id of many) await follow.told("task_finished", id)
      const said = await Promise.all(many.map((id) => story(place, id)))
      expect(said.map(({ task }) => task.outcome?.operator_summary)).toEqual(many.map(() => "alone"))
    })
  ))

test("worktrees let three work on one file at once; what they did is kept, also after a SIGKILL", () =>
  site((place, add) =>
    beside(place, async (follow, begin) => {
      const dispatcher = begin()
      const three = [
        await add("tree", "together"),
        await add("tree", "together"),
        await add("tree", "together")
      ]
      for (const id of three) await follow.told("task_finished", id)
      for (const id of three) {
        const { attempts, events } = await story(place, id)
        const { attempt_id, issues } = attempts[0]!
        const diff = `adapter-runs/${id}/${attempt_id}/workspace.diff`
        expect(issues).toEqual([
          `workspace_kept: worktrees/${attempt_id} below the state folder is kept, with 1 changed file; its diff is ${diff}.`
        ])
        const ended = events.find(({ event_type }) => event_type === "task_attempt_finished")
        expect(ended?.detail.workspace).toMatchObject({ kept: `worktrees/${attempt_id}`, files: 1, diff })
        expect(await readFile(place.path("state/artifacts", diff), "utf8")).toContain(`+${id}\n`)
      }
      const table = await place.run(["task-show", three[0]!, "-o", "table"])
      expect(table.stdout).toMatch(/Issues\n *attempt 1: workspace_kept: worktrees\//)
      const dying = await add("tree", "die")
      await readFile(place.path("said"))
      await dispatcher.ended("SIGKILL")
      await place.json(["pause"])
      await runOnce(place)
      const { attempts, task } = await story(place, dying)
      expect(task.status).toBe("retryable_failure")
      expect(attempts[0]?.issues[0]).toStartWith(`workspace_kept: worktrees/${attempts[0]?.attempt_id} `)
      const diff = place.path(
        "state/artifacts/adapter-runs",
        dying,
        attempts[0]!.attempt_id,
        "workspace.diff"
      )
      expect(await readFile(diff, "utf8")).toContain("+[redacted]\n")
      const repo = place.path("repo")
      expect(git(repo, "status", "--porcelain")).toBe("")
      expect(git(repo, "worktree", "list").trim().split("\n")).toHaveLength(5)
      expect(git(repo, "fsck")).toBe("")
    })
  ))

test("a worktree in which its agent made a repository of its own is kept, as its commits are nowhere else", () =>
  site(async (place, add) => {
    const id = await add("tree", "anew")
    await runOnce(place)
    const { attempts, events } = await story(place, id)
    const { attempt_id, issues } = attempts[0]!
    expect(issues).toEqual([
      `workspace_kept: worktrees/${attempt_id} below the state folder is kept, as its .git is not the file that was made: what was committed by what is there now may be nowhere else; its diff is adapter-runs/${id}/${attempt_id}/workspace.diff.`
    ])
    const ended = events.find(({ event_type }) => event_type === "task_attempt_finished")
    expect(ended?.detail.workspace).toMatchObject({ kept: `worktrees/${attempt_id}`, files: 0 })
    const kept = place.path("state/worktrees", attempt_id)
    expect(git(kept, "log", "--format=%s", "main").trim().split("\n")).toEqual(["work", "base"])
  }))

test("an unchanged worktree leaves nothing behind, and where there is no repository the task is blocked", () =>
  site(async (place, add) => {
    const quiet = await add("tree", "quiet")
    await runOnce(place)
    const { task, attempts } = await story(place, quiet)
    const { attempt_id, issues } = attempts[0]!
    expect(task.outcome?.operator_summary).toBe(place.path("state/worktrees", attempt_id, "sub"))
    expect(issues).toEqual([])
    expect(fs.readdirSync(place.path("state/worktrees"))).toEqual([])
    expect(git(place.path("repo"), "worktree", "list").trim().split("\n")).toHaveLength(1)
    const lost = await add("plain", "quiet")
    await runOnce(place)
    const { task: blocked } = await story(place, lost)
    expect(blocked.status).toBe("blocked")
    expect(blocked.last_error).toContain(
      `${fs.realpathSync(place.path("plain"))} cannot have a git worktree: not a git repository`
    )
  }))
