import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../", import.meta.url))
const SOURCES = ["src", "layers", "config", "fixtures", "deploy", "package.json", "bun.lock", "tsconfig.json"]
const SUITE = "bookworm"
const CERTIFICATES = process.env.NODE_EXTRA_CA_CERTS

const made = (command: ReadonlyArray<string>, cwd = "/") => {
  const { exitCode, stderr, stdout } = Bun.spawnSync([...command], { cwd, stdin: "ignore" })
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stdout}${stderr}`)
  return stdout.toString()
}

/** Node and npm as they are on this host, for a root that has neither in the version that is asked for. */
const bringNode = (to: string) => {
  const npm = join(dirname(made(["readlink", "-f", Bun.which("npm") ?? "npm"]).trim()), "..")
  const there = "/usr/local/lib/node_modules/npm"
  mkdirSync(dirname(join(to, there)), { recursive: true })
  cpSync(npm, join(to, there), { recursive: true })
  cpSync(made(["readlink", "-f", Bun.which("node") ?? "node"]).trim(), join(to, "usr/local/bin/node"))
  for (const name of ["npm", "npx"])
    symlinkSync(`${there}/bin/${name}-cli.js`, join(to, "usr/local/bin", name))
}

/** The sources as a repository that can be cloned. */
const bringSources = (to: string) => {
  const source = join(to, "source")
  for (const part of SOURCES) cpSync(join(root, part), join(source, part), { recursive: true })
  const git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
  made([...git, "init", "--quiet", "-b", "main"], source)
  made([...git, "add", "--all"], source)
  made([...git, "commit", "--quiet", "-m", "sources"], source)
}

/** A Debian with nothing but its base and systemd, in a folder; commands run in it as on a host of its own. */
export class BareDebian {
  private constructor(private readonly folder: string) {}

  static make(): BareDebian {
    const folder = mkdtempSync(join(tmpdir(), "agent-runtime-debian-"))
    // It becomes a root, for every user.
    chmodSync(folder, 0o755)
    made(["debootstrap", "--variant=minbase", "--include=systemd", SUITE, folder])
    bringNode(folder)
    bringSources(folder)
    // What a host has from its start: here nobody has started it, and nobody logs in.
    const loginctl = join(folder, "usr/local/bin/loginctl")
    writeFileSync(loginctl, '#!/bin/sh\necho "loginctl $*" >> /var/log/loginctl\n', { mode: 0o755 })
    for (const path of ["/etc/resolv.conf", "/root/.npmrc"])
      if (existsSync(path)) cpSync(path, join(folder, path), { dereference: true })
    // A network that looks into connections has its own authority, which programs are told of by this variable.
    if (CERTIFICATES !== undefined)
      cpSync(CERTIFICATES, join(folder, "root/certificates"), { dereference: true })
    return new BareDebian(folder)
  }

  path(...parts: ReadonlyArray<string>) {
    return join(this.folder, ...parts)
  }

  /** Runs a script by bash in a namespace of its own, beside a service manager of its user; all of it ends with it. */
  async run(script: string, limitMs: number) {
    writeFileSync(this.path("root/script.sh"), script)
    writeFileSync(
      this.path("root/host.sh"),
      `set -eu
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mkdir -p run/systemd/system run/user/0
exec chroot . /usr/bin/env -i HOME=/root USER=root TERM=dumb LANG=C.UTF-8 XDG_RUNTIME_DIR=/run/user/0 SOURCE=/source \\
  ${CERTIFICATES === undefined ? "" : "NODE_EXTRA_CA_CERTS=/root/certificates"} PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin bash -c '
    /lib/systemd/systemd --user --log-target=null </dev/null >/dev/null 2>&1 &
    manager=$!
    until [ -S /run/user/0/systemd/private ]; do sleep 0.05; done
    cd /root
    bash -euo pipefail /root/script.sh
    code=$?
    kill $manager
    wait $manager
    exit $code'
`
    )
    const child = Bun.spawn(
      [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "bash",
        this.path("root/host.sh"),
        this.folder
      ],
      { stdin: "ignore", stdout: "pipe", stderr: "pipe" }
    )
    const alarm = setTimeout(() => child.kill("SIGKILL"), limitMs)
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited
    ])
    clearTimeout(alarm)
    return { code, out, err }
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
