import { existsSync } from "node:fs"
import { join } from "node:path"

const works = (command: ReadonlyArray<string>): boolean => {
  const [program, ...args] = command
  const path = program === undefined ? null : Bun.which(program)
  return (
    path !== null &&
    Bun.spawnSync([path, ...args], { stdin: "ignore", stdout: "ignore", stderr: "ignore" }).success
  )
}

const agentsScript = join(import.meta.dir, "../../deploy/scripts/agents.mjs")

/** A real agent program in the version that the tests were written for (`npm run agents:install`). */
const hasAgent = (name: string) => works(["node", agentsScript, "--has", name])

/** How a command gets a network of its own; without root by a user namespace, where the host allows that. */
export const unshareNetwork: ReadonlyArray<string> =
  process.getuid?.() === 0 ? ["unshare", "--net"] : ["unshare", "--user", "--map-root-user", "--net"]

/** What tests may need beside Bun, and how to tell that it is there and may be used. */
const probes = {
  strace: () => works(["strace", "-qq", "-e", "trace=none", "true"]),
  faketime: () => works(["faketime", "2026-01-01", "true"]),
  sqlite3: () => Bun.which("sqlite3") !== null,
  chromium: () => Bun.which("chromium") !== null,
  setpriv: () => Bun.which("setpriv") !== null,
  git: () => Bun.which("git") !== null,
  perl: () => Bun.which("perl") !== null,
  systemd: () => works([process.execPath, join(import.meta.dir, "systemd.ts")]),
  "systemd-analyze": () => Bun.which("systemd-analyze") !== null,
  sshd: () => existsSync("/usr/sbin/sshd") && Bun.which("ssh") !== null,
  debootstrap: () => process.getuid?.() === 0 && Bun.which("debootstrap") !== null,
  rsync: () => Bun.which("rsync") !== null,
  tmpfs: () =>
    works(["sh", "-c", 'd=$(mktemp -d) && mount -t tmpfs -o size=64k tmpfs "$d" && umount "$d"; rmdir "$d"']),
  "a memory limit": () =>
    works([
      "sh",
      "-c",
      "d=/sys/fs/cgroup/memory/agent-runtime-$$ && mkdir $d && echo 104857600 > $d/memory.limit_in_bytes; rmdir $d"
    ]),
  prlimit: () => Bun.which("prlimit") !== null,
  ip: () => Bun.which("ip") !== null,
  "a network of its own": () => works([...unshareNetwork, "true"]),
  codex: () => hasAgent("codex"),
  claude: () => hasAgent("claude")
}

export type Need = keyof typeof probes

/** Those of these needs that the host does not meet. */
export const missing = (names: ReadonlyArray<Need>): ReadonlyArray<Need> =>
  names.filter((name) => !probes[name]())

/** What only the host can grant: where it is refused, the test is skipped with CI set, too. */
export const rights: ReadonlyArray<Need> = ["tmpfs", "a network of its own", "a memory limit", "systemd"]
