import { existsSync, mkdirSync, rmdirSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

const MANAGER = "/lib/systemd/systemd"
/** Without this folder systemd takes the host for one that another init has booted (sd_booted(3)). */
const BOOTED = "/run/systemd/system"
const STARTS_WITHIN_MS = 5_000

/** A systemd of our own, as that of a user: its units live and die with it. */
export class Systemd {
  private constructor(
    private readonly folder: string,
    private readonly manager: Bun.Subprocess,
    private readonly madeBooted: boolean
  ) {}

  /** Starts one; undefined where that is not possible: no systemd, no rights. */
  static async start(): Promise<Systemd | undefined> {
    if (process.getuid?.() !== 0 || !existsSync(MANAGER) || Bun.which("systemctl") === null) return undefined
    const folder = await mkdtemp(join(tmpdir(), "agent-runtime-systemd-"))
    const madeBooted = !existsSync(BOOTED)
    if (madeBooted) mkdirSync(BOOTED, { recursive: true })
    const manager = Bun.spawn([MANAGER, "--user", "--log-target=null"], {
      env: environment(folder),
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore"
    })
    const systemd = new Systemd(folder, manager, madeBooted)
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
    const child = Bun.spawn([program, "--user", ...args], {
      env: environment(this.folder),
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe"
    })
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited
    ])
    return { code, text: `${out}${err}` }
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
    if (this.madeBooted && existsSync(BOOTED)) rmdirSync(BOOTED)
    await rm(this.folder, { recursive: true, force: true })
  }
}

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
