import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"

const PROGRAM = "/usr/sbin/sshd"
/** Where sshd gives its rights away; Debian's unit makes it, a container has none. */
const EMPTY = "/run/sshd"
const STARTS_WITHIN_MS = 5_000

const made = (command: ReadonlyArray<string>) => {
  const { exitCode, stderr } = Bun.spawnSync([...command], { stdin: "ignore" })
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`)
}

const answers = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.on("connect", () => {
      socket.destroy()
      resolve(true)
    })
    socket.on("error", () => resolve(false))
  })

/** A port of this host that nobody listens on. */
export const freePort = (): number => {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } })
  const { port } = server
  server.stop(true)
  return port
}

/** An sshd on the loopback that lets in who has its key, into surroundings of its own. */
export class Sshd {
  private constructor(
    private readonly server: Bun.Subprocess,
    private readonly madeEmpty: boolean,
    /** The ssh command that reaches it, with its options. */
    readonly ssh: string
  ) {}

  static async start(folder: string, env: Readonly<Record<string, string>>): Promise<Sshd> {
    const path = (name: string) => join(folder, name)
    const port = freePort()
    for (const key of ["host", "user"]) made(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path(key)])
    const variables = Object.entries(env).map(([name, value]) => `"${name}=${value}"`)
    const settings = [
      `Port ${port}`,
      "ListenAddress 127.0.0.1",
      `HostKey ${path("host")}`,
      `AuthorizedKeysFile ${path("user.pub")}`,
      "PidFile none",
      "StrictModes no",
      "UsePAM no",
      `SetEnv ${variables.join(" ")}`
    ]
    writeFileSync(path("sshd_config"), `${settings.join("\n")}\n`)
    const client = [
      "Host vm",
      "  HostName 127.0.0.1",
      `  Port ${port}`,
      `  User ${Bun.spawnSync(["id", "-un"]).stdout.toString().trim()}`,
      `  IdentityFile ${path("user")}`,
      "  IdentitiesOnly yes",
      "  StrictHostKeyChecking no",
      "  UserKnownHostsFile /dev/null",
      "  LogLevel ERROR"
    ]
    writeFileSync(path("ssh_config"), `${client.join("\n")}\n`)
    const madeEmpty = !existsSync(EMPTY)
    if (madeEmpty) mkdirSync(EMPTY, { mode: 0o755 })
    const server = Bun.spawn([PROGRAM, "-D", "-e", "-f", path("sshd_config")], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: Bun.file(path("sshd.log"))
    })
    const sshd = new Sshd(server, madeEmpty, `ssh -F ${path("ssh_config")}`)
    const late = Bun.nanoseconds() + STARTS_WITHIN_MS * 1e6
    while (!(await answers(port))) {
      if (server.exitCode !== null || Bun.nanoseconds() > late) {
        await sshd.end()
        throw new Error(`sshd did not start: ${await Bun.file(path("sshd.log")).text()}`)
      }
      await Bun.sleep(20)
    }
    return sshd
  }

  async end(): Promise<void> {
    this.server.kill("SIGTERM")
    await this.server.exited
    if (this.madeEmpty && existsSync(EMPTY)) rmdirSync(EMPTY)
  }
}
