import { afterAll, expect, test } from "bun:test"
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const root = join(import.meta.dir, "..", "..")
const top = mkdtempSync(join(tmpdir(), "agent-runtime-agents-script-"))
let copies = 0

afterAll(() => rmSync(top, { recursive: true, force: true }))

// Stands for npm: puts a program that tells its version where each package of the folder's package.json belongs.
const FAKE_NPM = `#!/bin/sh
echo "npm $*" >> "$CALLS"
[ -z "$FAILS" ] || { echo "$FAILS" >&2; exit 1; }
mkdir -p node_modules/.bin
put() {
  version=$(sed -n "s#.*\\"$1\\": \\"\\([^\\"]*\\)\\".*#\\1#p" package.json)
  mkdir -p "node_modules/$1"
  echo "{\\"version\\":\\"$version\\"}" > "node_modules/$1/package.json"
  printf '#!/bin/sh\\n[ -z "$BROKEN" ] || exit 1\\necho %s\\n' "$version" > "node_modules/.bin/$2"
  chmod +x "node_modules/.bin/$2"
}
put @openai/codex codex
put @anthropic-ai/claude-code claude
`

/** A copy of the scripts in a folder of its own, with a fake npm. */
const project = () => {
  const folder = join(top, `copy ${++copies}`)
  const calls = join(folder, "calls")
  mkdirSync(join(folder, "fakes"), { recursive: true })
  cpSync(join(root, "deploy", "scripts"), join(folder, "deploy", "scripts"), { recursive: true })
  writeFileSync(join(folder, "package.json"), '{"type":"module"}')
  writeFileSync(join(folder, "fakes", "npm"), FAKE_NPM)
  chmodSync(join(folder, "fakes", "npm"), 0o755)
  const run = async (args: ReadonlyArray<string> = [], env: Readonly<Record<string, string>> = {}) => {
    const child = Bun.spawn(["node", join("deploy", "scripts", "agents.mjs"), ...args], {
      cwd: folder,
      env: { PATH: `${join(folder, "fakes")}:${process.env.PATH}`, CALLS: calls, ...env },
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
  const called = () => (existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : [])
  return { folder, run, called }
}

test("agents:install installs pinned versions into an ignored folder, says how much that is, and only once", async () => {
  const { called, folder, run } = project()
  const first = await run()
  expect(first.code).toBe(0)
  expect(first.err).toContain("into .agents (about 770 MB on disk)")
  expect(first.out).toMatch(/^installed in \.agents: codex \d+\.\d+\.\d+, claude \d+\.\d+\.\d+\n$/)
  expect(await run()).toMatchObject({
    code: 0,
    err: "",
    out: expect.stringContaining("up to date in .agents")
  })
  expect(called()).toHaveLength(1)
  expect(called()[0]).toContain(`install --prefix ${folder}/.agents --no-package-lock`)
  expect(existsSync(join(folder, "package-lock.json"))).toBe(false)
  expect(readFileSync(join(root, ".gitignore"), "utf8").split("\n")).toContain("/.agents")
})

test("agents:install installs anew what is there in another version", async () => {
  const { called, folder, run } = project()
  await run()
  writeFileSync(join(folder, ".agents/node_modules/@openai/codex/package.json"), '{"version":"0.1.0"}')
  expect((await run()).out).toStartWith("installed")
  expect(called()).toHaveLength(2)
})

test("whether one agent is there and starts is told by the exit code", async () => {
  const { run } = project()
  expect((await run(["--has", "codex"])).code).toBe(1)
  await run()
  expect((await run(["--has", "codex"])).code).toBe(0)
  expect((await run(["--has", "claude"])).code).toBe(0)
  expect((await run(["--has", "codex"], { BROKEN: "1" })).code).toBe(1)
  expect((await run(["--has", "nobody"])).code).toBe(1)
})

for (const [what, printed, says] of [
  ["no network", "npm error code ENOTFOUND", "the package registry cannot be reached: check the network"],
  ["a registry without them", "npm error code ETARGET", "does not have these versions"],
  ["a full disk", "ENOSPC: no space left on device", "the disk is full: about 800 MB are needed"]
] as const)
  test(`agents:install with ${what} says what to do and succeeds when that was done`, async () => {
    const { run } = project()
    const failed = await run([], { FAILS: printed })
    expect(failed.code).toBe(1)
    expect(failed.err).toContain(says)
    expect(failed.err).toContain(printed)
    expect((await run()).code).toBe(0)
  })

test("agents that were installed and do not start are told of", async () => {
  const { run } = project()
  expect(await run([], { BROKEN: "1" })).toMatchObject({
    code: 1,
    err: expect.stringContaining("were installed but do not run. Delete .agents and run it again")
  })
})
