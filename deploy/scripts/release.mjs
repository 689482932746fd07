import { createHash } from "node:crypto"
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { compile, versionLine } from "./build.mjs"
import { lastLines, run } from "./command.mjs"
import { bun, exclusively, filesBelow, main, manifest, root, Trouble } from "./project.mjs"
import { setup } from "./setup.mjs"

// Binaries for both architectures, what is deployed beside them, and the sums of all, in dist/release/. A file has
// the same name whoever makes it and wherever; the archive has the same bytes too.

const FETCH_LIMIT_MS = 10 * 60_000
const STEP_LIMIT_MS = 120_000
const folder = join(root, "dist", "release")

/** What Bun calls an architecture in its targets and in its packages, and what an ELF header calls it. */
const ARCHITECTURES = {
  x64: { package: "@oven/bun-linux-x64", machine: 62 },
  arm64: { package: "@oven/bun-linux-aarch64", machine: 183 }
}

/** What an operator gets beside the binary: units, configuration, docs. */
const PARTS = ["README.md", "CHANGELOG.md", "LICENSE", "config", "deploy"]
/** Scripts of the development, and, without git to say so, what is this host's alone: secrets, state. */
const STAYS = /^deploy\/scripts\/[^/]+\.mjs$|^config\/runtime\.json$|\.env$|(^|\/)state\//

const must = async (command, args, options) => {
  const result = await run(command, args, { timeoutMs: STEP_LIMIT_MS, ...options })
  if (!result.ok)
    throw new Trouble(
      `${command} ${args[0]} ${result.timedOut ? "took too long" : "failed"}:\n${lastLines(result.output, 15)}`
    )
  return result.output
}

const sum = (algorithm, file, encoding = "hex") =>
  createHash(algorithm).update(readFileSync(file)).digest(encoding)

/** The hash that bun.lock has of a package. */
const lockedHash = (name) => {
  const lock = readFileSync(join(root, "bun.lock"), "utf8")
  const line = lock.split("\n").find((one) => one.trimStart().startsWith(`"${name}": [`))
  const hash = line?.match(/"(sha512-[A-Za-z0-9+/=]+)"/)?.[1]
  if (hash === undefined)
    throw new Trouble(`bun.lock has no hash of ${name}: update it with \`bun install\`.`)
  return hash
}

/**
 * The Bun that a binary of an architecture carries: the one that is installed, or, for another architecture, its
 * package from the npm registry, checked against bun.lock and kept in dist/runtimes.
 */
