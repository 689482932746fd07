import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { lastLines, run } from "./command.mjs"
import { bun, exclusively, fingerprint, main, manifest, root, Trouble } from "./project.mjs"

const INSTALL_LIMIT_MS = 15 * 60_000
const stampFile = join(root, "node_modules", ".agent-runtime-setup")

const wanted = () => {
  const { dependencies, devDependencies } = manifest()
  return fingerprint(["bun.lock"], JSON.stringify([dependencies, devDependencies]))
}

const isSetUp = () => {
  try {
    return existsSync(bun) && readFileSync(stampFile, "utf8") === wanted()
  } catch (error) {
    if (error.code === "ENOENT") return false
    throw error
  }
}

const checkMachine = () => {
  const major = Number(process.versions.node.split(".")[0])
  if (major < 20)
    throw new Trouble(
      `Node ${process.versions.node} is too old: at least Node 20 is needed. Install it from your distribution or nodejs.org.`
    )
  if (process.platform !== "linux")
    throw new Trouble(
      `agent-runtime runs on Linux (it relies on /proc and kernel locks); this is ${process.platform}.`
    )
  if (!existsSync(join(root, "bun.lock")))
    throw new Trouble("bun.lock is missing: this copy of the project is not complete.")
}

const hasRightBun = async (version) => {
  if (!existsSync(bun)) return false
  const { ok, output } = await run(bun, ["--version"], { timeoutMs: 10_000 })
  return ok && output.trim() === version
}

const isOffline = (output) =>
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|ENOTCACHED|ConnectionRefused|ConnectionClosed|FailedToOpenSocket|network/i.test(
    output
  )

const adviceFor = (result) => {
  if (result.timedOut)
    return `it took longer than ${INSTALL_LIMIT_MS / 60_000} minutes and was stopped; run it again.`
  if (/lockfile had changes|frozen/i.test(result.output))
    return "package.json and bun.lock disagree: run `bun install` where you changed the dependencies and commit both."
  if (isOffline(result.output))
    return "the package registry cannot be reached: check the network, or `npm config get registry` and the proxy settings, and run it again."
  if (/ENOSPC|No space left/i.test(result.output)) return "the disk is full: about 600 MB are needed."
  if (/EACCES|EPERM/.test(result.output))
    return "this user may not write here: check the owner of node_modules and of the npm cache."
  return "the lines above say why."
}

const install = async () => {
  const version = manifest().devDependencies.bun
  process.stderr.write(`setup: installing Bun ${version} and the packages of bun.lock\n`)
  const args = ["install", "--frozen-lockfile"]
  const local = await hasRightBun(version)
  // npx would take a half-installed local copy for the real one.
  if (!local) rmSync(join(root, "node_modules", "bun"), { recursive: true, force: true })
  const limit = { timeoutMs: INSTALL_LIMIT_MS }
  const result = local
    ? await run(bun, args, limit)
    : await run("npx", ["--yes", `bun@${version}`, ...args], limit)
  if (!result.ok)
    throw new Trouble(
      `installing failed (exit ${result.code ?? result.signal}): ${adviceFor(result)}\n${lastLines(result.output, 15)}`
    )
  if (!(await hasRightBun(version)))
    throw new Trouble(
      `Bun ${version} was installed but does not run (${bun}). Delete node_modules and run it again; \`npm config get ignore-scripts\` must be false.`
    )
  mkdirSync(join(root, "node_modules"), { recursive: true })
  writeFileSync(`${stampFile}.${process.pid}`, wanted())
  renameSync(`${stampFile}.${process.pid}`, stampFile)
}

/** Brings Bun and the packages of bun.lock into node_modules; does nothing when they are there already. */
export const setup = async () => {
  checkMachine()
  if (isSetUp()) return
  await exclusively("setup", async () => {
    if (!isSetUp()) await install()
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await main("setup", async () => {
    await setup()
    process.stdout.write(
      'setup is complete; this puts bun on PATH:\nexport PATH="$PWD/node_modules/.bin:$PATH"\n'
    )
    return 0
  })
