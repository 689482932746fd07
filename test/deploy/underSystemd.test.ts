import { expect, setDefaultTimeout } from "bun:test"
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { binary } from "../support/binary.ts"
import { needs } from "../support/needs.ts"
import { Systemd } from "../support/systemd.ts"

setDefaultTimeout(60_000)

const AGENT = "ember"
const resident = `agent-runtime-dispatch@${AGENT}.service`
const timer = `agent-runtime-dispatch@${AGENT}.timer`
const cycle = `agent-runtime-run-once@${AGENT}.service`

/** An agent that `agent-init` has made, with its units under a service manager of its own. */
class Agent {
  private constructor(
    readonly systemd: Systemd,
    private readonly program: string
  ) {}

  static async in(body: (agent: Agent) => Promise<void>) {
    const systemd = await Systemd.start()
    if (systemd === undefined) throw new Error("systemd did not start")
    try {
      const agent = new Agent(systemd, await binary())
      const made = await systemd.inHome([agent.program, "agent-init", AGENT])
      expect(made).toMatchObject({ code: 0, err: "" })
      // Faster than on a host, so that a test need not wait.
      agent.dropIn("agent-runtime-dispatch@.service", "Service", "RestartSec=100ms")
      agent.dropIn(
        "agent-runtime-dispatch@.timer",
        "Timer",
        "OnActiveSec=\nOnActiveSec=1\nOnUnitInactiveSec=1"
      )
      await agent.ctl("daemon-reload")
      await body(agent)
    } finally {
      await systemd.run("systemctl", "kill", "--signal=KILL", "agent-runtime-*")
      await systemd.end()
    }
  }

  path(...parts: ReadonlyArray<string>) {
    return join(this.systemd.folder, ...parts)
  }

  dropIn(unit: string, section: string, lines: string) {
    const file = this.path(".config/systemd/user", `${unit}.d`, `${section}.conf`)
    mkdirSync(dirname(file), { recursive: true })
    appendFileSync(file, `[${section}]\n${lines}\n`)
  }

  async ctl(...args: ReadonlyArray<string>) {
    expect(await this.systemd.run("systemctl", ...args)).toMatchObject({ code: 0 })
  }

  async ask(...args: ReadonlyArray<string>) {
    const config = this.path(`.config/agent-runtime/runtime.${AGENT}.host.json`)
    const told = await this.systemd.inHome([this.program, ...args, "--config", config])
    expect({ args, code: told.code, err: told.err }).toEqual({ args, code: 0, err: "" })
    return JSON.parse(told.out)
  }

  async queue(): Promise<string> {
    return (await this.ask("intake", "--json", '{"kind":"note","source":"test","payload":{"a":"b"}}')).task_id
  }

  /** Makes the adapter of this agent run a script instead. */
  script(text: string) {
    const file = this.path("deploy", AGENT, "base/adapters/local.sh")
    writeFileSync(file, `#!/bin/sh\n${text}\n`)
  }

  is(unit: string, property: string) {
    return this.systemd.show(unit, property)
  }

  async until(what: string, isSo: () => Promise<boolean>) {
    for (let tries = 0; tries < 400; tries++) {
      if (await isSo()) return
      await Bun.sleep(50)
    }
    throw new Error(`it never came to that: ${what}`)
  }

  ended(id: string) {
    return this.until(`the task ${id} is completed`, async () => {
      return (await this.ask("task-show", id)).task.status === "completed"
    })
  }
}

const underSystemd = (name: string, body: (agent: Agent) => Promise<void>) =>
  needs("systemd")(name, () => Agent.in(body), 60_000)

underSystemd(
  "the resident unit is ready, lives on over a re-execution of systemd, and works",
  async (agent) => {
    agent.dropIn("agent-runtime-dispatch@.service", "Service", "WatchdogSec=1")
    await agent.ctl("daemon-reload")
    await agent.ctl("enable", "--now", resident)
    expect(await agent.is(resident, "ActiveState")).toBe("active")
    const pid = await agent.is(resident, "MainPID")
    await agent.ended(await agent.queue())
    await agent.ctl("daemon-reexec")
    await agent.ended(await agent.queue())
    // Longer than the watchdog waits: signs of life come, to the new manager too.
    await Bun.sleep(2_500)
    expect(await agent.is(resident, "ActiveState")).toBe("active")
    expect(await agent.is(resident, "MainPID")).toBe(pid)
    await agent.ctl("stop", resident)
    expect(await agent.is(resident, "Result")).toBe("success")
  }
)

