import { afterAll, beforeAll, expect, setDefaultTimeout } from "bun:test"
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { binary } from "../support/binary.ts"
import { laterVersion } from "../support/laterVersion.ts"
import { needs } from "../support/needs.ts"
import { operator, resident, timer } from "./agent.ts"
import { Host, put, scripts, type Version } from "./host.ts"

setDefaultTimeout(120_000)

let later: Awaited<ReturnType<typeof laterVersion>>
let now: string

beforeAll(async () => {
  now = await binary()
  later = await laterVersion()
})

afterAll(() => later.remove())

const next = (more: Partial<Version> = {}): Version => ({ number: "9.9.9", program: later.program, ...more })

const updating = (name: string, body: (host: Host) => Promise<void>) =>
  needs("sshd", "systemd", "git", "rsync")(name, () => Host.in(now, body), 120_000)

updating("an update brings the new version, migrates, and everything runs as before", async (host) => {
  await host.work()
  const before = await host.state()
  await host.publish(next())
  const looked = await host.update(["--dry-run"])
  expect(looked).toMatchObject({ code: 0 })
  expect(looked.out).toContain(
    "would do: drain backup sync install build test healthcheck migrate restart probe"
  )
  expect(await host.state()).toEqual(before)
  const { code, out } = await host.update()
  expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining("done: 9.9.9") })
  for (const step of ["[1/10] drain", "[10/10] probe"]) expect(out).toContain(step)
  const after = await host.state()
  expect(after).toMatchObject({ version: "9.9.9", paused: false, dispatcher: "active", operator: "active" })
  expect(after.schema).toBe(2)
  expect(after.tasks).toEqual(before.tasks)
  // The dispatcher that runs is the new one.
  await host.work()
})

/** A version whose `step` fails, and how that is told. */
const failing: ReadonlyArray<readonly [step: string, version: Partial<Version>, says: string]> = [
  ["install", { npm: { setup: "echo no network; exit 1" } }, "no network"],
  ["build", { npm: { build: "echo does not compile; exit 1" } }, "does not compile"],
  ["test", { npm: { test: "echo 1 failed; exit 1" } }, "1 failed"],
  ["test", { instead: { demo: "exit 1" } }, "FAILED: test"],
  ["healthcheck", { instead: { healthcheck: `${"$0"} status >/dev/null; echo not ok; exit 1` } }, "not ok"],
  ["migrate", { instead: { status: "exit 3" } }, "FAILED: migrate"],
  ["restart", { instead: { dispatch: "exit 1" } }, "FAILED: restart"],
  ["restart", { instead: { serve: "sleep 0.5; exit 1" } }, "does not stay up"]
]

for (const [step, version, says] of failing)
  updating(`a ${step} that fails (${says}) puts version, data and services back`, async (host) => {
    await host.work()
    const before = await host.state()
    await host.publish(next(version))
    const { code, out } = await host.update()
    expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining(`FAILED: ${step}`) })
    expect(out).toContain(says)
    expect(out).toContain("All is as it was before.")
    expect(await host.state()).toEqual(before)
    await host.agent.until("the API answers", () => host.answers())
    await host.work()
  })

updating("a drain, a backup or a fast-forward that fails changes nothing", async (host) => {
  await host.work()
  await host.publish(next())
  const fails = async (step: string, says: string) => {
    const before = await host.state()
    const { code, out } = await host.update()
    expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining(`FAILED: ${step}`) })
    expect(out).toContain(says)
    expect(await host.state()).toEqual(before)
  }

  // A dispatcher beside the units, for which the resident one waits.
  await host.agent.ctl("stop", resident)
  const other = Bun.spawn([now, "dispatch", "--config", host.config], {
    env: { HOME: host.agent.systemd.folder },
    stdout: "ignore",
    stderr: "ignore"
  })
  await host.agent.until("it dispatches", async () => (await host.agent.ask("status")).dispatcher.held)
  await host.agent.ctl("start", "--no-block", resident)
  await fails("drain", "still dispatches, outside of the units")
  other.kill("SIGTERM")
  await other.exited
  await host.agent.until("the unit dispatches", async () => {
    return (await host.agent.is(resident, "ActiveState")) === "active"
  })

  // A history of its own, that no fast-forward leads out of.
  await host.shell(
    "cd agent-runtime && git -c user.name=a -c user.email=a@b commit --quiet --allow-empty -m own"
  )
  await fails("sync", "fast-forward")
  await host.shell("git -C agent-runtime reset --quiet --hard HEAD~1")

  // A program of the old version that copies nothing.
  const program = host.agent.path("agent-runtime/dist/agent-runtime")
  const text = await Bun.file(program).text()
  writeFileSync(program, text.replace("esac", "backup) echo no room >&2; exit 1 ;;\nesac"))
  await fails("backup", "no room")
})

updating("what cannot be updated is refused before anything is touched", async (host) => {
  const before = await host.state()
  await host.publish(next())
  const refused = async (says: string, ...args: ReadonlyArray<string>) => {
    const { code, err, out } = await host.update(args)
    expect({ code, told: out + err }).toMatchObject({ code: 1, told: expect.stringContaining(says) })
    expect(out).toContain("Nothing was changed.")
  }
  await refused("there is no folder", "--repo-dir", "nowhere")
  await refused("there is no configuration", "--config", "nowhere.json")
  await refused("origin has no branch nowhere", "--branch", "nowhere")
  await host.shell("echo own >> agent-runtime/package.json")
  await refused("has changes of its own")
  await host.shell("git -C agent-runtime checkout --quiet .")
  expect(await host.state()).toEqual(before)
  for (const [args, says] of [
    [["--host", "-oProxyCommand=x"], "is no name of a host"],
    [["--agent", "../x"], "is no name for an agent"],
    [["--port", "0"], "is no port"],
    [["--nonsense"], "there is no option --nonsense"]
  ] as const) {
    const { code, err } = await host.update(args)
    expect({ args, code, err }).toMatchObject({ code: 2, err: expect.stringContaining(says) })
  }
})

