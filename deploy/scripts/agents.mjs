import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { lastLines, run } from "./command.mjs"
import { exclusively, main, root, Trouble } from "./project.mjs"

const INSTALL_LIMIT_MS = 15 * 60_000
const ASK_LIMIT_MS = 20_000

/** The agent programs that the drivers are tested with; a new version here is a new contract to be tested. */
const agents = [
  { need: "codex", name: "@openai/codex", version: "0.169.0" },
  { need: "claude", name: "@anthropic-ai/claude-code", version: "2.1.330" }
]

const given = process.env.AGENT_RUNTIME_AGENTS_DIR
const folder = given === undefined || given === "" ? join(root, ".agents") : resolve(given)
const shown = relative(root, folder).startsWith("..") ? folder : relative(root, folder)
const program = ({ need }) => join(folder, "node_modules", ".bin", need)

// What a program may write when it is only asked for its version stays out of its user's home.
const asked = () => {
  const home = join(tmpdir(), `agent-runtime-agents-${process.pid}`)
  return { home, env: { ...process.env, HOME: home, CODEX_HOME: home, CLAUDE_CONFIG_DIR: home } }
}

const declared = ({ name }) => {
  try {
    return JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8")).version
  } catch (error) {
    if (error.code === "ENOENT" || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Whether an agent is there in the wanted version and starts: an install that was cut short does not. */
const isInstalled = async (agent) => {
  if (declared(agent) !== agent.version || !existsSync(program(agent))) return false
  const { home, env } = asked()
  try {
    const { ok, output } = await run(program(agent), ["--version"], { timeoutMs: ASK_LIMIT_MS, env })
    return ok && output.includes(agent.version)
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

const areInstalled = async (wanted) =>
  (await Promise.all(wanted.map(isInstalled))).every((installed) => installed)

const adviceFor = ({ output, timedOut }) => {
  if (timedOut)
    return `it took longer than ${INSTALL_LIMIT_MS / 60_000} minutes and was stopped; run it again.`
  if (
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ENOTCACHED/.test(output)
  )
    return "the package registry cannot be reached: check the network, or `npm config get registry` and the proxy settings, and run it again."
  if (/ETARGET|E404/.test(output))
    return "the package registry does not have these versions: check `npm config get registry`."
  if (/ENOSPC|No space left/i.test(output)) return "the disk is full: about 800 MB are needed."
  if (/EACCES|EPERM/.test(output)) return `this user may not write to ${shown} or to the npm cache.`
  return "the lines above say why."
}

const install = async () => {
  const list = agents.map(({ name, version }) => `${name} ${version}`).join(" and ")
  process.stderr.write(`agents:install: installing ${list} into ${shown} (about 770 MB on disk)\n`)
  mkdirSync(folder, { recursive: true })
  const dependencies = Object.fromEntries(agents.map(({ name, version }) => [name, version]))
  writeFileSync(join(folder, "package.json"), `${JSON.stringify({ private: true, dependencies }, null, 2)}\n`)
  const quiet = ["--no-package-lock", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
  // By its own settings npm tries for many minutes where there is no network.
  const patience = ["--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]
  const result = await run("npm", ["install", "--prefix", folder, ...quiet, ...patience], {
    timeoutMs: INSTALL_LIMIT_MS,
    cwd: folder
  })
  if (!result.ok)
    throw new Trouble(
      `installing failed (exit ${result.code ?? result.signal}): ${adviceFor(result)}\n${lastLines(result.output, 15)}`
    )
  if (!(await areInstalled(agents)))
    throw new Trouble(
      `${list} were installed but do not run. Delete ${shown} and run it again; \`npm config get ignore-scripts\` must be false and \`npm config get omit\` empty.`
    )
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await main("agents:install", async () => {
    const [option, need] = process.argv.slice(2)
    if (option === "--has") {
      const agent = agents.find((one) => one.need === need)
      return agent !== undefined && (await isInstalled(agent)) ? 0 : 1
    }
    const before = await areInstalled(agents)
    if (!before)
      await exclusively("agents", async () => {
        if (!(await areInstalled(agents))) await install()
      })
    const list = agents.map(({ need, version }) => `${need} ${version}`).join(", ")
    process.stdout.write(`${before ? "up to date" : "installed"} in ${shown}: ${list}\n`)
    return 0
  })
