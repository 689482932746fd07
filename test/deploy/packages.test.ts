import { expect, setDefaultTimeout, test } from "bun:test"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import heartbeat from "../../fixtures/heartbeat-schedule.json"
import { program } from "../../src/program.ts"
import { bare, inPlace } from "../e2e/inPlace.ts"
import { commandsOf, page } from "./documents.ts"

setDefaultTimeout(30_000)

const root = fileURLToPath(new URL("../../", import.meta.url))
const agents = ["lumen", "spark", "forge", "cairn"]
const PATH = process.env.PATH ?? "/usr/bin:/bin"

for (const agent of agents)
  test(`the package of ${agent} is healthy on a host that has nothing else, and its host example can be read`, () =>
    inPlace({}, async (place) => {
      const ask = (command: string, file: string) =>
        bare(place.program, [command, "--config", join(root, "deploy", agent, file)], {
          cwd: place.folder,
          env: { PATH, HOME: place.folder }
        })
      const healthy = await ask("healthcheck", `runtime.${agent}.json`)
      expect({ code: healthy.code, err: healthy.stderr }).toEqual({ code: 0, err: "" })
      const health = JSON.parse(healthy.stdout)
      expect(health).toMatchObject({ ok: true, config_issues: [] })
      expect(health.profiles.map((one: { id: string }) => one.id)).toContain(agent)
      expect(health.store.path).toBe(place.path(".local/state/agent-runtime", agent, "runtime.db"))
      // It extends the package where that lies on a host.
      Bun.spawnSync(["ln", "-s", root, place.path("agent-runtime")])
      const example = await ask("adapters", `runtime.${agent}.host.example.json`)
      expect({ code: example.code, err: example.stderr }).toEqual({ code: 0, err: "" })
      expect(JSON.parse(example.stdout).adapters.length).toBeGreaterThan(2)
      expect(readdirSync(join(root, "deploy", agent))).toEqual(
        expect.arrayContaining(["DEPLOY.md", "IDENTITY.md", "PURPOSE.md"])
      )
    }))

test("the heartbeat is due every 305 seconds and asks for the adapter that is there", async () => {
  expect(heartbeat).toMatchObject({ interval_seconds: 305, task: { requested_adapter: "aibtc-heartbeat" } })
  const seed = await page("lumen/DEPLOY.md")
  expect(seed).toContain("schedule-create --file fixtures/heartbeat-schedule.json")
})

test("a check-in is blocked, and says why, until the host has a command for it; then its answer is judged", () =>
  inPlace({}, async (place) => {
    const env = {
      PATH,
      HOME: place.folder,
      AGENT_RUNTIME_CONFIG: join(root, "deploy/lumen/runtime.lumen.json")
    }
    const ask = async (args: ReadonlyArray<string>, more = {}) => {
      const told = await bare(place.program, args, { cwd: place.folder, env: { ...env, ...more } })
      expect({ args, code: told.code, err: told.stderr }).toEqual({ args, code: 0, err: "" })
      return JSON.parse(told.stdout)
    }
    await ask(["schedule-create", "--file", join(root, "fixtures/heartbeat-schedule.json")])
    const first = await ask(["run-once"])
    expect(first).toMatchObject({ status: "blocked" })
    const { task } = await ask(["task-show", first.task_id])
    expect(task.outcome).toMatchObject({ status: "blocked", machine_status: "blocked" })
    expect(task.outcome.operator_summary).toContain("AIBTC_HEARTBEAT_COMMAND")
    await ask(["task-retry", first.task_id])
    const limited = { AIBTC_HEARTBEAT_COMMAND: "echo rate limit: try again in 90 seconds; exit 1" }
    expect(await ask(["run-once"], limited)).toMatchObject({ status: "retryable_failure" })
    const after = await ask(["task-show", first.task_id])
    expect(after.task).toMatchObject({ status: "retryable_failure", attempt_count: 0 })
  }))

test("every command that the pages name exists, with the options that they give it", async () => {
  const { commands } = await program("1")
  const definitions = new Map(commands.map(({ definition }) => [definition.name, definition]))
  const pages = [
    ...agents.map((agent) => `${agent}/DEPLOY.md`),
    "CLONE_CONTRACT.md",
    "BASE_AGENT_CHECKLIST.md"
  ]
  const texts = await Promise.all([...pages, "templates/agent-package/DEPLOY.md"].map(page))
  const lines = texts.flatMap((text) => commandsOf(text)).flatMap(({ text }) => text.split("\n"))
  const calls = lines.flatMap((line) => [...line.matchAll(/(?:^|; |\( )agent-runtime ([a-z-]+)(.*)/g)])
  expect(calls.length).toBeGreaterThan(30)
  for (const [line, name, rest] of calls) {
    const definition = name?.startsWith("--") ? undefined : definitions.get(name ?? "")
    if (name?.startsWith("--")) continue
    expect({ line, known: definition !== undefined }).toEqual({ line, known: true })
    const known = ["config", "output", ...(definition?.options ?? []).map((option) => option.name)]
    for (const [, option] of (rest ?? "").matchAll(/ --([a-z-]+)/g)) expect(known).toContain(option ?? "")
  }
})
