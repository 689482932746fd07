import { expect, setDefaultTimeout, test } from "bun:test"
import { mkdir, readdir } from "node:fs/promises"
import { join } from "node:path"
import { latest, MIGRATIONS } from "../../layers/store/Migrations.ts"
import { bare, inPlace, queue } from "./inPlace.ts"

setDefaultTimeout(60_000)

const root = join(import.meta.dir, "../..")
const PATH = process.env.PATH ?? "/usr/bin:/bin"

const commands = [
  "intake",
  "bridge-github",
  "bridge-discord",
  "run-once",
  "dispatch",
  "serve",
  "up",
  "status",
  "healthcheck",
  "adapters",
  "task-list",
  "task-show",
  "attempt-list",
  "attempt-log",
  "bundle-show",
  "bundle-diff",
  "events",
  "task-cancel",
  "task-retry",
  "task-answer",
  "task-replay",
  "pause",
  "resume",
  "stop",
  "adapter-clear",
  "budget-show",
  "budget-grant",
  "usage",
  "schedule-create",
  "schedule-list",
  "schedule-show",
  "schedule-tick",
  "schedule-enable",
  "schedule-disable",
  "schedule-delete",
  "workflow-create",
  "workflow-list",
  "workflow-show",
  "workflow-transition",
  "workflow-complete",
  "workflow-templates",
  "sensor-event",
  "sensor-list",
  "question-list",
  "outbox-list",
  "outbox-ack",
  "seed-backlog",
  "snapshot",
  "report",
  "backup",
  "backup-verify",
  "restore",
  "prune",
  "agent-init",
  "install-units",
  "config-schema",
  "openapi",
  "demo"
]

test("each command's --help tells its usage, options, an example, and its exit codes", () =>
  inPlace({}, async (place) => {
    const run = (args: ReadonlyArray<string>) => bare(place.program, args, { cwd: "/", env: {} })
    const program = await run(["--help"])
    expect(program).toMatchObject({ code: 0, stderr: "" })
    for (const command of commands) {
      expect(program.stdout).toContain(`\n  ${command} `)
      const help = await run([command, "--help"])
      expect({ command, code: help.code, stderr: help.stderr }).toEqual({ command, code: 0, stderr: "" })
      expect(help.stdout).toContain(`agent-runtime ${command}`)
      for (const heading of ["Usage", "Options", "Example", "Exit codes"])
        expect(help.stdout).toContain(heading)
      expect(help.stdout.split("\n").filter((line) => line.length > 100)).toEqual([])
    }
    expect((await run([])).stdout).toBe(program.stdout)
    expect((await run(["help", "status"])).stdout).toBe((await run(["status", "-h"])).stdout)
  }))

test("--version tells the version of package.json and the schema, needs no configuration and makes no file", () =>
  inPlace({}, async (place) => {
    const cwd = place.path("empty")
    await mkdir(cwd)
    const { version } = await Bun.file(join(root, "package.json")).json()
    for (const args of [["--version"], ["status", "--version"]])
      expect(await bare(place.program, args, { cwd, env: {} })).toMatchObject({
        code: 0,
        stdout: `agent-runtime ${version} (schema ${latest(MIGRATIONS)})\n`,
        stderr: ""
      })
    const schema = await bare(place.program, ["config-schema"], { cwd, env: {} })
    expect(JSON.parse(schema.stdout)).toMatchObject({ type: "object" })
    expect(await readdir(cwd)).toEqual([])
  }))

test("completions are what each shell understands and hold every command", () =>
  inPlace({}, async (place) => {
    for (const shell of ["bash", "zsh", "fish"]) {
      const told = await bare(place.program, ["--completions", shell], { cwd: "/", env: {} })
      expect({ shell, code: told.code, stderr: told.stderr }).toEqual({ shell, code: 0, stderr: "" })
      for (const command of commands) expect(told.stdout).toContain(command)
      expect(told.stdout).not.toContain("agent-runtime,complete)")
      if (shell !== "bash") continue
      const parsed = Bun.spawnSync(["bash", "-n"], { stdin: Buffer.from(told.stdout) })
      expect(parsed.stderr.toString()).toBe("")
    }
  }))

