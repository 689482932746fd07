import { expect } from "bun:test"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Sshd } from "../support/sshd.ts"
import { AGENT, Agent, operator, resident } from "./agent.ts"

/** The folder of the scripts under test. */
export const scripts = join(import.meta.dir, "../../deploy/scripts")

/** The sources of a version: what its npm scripts do, and the program that its build makes. */
export interface Version {
  readonly number: string
  readonly program: string
  readonly npm?: { readonly setup?: string; readonly build?: string; readonly test?: string }
  /** What the program does with some commands instead: a line of shell each. */
  readonly instead?: Readonly<Record<string, string>>
}

const wrapper = ({ instead = {}, program }: Version) => `#!/bin/sh
case "$1" in
${Object.entries(instead)
  .map(([command, line]) => `${command}) ${line} ;;`)
  .join("\n")}
esac
exec ${program} "$@"
`

/** A host with an agent at work, an origin with versions to go to, and an sshd. */
export class Host {
  get port() {
    return this.agent.port
  }

  private constructor(
    readonly agent: Agent,
    readonly sshd: Sshd
  ) {}

  /** The version that runs first is `program`. */
  static async in(program: string, body: (host: Host) => Promise<void>) {
    const folder = mkdtempSync(join(tmpdir(), "agent-runtime-sshd-"))
    await Agent.in(async (agent) => {
      const { systemd } = agent
      const PATH = process.env.PATH ?? "/usr/bin:/bin"
      const env = { HOME: systemd.folder, XDG_RUNTIME_DIR: systemd.folder, PATH }
      const sshd = await Sshd.start(folder, env)
      const host = new Host(agent, sshd)
      try {
        await host.prepare(program)
        await body(host)
      } finally {
        await sshd.end()
        rmSync(folder, { recursive: true, force: true })
      }
    }, "agent-runtime/dist/agent-runtime")
  }

  async shell(line: string) {
    const told = await this.agent.systemd.inHome(["bash", "-euc", line], {
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_AUTHOR_NAME: "a",
      GIT_AUTHOR_EMAIL: "a@b",
      GIT_COMMITTER_NAME: "a",
      GIT_COMMITTER_EMAIL: "a@b"
    })
    expect({ line, ...told }).toMatchObject({ code: 0 })
    return told.out.trim()
  }

  private async prepare(program: string) {
    await this.shell(
      "git init --quiet --bare -b main origin.git; git clone --quiet origin.git work 2>/dev/null"
    )
    await this.shell("cd work && git checkout --quiet -b main")
    await this.publish({ number: "0.1.0", program })
    await this.shell(
      "git clone --quiet origin.git agent-runtime && cd agent-runtime && npm run --silent build"
    )
    await this.agent.ctl("enable", "--now", resident, operator)
    this.agent.program = this.agent.path("agent-runtime/dist/agent-runtime")
    await this.agent.until("the API answers", () => this.answers())
  }

  get config() {
    return this.agent.path(`.config/agent-runtime/runtime.${AGENT}.host.json`)
  }

  async answers() {
    return (await this.agent.api("/api/heartbeat")) !== undefined
  }

  /** Makes a version the newest of origin's main. */
  async publish(version: Version) {
    put(this.agent.path("work"), version, this.port)
    await this.shell("cd work && git add -A && git commit --quiet -m version && git push --quiet origin main")
  }

  private command(args: ReadonlyArray<string>, from: string) {
    const script = join(from, "update-agent-runtime.sh")
    return [script, "--agent", AGENT, "--host", "vm", "--port", String(this.port), ...args]
  }

  /** Updates it, with the scripts of the tree `from` where that is given. */
  async update(args: ReadonlyArray<string> = [], from?: string) {
    const command = this.command(args, from === undefined ? scripts : join(from, "deploy/scripts"))
    return this.agent.systemd.inHome(command, { AGENT_RUNTIME_SSH: this.sshd.ssh })
  }

  /** Begins an update, in a process group of its own. */
  start() {
    return Bun.spawn(this.command([], scripts), {
      env: { ...process.env, AGENT_RUNTIME_SSH: this.sshd.ssh },
      detached: true,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore"
    })
  }

  /** What must be as it was when an update has failed, and what may not be lost. */
  async state() {
    return {
      commit: await this.shell("git -C agent-runtime rev-parse HEAD"),
      changed: await this.shell("git -C agent-runtime status --porcelain"),
      ...(await this.stateOfFiles())
    }
  }

  /** The same of sources that are no checkout. */
  async stateOfFiles() {
    const told = await this.agent.systemd.inHome(["agent-runtime/dist/agent-runtime", "--version"])
    const { tasks } = await this.agent.ask("task-list")
    const { dispatch_paused } = await this.agent.ask("status")
    const { store } = await this.agent.ask("healthcheck")
    return {
      version: told.out.trim(),
      tasks,
      paused: dispatch_paused.paused,
      schema: store.schema_version,
      dispatcher: await this.agent.is(resident, "ActiveState"),
      operator: await this.agent.is(operator, "ActiveState")
    }
  }

  /** Something that is done, and something that waits. */
  async work() {
    await this.agent.ended(await this.agent.queue())
    await this.agent.ask(
      "intake",
      "--json",
      '{"kind":"later","source":"t","payload":{},"schedule":{"delay_minutes":90}}'
    )
  }
}

/** Writes the sources of a version into a folder; its API answers on `port`. */
export const put = (folder: string, version: Version, port: number) => {
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
  write(
    "serve.mjs",
    `import { createServer } from "node:http"
createServer((_, answer) => answer.end('{"ok":true}')).listen(${port}, "127.0.0.1")\n`
  )
  const instead = {
    serve: 'exec node "$(dirname "$0")/../serve.mjs"',
    "--version": `echo ${version.number}; exit`,
    ...version.instead
  }
  write("program.sh", wrapper({ ...version, instead }))
  chmodSync(join(folder, "program.sh"), 0o755)
  write("build.sh", "mkdir -p dist && cp program.sh dist/new && mv dist/new dist/agent-runtime\n")
  write(".gitignore", "dist/\n")
  const scripts = { setup: "true", build: "sh build.sh", test: "true", ...version.npm }
  write("package.json", JSON.stringify({ scripts }))
}