const runtimeOf = async (architecture) => {
  if (architecture === process.arch) return realpathSync(bun)
  const { package: name } = ARCHITECTURES[architecture]
  const version = manifest().devDependencies.bun
  const kept = join(root, "dist", "runtimes", `bun-${version}-linux-${architecture}`)
  if (existsSync(kept)) return kept
  process.stderr.write(`release: fetching ${name} ${version} (about 50 MB)\n`)
  mkdirSync(join(root, "dist", "runtimes"), { recursive: true })
  const work = mkdtempSync(join(root, "dist", "runtimes", ".fetch-"))
  try {
    const fetched = await run("npm", ["pack", `${name}@${version}`, "--silent", "--pack-destination", work], {
      timeoutMs: FETCH_LIMIT_MS
    })
    const [archive] = readdirSync(work)
    if (!fetched.ok || archive === undefined)
      throw new Trouble(
        `${name} ${version} could not be fetched: check the network and \`npm config get registry\`, or make only the other one with --only.\n${lastLines(fetched.output, 15)}`
      )
    const found = `sha512-${sum("sha512", join(work, archive), "base64")}`
    if (found !== lockedHash(name))
      throw new Trouble(`${name} ${version} is not what bun.lock says (${found}): it is not used.`)
    await must("tar", ["-xzf", archive, "package/bin/bun"], { cwd: work })
    renameSync(join(work, "package", "bin", "bun"), kept)
    return kept
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** The architecture that the header of a program names. */
const machineOf = (file) => readFileSync(file).readUInt16LE(18)

const binaryFor = async (architecture, to) => {
  const runtime = await runtimeOf(architecture)
  const target = `--target=bun-linux-${architecture}`
  await compile(to, [target, `--compile-executable-path=${runtime}`])
  if (machineOf(to) !== ARCHITECTURES[architecture].machine)
    throw new Trouble(`${to} is not a program for ${architecture}.`)
  if (process.arch !== architecture) return
  const said = (await must(to, ["--version"])).trim()
  if (said !== `agent-runtime ${versionLine()}`) throw new Trouble(`${to} says that it is ${said}.`)
}

/** The time that the archive's files have: that of the last commit, so that the same sources give the same bytes. */
const timeOfSources = async () => {
  const given = process.env.SOURCE_DATE_EPOCH
  if (given !== undefined && /^\d+$/.test(given)) return given
  const { ok, output } = await run("git", ["log", "-1", "--format=%ct"], { timeoutMs: STEP_LIMIT_MS })
  return ok && /^\d+$/.test(output.trim()) ? output.trim() : "0"
}

/** The files of the archive: those that are under version control, where that is there to be asked. */
const filesOf = async () => {
  const { ok, output } = await run("git", ["ls-files", "-z", "--", ...PARTS], { timeoutMs: STEP_LIMIT_MS })
  const tracked = ok ? output.split("\0").filter((name) => name !== "") : []
  const all = tracked.length > 0 ? tracked : filesBelow(PARTS).map((file) => relative(root, file))
  return all.filter((name) => !STAYS.test(name) && existsSync(join(root, name)))
}

const archive = async (name, to) => {
  const work = mkdtempSync(join(root, "dist", ".archive-"))
  try {
    for (const file of await filesOf()) {
      mkdirSync(dirname(join(work, name, file)), { recursive: true })
      cpSync(join(root, file), join(work, name, file))
    }
    const sameAnywhere = [
      "--sort=name",
      "--owner=0",
      "--group=0",
      "--numeric-owner",
      "--mode=u+rwX,go+rX,go-w"
    ]
    const mtime = `--mtime=@${await timeOfSources()}`
    await must("tar", ["-cf", `${name}.tar`, "--format=ustar", ...sameAnywhere, mtime, name], { cwd: work })
    await must("gzip", ["-n9", `${name}.tar`], { cwd: work })
    renameSync(join(work, `${name}.tar.gz`), to)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

const architecturesOf = (args) => {
  const all = Object.keys(ARCHITECTURES)
  if (args.length === 0) return all
  if (args.length === 2 && args[0] === "--only" && all.includes(args[1])) return [args[1]]
  throw new Trouble(`found ${args.join(" ")}; expected nothing, or --only ${all.join(" | ")}.`)
}

/** Makes the files of a release and answers their names, SHA256SUMS the last. */
export const release = async (architectures) => {
  await setup()
  return exclusively("release", async () => {
    const prefix = `agent-runtime-${manifest().version}`
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const made = []
    for (const architecture of architectures) {
      made.push(`${prefix}-linux-${architecture}`)
      await binaryFor(architecture, join(folder, made.at(-1)))
    }
    made.push(`${prefix}-deploy.tar.gz`)
    await archive(`${prefix}-deploy`, join(folder, made.at(-1)))
    const lines = made.map((name) => `${sum("sha256", join(folder, name))}  ${name}\n`)
    writeFileSync(join(folder, "SHA256SUMS"), lines.join(""))
    return [...made, "SHA256SUMS"]
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await main("release", async () => {
    const names = await release(architecturesOf(process.argv.slice(2)))
    process.stdout.write(`release of ${versionLine()} with Bun ${manifest().devDependencies.bun}:\n`)
    for (const name of names) process.stdout.write(`  dist/release/${name}\n`)
    return 0
  })
