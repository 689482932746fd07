import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, symlinkSync } from "node:fs"
import { setTimeout as pause } from "node:timers/promises"
import type { Fault } from "../Fault.ts"
import { between, pick } from "../Random.ts"
import { rows } from "../Rows.ts"
import { Scene, witnessAdapter } from "../Scene.ts"

const KILLS = 8
const SIDE = ".side"

/**
 * Who works in a folder of its own holds a lock of the kernel on it, as do its children: whoever meets it held was
 * not alone. In a worktree every second one changes a file.
 */
const WORK = `top="$AGENT_RUNTIME_STATE_DIR/.."
case "$1" in
alone) exec 9>"$top/folder.lock"
  flock -n 9 || echo "$AGENT_RUNTIME_ATTEMPT_ID" >> "$top/overlaps"
  sleep 0.1; setsid sleep 0.2 & sleep 0.1 ;;
change) echo "$AGENT_RUNTIME_ATTEMPT_ID" >> a.txt; sleep 0.2 ;;
look) cat a.txt >/dev/null; sleep 0.2 ;;
esac`

const config = {
  maxAttempts: 1_000,
  dispatch: { concurrency: 3 },
  adapters: {
    local: witnessAdapter(),
    writer: witnessAdapter({ workingDir: "repo", workspace: "exclusive" }),
    second: witnessAdapter({ workingDir: "link", workspace: "exclusive" }),
    tree: witnessAdapter({ workingDir: "repo", workspace: "worktree" })
  }
}

const jobs = [
  ["writer", "alone"],
  ["second", "alone"],
  ["tree", "change"],
  ["tree", "look"]
] as const

const git = (folder: string, ...args: ReadonlyArray<string>): string =>
  execFileSync("git", ["-C", folder, "-c", "user.name=t", "-c", "user.email=t@example.org", ...args], {
    env: { PATH: process.env.PATH, HOME: "/dev/null", GIT_CONFIG_GLOBAL: "/dev/null" },
    stdio: ["ignore", "pipe", "pipe"]
  }).toString()

const furnish = async (): Promise<Scene> => {
  const scene = await Scene.make(WORK, {
    config,
    files: {
      "repo/a.txt": "a\n",
      "other.json": JSON.stringify({ extends: "runtime.json", lockPath: "state/other.lock" })
    }
  })
  const repo = scene.place.path("repo")
  symlinkSync("repo", scene.place.path("link"))
  git(repo, "init", "-q")
  git(repo, "add", ".")
  git(repo, "commit", "-q", "-m", "first")
  return scene
}

interface AttemptRow {
  readonly attempt_id: string
  readonly task_id: string
}

const attemptsIn = (scene: Scene): ReadonlyArray<AttemptRow> =>
  rows<AttemptRow>(scene.database, "SELECT attempt_id, task_id FROM attempts")

/** What is wrong with the repository and with the worktrees that are left when all is done. */
const judged = (scene: Scene): ReadonlyArray<string> => {
  const repo = scene.place.path("repo")
  const overlaps = scene.place.path("overlaps")
  const trees = scene.place.path("state", "worktrees")
  const names = existsSync(trees) ? readdirSync(trees) : []
  // Beside each worktree lies what is known of it.
  const kept = names.filter((name) => !name.endsWith(SIDE))
  const lonely = names.filter((name) => name.endsWith(SIDE) && !kept.includes(name.slice(0, -SIDE.length)))
  const listed = git(repo, "worktree", "list").trim().split("\n").length - 1
  const attempts = new Map(attemptsIn(scene).map((attempt) => [attempt.attempt_id, attempt]))
  return [
    ...(existsSync(overlaps)
      ? [`not alone in their folder: ${readFileSync(overlaps, "utf8").trim().split("\n").join(", ")}`]
      : []),
    ...lonely.map((name) => `${name} is left of a worktree that is gone`),
    ...kept.flatMap((id) => {
      const attempt = attempts.get(id)
      if (attempt === undefined) return [`the worktree ${id} is left and belongs to no attempt`]
      const diff = scene.place.path("state/artifacts/adapter-runs", attempt.task_id, id, "workspace.diff")
      return [
        ...(existsSync(diff) ? [] : [`the worktree ${id} is kept without its diff`]),
        ...(git(`${trees}/${id}`, "status", "--porcelain") === ""
          ? [`the worktree ${id} is kept and nothing was changed in it`]
          : [])
      ]
    }),
    ...(listed === kept.length ? [] : [`git knows ${listed} worktrees, ${kept.length} are there`]),
    ...(git(repo, "status", "--porcelain") === "" ? [] : ["the repository itself was changed"]),
    ...(git(repo, "fsck", "--no-dangling") === "" ? [] : ["git finds faults in the repository"])
  ]
}

/** Two dispatchers at work in one folder and in worktrees die: nobody is ever beside who has a folder to itself. */
export const workspacesKilled: Fault = {
  name: "kill -9 of two dispatchers at work in exclusive folders and worktrees",
  needs: ["git"],
  rounds: 8,
  sample: [],
  found: "",
  round: async ({ keepAs, random }) => {
    const scene = await furnish()
    const violations: Array<string> = []
    const add = async () => {
      const [requested_adapter, word] = pick(random, jobs)
      const intent = { kind: "note", source: "faults", payload: { args: [word] }, requested_adapter }
      await scene.run(["intake", "--json", JSON.stringify(intent)])
    }
    try {
      for (let kill = 0; kill < KILLS; kill++) {
        for (let task = 0; task < 3; task++) await add()
        const both = [
          scene.dispatch(),
          scene.dispatch({ env: { AGENT_RUNTIME_CONFIG: scene.place.path("other.json") } })
        ]
        await pause(between(random, 100, 1_200))
        // One after the other: who is left finds what the dead one held.
        for (const one of random() < 0.5 ? both : both.reverse()) {
          await one.end("SIGKILL")
          await pause(between(random, 0, 300))
        }
      }
      violations.push(...(await scene.rest()), ...judged(scene))
      return { strikes: 2 * KILLS, violations: [...new Set(violations)] }
    } finally {
      await scene.end(violations.length > 0 ? keepAs : undefined)
    }
  }
}
