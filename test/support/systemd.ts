import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

const MANAGER = "/lib/systemd/systemd"
/** Without this folder systemd takes the host for one that another init has booted (sd_booted(3)). */
const BOOTED = "/run/systemd/system"
/** Says that a test has made it, and that the last one to end removes it. */
const OURS = "/run/systemd/agent-runtime-tests"
const COMMAND = [MANAGER, "--user", "--log-target=null"]
const STARTS_WITHIN_MS = 5_000

/** A systemd of our own, as that of a user: its units live and die with it. */
export class Systemd {
  private constructor(
    /** The home folder of its user, and its XDG_RUNTIME_DIR. */
    readonly folder: string,
    private readonly manager: Bun.Subprocess
  ) {}

  /** Starts one; undefined where that is not possible: no systemd, no rights. */
  static async start(): Promise<Systemd | undefined> {
    if (process.getuid?.() !== 0 || !existsSync(MANAGER) || Bun.which("systemctl") === null) return undefined
    const folder = await mkdtemp(join(tmpdir(), "agent-runtime-systemd-"))
    if (!existsSync(BOOTED)) mkdirSync(OURS, { recursive: true })
    mkdirSync(BOOTED, { recursive: true })
    const manager = Bun.spawn(COMMAND, {
      env: environment(folder),
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore"
    })
    const systemd = new Systemd(folder, manager)
    const socket = join(folder, "systemd", "private")
    const late = Bun.nanoseconds() + STARTS_WITHIN_MS * 1e6
    while (!existsSync(socket)) {
      if (manager.exitCode !== null || Bun.nanoseconds() > late) {
        await systemd.end()
        return undefined
      }
      await Bun.sleep(20)
    }
    return systemd
  }

  /** Runs `systemctl --user`, or another of its tools, and answers what it printed on both streams. */
  async run(program: "systemctl" | "systemd-run", ...args: ReadonlyArray<string>) {
    const { code, err, out } = await this.inHome([program, "--user", ...args])
    return { code, text: `${out}${err}` }
  }

  /** Runs a program in the surroundings of this user, and answers what it told. */
  async inHome(command: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) {
    const child = Bun.spawn([...command], {
      cwd: this.folder,
      env: { ...environment(this.folder), ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe"
    })
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited
    ])
    return { code, out, err }
  }

  /** A property of a unit. */
  async show(unit: string, property: string): Promise<string> {
    return (await this.run("systemctl", "show", "--value", "-p", property, unit)).text.trim()
  }

  async end(): Promise<void> {
    // SIGTERM to a user's manager stops its units first.
    this.manager.kill("SIGTERM")
    const alarm = setTimeout(() => this.manager.kill("SIGKILL"), STARTS_WITHIN_MS)
    await this.manager.exited
    clearTimeout(alarm)
    if (existsSync(OURS) && !isAnyAlive())
      for (const made of [BOOTED, OURS]) if (existsSync(made)) rmdirSync(made)
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** Whether another test's manager still needs the folder. */
const isAnyAlive = () =>
  readdirSync("/proc").some((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8") === `${COMMAND.join("\0")}\0`
    } catch {
      return false // It ended meanwhile, or is no process.
    }
  })

const environment = (folder: string) => ({
  PATH: process.env.PATH ?? "/usr/bin:/bin",
  HOME: folder,
  XDG_RUNTIME_DIR: folder
})

// As a program: whether one can be started here.
if (import.meta.main) {
  const systemd = await Systemd.start()
  await systemd?.end()
  process.exit(systemd === undefined ? 1 : 0)
}
