import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { lastLines, run } from "./command.mjs"
import { exclusively, fingerprint, root } from "./project.mjs"

// What `npm run bench` compares with: queues of other projects, in the exact versions of test/bench/peers. They are
// installed there and nowhere else, and nothing of ours depends on them.

const INSTALL_LIMIT_MS = 15 * 60_000
const folder = join(root, "test", "bench", "peers")
const modules = join(folder, "node_modules")
const stampFile = join(modules, ".agent-runtime-peers")
/** Node's own folder in its npm package: `bin`, and the headers to compile with. */
const node = join(modules, `node-linux-${process.arch}`)

const wanted = () =>
  fingerprint(
    ["package.json", "package-lock.json"].map((name) => join("test", "bench", "peers", name)),
    process.arch
  )

const areInstalled = () => existsSync(stampFile) && readFileSync(stampFile, "utf8") === wanted()

const step = async (args, what) => {
  // Lifecycle scripts and what they compile are for the Node that runs the peers, not for the one of this machine.
  const env = { ...process.env, PATH: `${join(node, "bin")}:${process.env.PATH}`, npm_config_nodedir: node }
  const quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
  const patience = ["--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]
  const result = await run("npm", [...args, ...quiet, ...patience], {
    timeoutMs: INSTALL_LIMIT_MS,
    cwd: folder,
    env
  })
  if (result.ok) return
  process.stderr.write(`bench: ${lastLines(result.output, 8)}\n`)
  return result.timedOut
    ? `${what} within ${INSTALL_LIMIT_MS / 60_000} minutes`
    : `${what} (npm exited ${result.code ?? result.signal})`
}

const install = async () => {
  process.stderr.write("bench: installing the peers into test/bench/peers (300 MB; compiles SQLite twice)\n")
  rmSync(stampFile, { force: true })
  const lacks =
    (await step(["ci", "--ignore-scripts"], "a package registry that can be reached, and room")) ??
    // Two versions of it, each for its own peer; nothing else has a script that is needed.
    (await step(["rebuild", "better-sqlite3"], "a C++ compiler, make and Python for better-sqlite3"))
  if (lacks === undefined) writeFileSync(stampFile, wanted())
  return lacks
}

/** Installs the peers where they are not there yet; answers what this machine lacks for them, else undefined. */
export const installPeers = () =>
  areInstalled()
    ? Promise.resolve(undefined)
    : exclusively("bench-peers", async () => (areInstalled() ? undefined : install()))