test("what completions ask for is there at once, and where nothing is nothing is made", () =>
  inPlace({}, async (place) => {
    const ask = (kind: string) => place.run(["complete", kind])
    expect(await ask("tasks")).toMatchObject({ code: 0, stdout: "", stderr: "" })
    expect(await readdir(place.folder)).not.toContain("state")
    expect((await ask("adapters")).stdout).toBe("local\tscript\n")
    const id = await queue(place, { subject: "look" })
    expect((await ask("open-tasks")).stdout).toBe(`${id}\tpending look\n`)
    const nowhere = await bare(place.program, ["complete", "tasks"], { cwd: "/", env: {} })
    expect(nowhere).toMatchObject({ code: 0, stdout: "", stderr: "" })
  }))

test("demo does the whole job from an empty folder and leaves nothing behind", () =>
  inPlace({}, async (place) => {
    const cwd = place.path("empty")
    const TMPDIR = place.path("tmp")
    await mkdir(cwd)
    await mkdir(TMPDIR)
    const told = await bare(place.program, ["demo"], { cwd, env: { PATH, TMPDIR } })
    expect(told).toMatchObject({ code: 0, stderr: "" })
    const { ok, tasks } = JSON.parse(told.stdout)
    expect(ok).toBe(true)
    expect(tasks.map((task: { kind: string; status: string }) => [task.kind, task.status])).toEqual([
      ["github-story", "completed"],
      ["discord-reply", "completed"]
    ])
    expect(await readdir(cwd)).toEqual([])
    expect(await readdir(TMPDIR)).toEqual([])
  }))

test("healthcheck of the example configuration is ok", () =>
  inPlace({}, async (place) => {
    Bun.spawnSync(["cp", "-r", join(root, "config"), place.path("config")])
    const told = await bare(place.program, ["healthcheck", "--config", "config/runtime.example.json"], {
      cwd: place.folder,
      env: { PATH, HOME: place.folder }
    })
    expect({ code: told.code, stderr: told.stderr }).toEqual({ code: 0, stderr: "" })
    const health = JSON.parse(told.stdout)
    expect(Object.keys(health)).toEqual([
      "ok",
      "config_issues",
      "profiles",
      "adapters",
      "store",
      "disk",
      "checks"
    ])
    expect(health).toMatchObject({ ok: true, config_issues: [], store: { ok: true }, disk: { ok: true } })
    const ids = (rows: ReadonlyArray<{ id: string }>) => rows.map((row) => row.id)
    expect(ids(health.profiles)).toContain("lumen")
    expect(ids(health.adapters)).toEqual(["local", "aibtc-heartbeat"])
  }))

test("healthcheck says what an adapter lacks and what mends it, and answers 1", () =>
  inPlace(
    {
      config: {
        adapters: {
          local: { mode: "script", command: "/bin/echo" },
          absent: { mode: "script", command: "no-such-program" },
          unmade: { mode: "script", command: "./not-there.sh" },
          plain: { mode: "script", command: "./plain.json" },
          secretive: { mode: "script", command: "/bin/echo", envFile: "not-there.env" }
        }
      }
    },
    async (place) => {
      const told = await place.run(["healthcheck"])
      expect({ code: told.code, stderr: told.stderr }).toEqual({ code: 1, stderr: "" })
      const health = JSON.parse(told.stdout)
      expect(health.ok).toBe(false)
      const row = (id: string) => health.adapters.find((one: { id: string }) => one.id === id)
      expect(row("local")).toMatchObject({ ok: true, mode: "script", problems: [] })
      for (const [id, name] of [
        ["absent", "no-such-program"],
        ["unmade", "not-there.sh"],
        ["plain", "plain.json"],
        ["secretive", "not-there.env"]
      ] as const) {
        expect(row(id)).toMatchObject({ id, ok: false })
        expect(row(id).reason).toContain(name)
        expect(row(id).remedy).not.toBe("")
        expect(row(id).problems).toHaveLength(1)
      }
    }
  ))

test("healthcheck of a wrong configuration lists every problem and answers without a store", () =>
  inPlace({ config: { maxAttempts: 0, defaultAdapter: "lokal" } }, async (place) => {
    const told = await place.run(["healthcheck"])
    expect({ code: told.code, stderr: told.stderr }).toEqual({ code: 1, stderr: "" })
    expect(JSON.parse(told.stdout)).toEqual({
      ok: false,
      config_issues: [expect.stringContaining("maxAttempts"), expect.stringContaining("lokal")],
      profiles: [],
      adapters: [],
      store: null,
      disk: null,
      checks: []
    })
    expect(await readdir(place.folder)).not.toContain("state")
  }))