updating("an API that does not answer holds dispatch and keeps version and data", async (host) => {
  await host.work()
  const before = await host.state()
  await host.publish(next({ instead: { serve: "exec sleep 600" } }))
  const { code, out } = await host.update()
  expect({ code, out }).toMatchObject({ code: 3, out: expect.stringContaining("FAILED: probe") })
  expect(out).toContain("The new version and the data are kept, and dispatch is paused.")
  expect(await host.state()).toMatchObject({
    version: "9.9.9",
    schema: 2,
    paused: true,
    tasks: before.tasks,
    dispatcher: "active",
    operator: "active"
  })
})

updating("what was acknowledged after the backup is never taken back", async (host) => {
  await host.work()
  // Somebody queues while the new version is opened for the first time, which then proves not to start.
  const queue = `intake --json '{"kind":"late","source":"t","payload":{}}'`
  await host.publish(
    next({ instead: { dispatch: `${later.program} ${queue} --config "$AGENT_RUNTIME_CONFIG"; exit 1` } })
  )
  const { code, out } = await host.update()
  expect({ code, out }).toMatchObject({ code: 3, out: expect.stringContaining("not gone back:") })
  const { paused, tasks, version } = await host.state()
  expect({ paused, version }).toEqual({ paused: true, version: "9.9.9" })
  await host.agent.until("the API is there to look at it", () => host.answers())
  expect(tasks.filter((task: { kind: string }) => task.kind === "late").length).toBeGreaterThan(0)
})

updating("an agent in timer mode is in timer mode afterwards", async (host) => {
  await host.agent.ctl("start", timer)
  await host.agent.ctl("stop", operator)
  // As on a host that has been set up without the units that it does not use.
  for (const kind of ["agent-runtime-dispatch@.service", "agent-runtime-operator@.service"])
    rmSync(host.agent.path(".config/systemd/user", kind))
  await host.agent.ctl("daemon-reload")
  await host.work()
  await host.publish(next())
  const { code, out } = await host.update()
  expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining("done: 9.9.9") })
  expect(await host.agent.is(timer, "ActiveState")).toBe("active")
  expect(await host.agent.is(resident, "ActiveState")).toBe("inactive")
  await host.work()
})

updating(
  "a pause of the operator's own outlives the update; --no-restart leaves all stopped",
  async (host) => {
    await host.agent.ask("pause", "--reason", "mine")
    await host.publish(next())
    const { code, out } = await host.update(["--no-restart"])
    expect({ code, out }).toMatchObject({
      code: 0,
      out: expect.stringContaining("Start it with: systemctl --user start")
    })
    expect(await host.state()).toMatchObject({
      version: "9.9.9",
      paused: true,
      dispatcher: "inactive",
      operator: "inactive"
    })
    expect((await host.agent.ask("status")).dispatch_paused.reason).toBe("mine")
  }
)

updating("an update goes on when the connection breaks, and its log tells how it ended", async (host) => {
  await host.work()
  await host.publish(next({ npm: { build: "sleep 3; sh build.sh" } }))
  const update = host.start()
  const updates = host.agent.path(".local/state/agent-runtime/updates")
  const log = () =>
    (existsSync(updates) ? readdirSync(updates, { recursive: true, encoding: "utf8" }) : [])
      .filter((name) => name.endsWith("/log"))
      .map((name) => readFileSync(join(updates, name), "utf8"))
      .join("")
  await host.agent.until("it builds", async () => log().includes("] build"))
  // The whole group: ssh is a child of the script.
  process.kill(-update.pid, "SIGKILL")
  await host.agent.until("it is done", async () => log().includes("done: 9.9.9"))
  expect(await host.state()).toMatchObject({ version: "9.9.9", paused: false, dispatcher: "active" })
})

updating("what is no checkout gets the files by rsync, and its own files back", async (host) => {
  const there = host.agent.path("agent-runtime")
  rmSync(join(there, ".git"), { recursive: true })
  writeFileSync(join(there, "of-the-old-version.txt"), "old")
  writeFileSync(join(there, "runtime.ember.host.json"), "of this host")
  const here = host.agent.path("here")
  mkdirSync(join(here, "deploy"), { recursive: true })
  cpSync(scripts, join(here, "deploy/scripts"), { recursive: true })
  const files = () =>
    readdirSync(there)
      .filter((name) => name !== "dist")
      .sort()
  const before = { files: files(), state: await host.stateOfFiles() }

  put(here, next({ npm: { test: "exit 1" } }), host.port)
  const failed = await host.update([], here)
  expect(failed).toMatchObject({ code: 1, out: expect.stringContaining("All is as it was before.") })
  expect({ files: files(), state: await host.stateOfFiles() }).toEqual(before)

  put(here, next(), host.port)
  const { code, out } = await host.update([], here)
  expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining("done: 9.9.9") })
  expect(files()).toContain("runtime.ember.host.json")
  expect(files()).not.toContain("of-the-old-version.txt")
  expect(await host.stateOfFiles()).toMatchObject({ version: "9.9.9", dispatcher: "active", paused: false })
})