underSystemd(
  "a dispatcher that hangs is killed and started again, and what it ran is run again",
  async (agent) => {
    agent.dropIn("agent-runtime-dispatch@.service", "Service", "WatchdogSec=1")
    agent.script('if mkdir "$AGENT_RUNTIME_STATE_DIR/once" 2>/dev/null; then sleep 600; fi; echo done')
    await agent.ctl("daemon-reload")
    await agent.ctl("start", resident)
    const first = await agent.is(resident, "MainPID")
    const id = await agent.queue()
    const waiting = await agent.queue()
    await agent.until("the task runs", async () => {
      const { attempts } = await agent.ask("task-show", id)
      return (
        attempts[0]?.status === "running" && (await agent.is(resident, "StatusText")).includes("1 running")
      )
    })
    process.kill(Number(first), "SIGSTOP")
    await agent.ended(id)
    await agent.ended(waiting)
    expect(await agent.is(resident, "MainPID")).not.toBe(first)
    expect(await agent.is(resident, "NRestarts")).toBe("1")
    const { attempts } = await agent.ask("task-show", id)
    expect(attempts).toMatchObject([{ reason: expect.stringContaining("boot_sweep") }, { exit_status: "ok" }])
  }
)

underSystemd(
  "the timer runs a cycle again and again, takes the resident's place and gives it back",
  async (agent) => {
    await agent.ctl("start", resident)
    await agent.ctl("start", timer)
    expect(await agent.is(resident, "ActiveState")).toBe("inactive")
    await agent.ended(await agent.queue())
    await agent.ctl("daemon-reexec")
    await agent.ended(await agent.queue())
    expect(await agent.is(cycle, "Result")).toBe("success")
    await agent.ctl("start", resident)
    expect(await agent.is(timer, "ActiveState")).toBe("inactive")
    await agent.ended(await agent.queue())
  }
)

underSystemd("a dispatcher that cannot start ends in a state that says so", async (agent) => {
  agent.dropIn("agent-runtime-dispatch@.service", "Service", "ExecStart=\nExecStart=/bin/sh -c 'exit 1'")
  await agent.ctl("daemon-reload")
  await agent.systemd.run("systemctl", "start", resident)
  await agent.until("the unit has failed for good", async () => {
    return (
      (await agent.is(resident, "ActiveState")) === "failed" &&
      (await agent.is(resident, "NRestarts")) === "5"
    )
  })
  expect(await agent.is(resident, "Result")).toBe("exit-code")
  expect(await agent.is(resident, "ExecMainStatus")).toBe("1")
  rmSync(agent.path(".config/systemd/user/agent-runtime-dispatch@.service.d"), { recursive: true })
  await agent.ctl("daemon-reload")
  // The limit still holds; who has mended the cause lifts it.
  expect((await agent.systemd.run("systemctl", "start", resident)).code).not.toBe(0)
  await agent.ctl("reset-failed", resident)
  await agent.ctl("start", resident)
})

underSystemd(
  "a wrong configuration is no crash loop: it fails once, and starts when it is mended",
  async (agent) => {
    const config = agent.path(`.config/agent-runtime/runtime.${AGENT}.host.json`)
    const right = await Bun.file(config).text()
    writeFileSync(config, '{ "extends": "nowhere.json" }')
    await agent.systemd.run("systemctl", "start", resident)
    expect(await agent.is(resident, "ActiveState")).toBe("failed")
    expect(await agent.is(resident, "ExecMainStatus")).toBe("2")
    expect(await agent.is(resident, "NRestarts")).toBe("0")
    writeFileSync(config, right)
    await agent.ctl("start", resident)
    rmSync(config)
  }
)
