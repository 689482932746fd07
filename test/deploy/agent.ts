import { expect } from "bun:test"
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { binary } from "../support/binary.ts"
import { freePort } from "../support/sshd.ts"
import { Systemd } from "../support/systemd.ts"

export const AGENT = "ember"
export const operator = `agent-runtime-operator@${AGENT}.service`
export const resident = `agent-runtime-dispatch@${AGENT}.service`
export const timer = `agent-runtime-dispatch@${AGENT}.timer`
export const cycle = `agent-runtime-run-once@${AGENT}.service`

/** An agent that `agent-init` has made, with its units under a service manager of its own. */
export class Agent {
  /** Where its API answers. */
  readonly port = freePort()

  private constructor(
    readonly systemd: Systemd,
    /** What is run for this agent; the units may run another program. */
    public program: string
  ) {}

  /** Its units run `program`, a path below the home folder, where it is given. */
  static async in(body: (agent: Agent) => Promise<void>, program?: string) {
    const systemd = await Systemd.start()
    if (systemd === undefined) throw new Error("systemd did not start")
    try {
      const agent = new Agent(systemd, await binary())
      if (program !== undefined)
        expect(
          await systemd.inHome([agent.program, "install-units", "--program", join(systemd.folder, program)])
        ).toMatchObject({ code: 0, err: "" })
      const made = await systemd.inHome([agent.program, "agent-init", AGENT, "--port", String(agent.port)])
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

  /** What the API answers, undefined while it does not. */
  api(path: string): Promise<unknown> {
    return fetch(`http://127.0.0.1:${this.port}${path}`).then(
      (answer) => answer.json(),
      () => undefined
    )
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
