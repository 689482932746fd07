import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { lastLines, run } from "./command.mjs"
import { bun, exclusively, filesBelow, fingerprint, main, manifest, root, Trouble } from "./project.mjs"
import { setup } from "./setup.mjs"

const BUILD_LIMIT_MS = 180_000
const folder = join(root, "dist")
const stampFile = join(folder, "agent-runtime.stamp")

/** The compiled binary; there after `build`. */
export const binary = join(folder, "agent-runtime")

const flags = [
  "build",
  "--compile",
  "--minify",
  "--bytecode",
  "--format=esm",
  "--splitting",
  "--sourcemap=linked",
  // A short command ends before compiled code pays for itself: `status` takes two thirds of the time with the
  // compiler held back. Programs that run on switch it back (layers/Platform.ts).
  "--compile-jit-policy=100",
  // Effect's logger asks, when it is loaded, whether stdout is a terminal. Making that stream takes a tenth of
  // `status`, and nothing of ours writes by it: our own log sinks and layers/Platform.ts use the descriptors.
  "--define",
  "process.stdout=undefined",
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig"
]

const inputs = ["src", "layers", "config", "deploy", "fixtures", "package.json", "bun.lock", "tsconfig.json"]

// The size and time of the binary are part of the stamp: a binary that was swapped by hand is built anew.
const stamp = () => {
  const { size, mtimeMs } = statSync(binary)
  return `${fingerprint(inputs, flags.join(" "))} ${size} ${mtimeMs}`
}

const isBuilt = () =>
  existsSync(binary) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp()

/** The schema that the sources write: the number of the last migration. */
export const schema = () => {
  const names = filesBelow([join("layers", "store", "migrations")]).map((file) => basename(file))
  return Math.max(0, ...names.map((name) => Number.parseInt(name, 10)).filter(Number.isInteger))
}

/** What `agent-runtime --version` says of a binary that is built now. */
export const versionLine = () => `${manifest().version} (schema ${schema()})`

/** Compiles src/cli.ts into the file `to`, which appears whole; `options` go to the compiler. */
export const compile = async (to, options = []) => {
  mkdirSync(folder, { recursive: true })
  // bun writes its temporary files into the working directory; a rename is atomic only on one file system.
  const work = mkdtempSync(join(folder, ".build-"))
  try {
    const made = join(work, "agent-runtime")
    const version = `VERSION=${JSON.stringify(versionLine())}`
    const args = [...flags, ...options, "--define", version, join(root, "src", "cli.ts"), "--outfile", made]
    const result = await run(bun, args, { cwd: work, timeoutMs: BUILD_LIMIT_MS })
    if (!result.ok)
      throw new Trouble(
        `${result.timedOut ? `no result after ${BUILD_LIMIT_MS / 1000} s` : "bun build failed"}:\n${lastLines(result.output, 60)}`
      )
    chmodSync(made, 0o755)
    renameSync(made, to)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

const rebuild = async () => {
  const before = fingerprint(inputs, flags.join(" "))
  await compile(binary)
  if (before === fingerprint(inputs, flags.join(" "))) writeFileSync(stampFile, stamp())
}

/** Compiles src/cli.ts into dist/agent-runtime; answers false when the binary was up to date already. */
export const build = async () => {
  await setup()
  if (isBuilt()) return false
  return exclusively("build", async () => {
    if (isBuilt()) return false
    await rebuild()
    return true
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await main("build", async () => {
    const built = await build()
    process.stdout.write(`${built ? "built" : "up to date"}: dist/agent-runtime (${manifest().version})\n`)
    return 0
  })
