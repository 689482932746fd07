import { expect, setDefaultTimeout } from "bun:test"
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { needs } from "../support/needs.ts"
import { AGENT, Agent, cycle, operator, resident, timer } from "./agent.ts"

setDefaultTimeout(60_000)

/** What a hardened unit takes away, as far as a test can: these hide the home of this user, or need a host's mounts. */
const hardening = (unit: string) => {
  const file = fileURLToPath(new URL(`../../deploy/systemd/system/${unit}`, import.meta.url))
  const text = readFileSync(file, "utf8")
  return text
    .slice(text.indexOf("NoNewPrivileges="), text.indexOf("[Install]"))
    .split("\n")
    .filter((line) => /^\w+=/.test(line))
    .filter(
      (line) => !/^(ProtectSystem|ProtectHome|PrivateTmp|ProtectKernel(Tunables|Logs)|IPAddress)/.test(line)
    )
    .join("\n")
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
    await agent.until("the script runs", async () => {
      return existsSync(agent.path(".local/state/agent-runtime", AGENT, "once"))
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
    // In one go, whatever runs: their order has no circle.
    for (let times = 0; times < 5; times++) await agent.ctl("stop", timer, cycle, resident)
  }
)

underSystemd(
  "the operator unit serves, beside whatever dispatches, and is there again when it was killed",
  async (agent) => {
    agent.dropIn("agent-runtime-operator@.service", "Service", "RestartSec=100ms")
    await agent.ctl("daemon-reload")
    await agent.ctl("enable", "--now", operator, resident)
    const answers = async () => (await agent.api("/api/heartbeat")) !== undefined
    await agent.until("the API answers", answers)
    await agent.ended(await agent.queue())
    expect(await agent.api("/api/state")).toMatchObject({ runtime_name: AGENT, counts: { completed: 1 } })
    await agent.ctl("daemon-reexec")
    const pid = await agent.is(operator, "MainPID")
    expect(await agent.api("/api/heartbeat")).toMatchObject({ ok: true })
    process.kill(Number(pid), "SIGKILL")
    await agent.until("the API answers again", async () => {
      return (await agent.is(operator, "MainPID")) !== pid && (await answers())
    })
    await agent.ctl("stop", operator)
    expect(await agent.is(operator, "Result")).toBe("success")
  }
)

underSystemd(
  "what the hardened units take away is not missed by server, dispatcher and script",
  async (agent) => {
    for (const unit of ["agent-runtime-operator@.service", "agent-runtime-dispatch@.service"])
      agent.dropIn(unit, "Service", hardening(unit))
    await agent.ctl("daemon-reload")
    await agent.ctl("start", operator, resident)
    await agent.until("the API answers", async () => (await agent.api("/api/heartbeat")) !== undefined)
    await agent.ended(await agent.queue())
    const status = readFileSync(`/proc/${await agent.is(resident, "MainPID")}/status`, "utf8")
    expect(status).toMatch(/^NoNewPrivs:\t1$/m)
    expect(status).toMatch(/^Seccomp:\t2$/m)
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
  // Nobody starts it by mistake; who has mended the cause lifts the limit.
  expect((await agent.systemd.run("systemctl", "start", resident)).code).not.toBe(0)
  rmSync(agent.path(".config/systemd/user/agent-runtime-dispatch@.service.d"), { recursive: true })
  await agent.ctl("daemon-reload")
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
