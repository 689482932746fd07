import { afterAll, describe, expect, test } from "bun:test"
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const scripts = join(import.meta.dir, "..", "..", "deploy", "scripts")
const top = mkdtempSync(join(tmpdir(), "agent-runtime-scripts-"))
let copies = 0

afterAll(() => rmSync(top, { recursive: true, force: true }))

// Stands for bun: as a compiler it writes the answer of the environment, as a test runner it reports REPORT.
const FAKE_BUN = `#!/bin/sh
case "$1" in
  --version) echo 1.4.5 ;;
  install) sleep 0.2; echo install >> "$CALLS"; [ -z "$INSTALL_FAILS" ] || { echo "$INSTALL_FAILS" >&2; exit 1; } ;;
  build) echo build >> "$CALLS"; [ -z "$BUILD_FAILS" ] || { echo "$BUILD_FAILS" >&2; exit 1; }
    while [ "$1" != --outfile ]; do shift; done; printf compiled > "$2" ;;
  test) for a; do case "$a" in --reporter-outfile=*) printf '%s' "$JUNIT" > "\${a#*=}" ;; esac; done
    printf '%s\\n' "$REPORT" >&2; [ -z "$LEAVE" ] || setsid sleep 50 & exit "\${CODE:-0}" ;;
  run) echo "ran $*"; exit 7 ;;
esac
`

const FAKE_NPX = `#!/bin/sh
echo npx >> "$CALLS"
[ -z "$INSTALL_FAILS" ] || { echo "$INSTALL_FAILS" >&2; exit 1; }
sleep 0.2
mkdir -p node_modules/.bin
cp "$FAKES/bun" node_modules/.bin/bun
for tool in tsc effect-tsgo biome; do
  printf '#!/bin/sh\\n[ "$BROKEN" != %s ] || { echo "%s complains"; exit 1; }\\n' $tool $tool > node_modules/.bin/$tool
  chmod +x node_modules/.bin/$tool
done
`

const executable = (path: string, text: string) => {
  writeFileSync(path, text)
  chmodSync(path, 0o755)
}

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A small copy of the project, in a folder with a space, that has fakes for bun and npx. */
const project = () => {
  const folder = join(top, `copy ${++copies}`)
  const fakes = join(folder, "fakes")
  const calls = join(folder, "calls")
  for (const path of ["src", "test", "fakes"]) mkdirSync(join(folder, path), { recursive: true })
  cpSync(scripts, join(folder, "deploy", "scripts"), { recursive: true })
  writeFileSync(
    join(folder, "package.json"),
    '{"version":"1.2.3","type":"module","devDependencies":{"bun":"1.4.5"}}'
  )
  writeFileSync(join(folder, "bun.lock"), "{}")
  writeFileSync(join(folder, "src", "cli.ts"), "export {}")
  executable(join(fakes, "bun"), FAKE_BUN)
  executable(join(fakes, "npx"), FAKE_NPX)
  const run = async (
    script: string,
    env: Record<string, string> = {},
    args: ReadonlyArray<string> = []
  ): Promise<Ended> => {
    const child = Bun.spawn(["node", join("deploy", "scripts", script), ...args], {
      cwd: folder,
      env: { PATH: `${fakes}:${process.env.PATH}`, FAKES: fakes, CALLS: calls, ...env },
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

describe("setup", () => {
  test("brings Bun once, and says what puts it on PATH", async () => {
    const { run, called } = project()
    const first = await run("setup.mjs")
    expect(first.code).toBe(0)
    expect(first.out.trimEnd().split("\n").at(-1)).toBe('export PATH="$PWD/node_modules/.bin:$PATH"')
    expect(await run("setup.mjs")).toMatchObject({ code: 0, err: "" })
    expect(called()).toEqual(["npx"])
  })

  test("twice at once installs once", async () => {
    const { run, called } = project()
    const both = await Promise.all([run("setup.mjs"), run("setup.mjs")])
    expect(both.map(({ code }) => code)).toEqual([0, 0])
    expect(called()).toEqual(["npx"])
  })

  test("installs anew with the Bun that is there when the lock file has changed", async () => {
    const { folder, run, called } = project()
    await run("setup.mjs")
    writeFileSync(join(folder, "bun.lock"), "{ }")
    expect((await run("setup.mjs")).code).toBe(0)
    expect(called()).toEqual(["npx", "install"])
  })

  const failures: ReadonlyArray<readonly [what: string, printed: string, says: string]> = [
    ["no network", "npm error code ENOTFOUND", "the package registry cannot be reached"],
    [
      "a lock file of other dependencies",
      "error: lockfile had changes, but lockfile is frozen",
      "package.json and bun.lock disagree"
    ],
    ["a full disk", "ENOSPC: no space left on device", "the disk is full"],
    ["a folder of somebody else", "EACCES: permission denied", "this user may not write here"]
  ]
  for (const [what, printed, says] of failures)
    test(`with ${what} says what to do and succeeds when that was done`, async () => {
      const { run } = project()
      const failed = await run("setup.mjs", { INSTALL_FAILS: printed })
      expect(failed.code).toBe(1)
      expect(failed.err).toContain(says)
      expect(failed.err).toContain(printed)
      expect((await run("setup.mjs")).code).toBe(0)
    })
})

describe("build", () => {
  test("compiles once for the same sources, and again when one has changed or the binary was swapped", async () => {
    const { folder, run, called } = project()
    expect((await run("build.mjs")).out).toBe("built: dist/agent-runtime (1.2.3)\n")
    expect(readFileSync(join(folder, "dist", "agent-runtime"), "utf8")).toBe("compiled")
    expect((await run("build.mjs")).out).toBe("up to date: dist/agent-runtime (1.2.3)\n")
    writeFileSync(join(folder, "src", "cli.ts"), "export {  }")
    expect((await run("build.mjs")).out).toStartWith("built")
    writeFileSync(join(folder, "dist", "agent-runtime"), "swapped by hand")
    expect((await run("build.mjs")).out).toStartWith("built")
    expect(called()).toEqual(["npx", "build", "build", "build"])
  })

  test("that fails shows why, leaves the binary that was there and no litter", async () => {
    const { folder, run } = project()
    await run("build.mjs")
    writeFileSync(join(folder, "src", "cli.ts"), "broken")
    const failed = await run("build.mjs", { BUILD_FAILS: "error: cannot find it" })
    expect(failed.code).toBe(1)
    expect(failed.err).toContain("error: cannot find it")
    expect(readFileSync(join(folder, "dist", "agent-runtime"), "utf8")).toBe("compiled")
    expect(readdirSync(join(folder, "dist")).sort()).toEqual(["agent-runtime", "agent-runtime.stamp"])
  })

  test("twice at once compiles once", async () => {
    const { run, called } = project()
    expect((await Promise.all([run("build.mjs"), run("build.mjs")])).map(({ code }) => code)).toEqual([0, 0])
    expect(called()).toEqual(["npx", "build"])
  })
})

test("demo runs the demonstration and ends with its exit code", async () => {
  const { run } = project()
  expect(await run("demo.mjs", {}, ["--fast"])).toMatchObject({
    code: 7,
    out: "ran run src/cli.ts demo --fast\n"
  })
})

const JUNIT = `<testsuites><testsuite name="a" file="test/a.test.ts">
<testcase name="is &lt;quick&gt;" classname="a" time="0.001" file="test/a.test.ts" line="1" assertions="1" />
<testcase name="is slow" classname="" time="2.5" file="test/a.test.ts" line="2" assertions="1" />
<testcase name="traces [needs strace]" classname="" time="0" file="test/a.test.ts" line="3"><skipped /></testcase>
</testsuite></testsuites>`

const lastLine = (text: string) => text.trimEnd().split("\n").at(-1)

describe("test", () => {
  test("counts steps and tests, names the slowest and those that were not run", async () => {
    const { run } = project()
    const { code, out } = await run("test.mjs", { JUNIT, REPORT: " 2 pass\n 1 skip\n 0 fail" })
    expect(code).toBe(0)
    expect(lastLine(out)).toBe("7 passed, 0 failed, 1 skipped")
    expect(out).toContain("2.50 s  test/a.test.ts: is slow\n    0.00 s  test/a.test.ts: a > is <quick>")
    expect(out).toContain("not run: needs strace\n  test/a.test.ts: traces\n")
    for (const step of ["setup", "typecheck", "the page", "diagnostics", "lint", "build", "tests"])
      expect(out).toContain(`\n${step} `.trim())
  })

  test("with a selection runs only the tests", async () => {
    const { run } = project()
    const { code, out } = await run("test.mjs", { REPORT: " 2 pass\n 0 fail" }, ["test/store"])
    expect({ code, last: lastLine(out) }).toEqual({ code: 0, last: "2 passed, 0 failed" })
    expect(out).not.toContain("typecheck")
  })

  const failures: ReadonlyArray<
    readonly [what: string, env: Record<string, string>, last: string, shows: string]
  > = [
    [
      "a failing test",
      { REPORT: "(fail) it\n 1 pass\n 2 fail", CODE: "1" },
      "6 passed, 2 failed",
      "(fail) it"
    ],
    ["a test run that crashes", { REPORT: "panic", CODE: "132" }, "5 passed, 1 failed", "panic"],
    [
      "a typecheck that fails",
      { REPORT: " 3 pass\n 0 fail", BROKEN: "tsc" },
      "6 passed, 2 failed",
      "tsc complains"
    ],
    [
      "a lint that fails",
      { REPORT: " 3 pass\n 0 fail", BROKEN: "biome" },
      "7 passed, 1 failed",
      "biome complains"
    ],
    ["a build that fails", { REPORT: " 3 pass\n 0 fail", BUILD_FAILS: "no" }, "7 passed, 1 failed", "build"],
    [
      "a process that a test left behind",
      { REPORT: " 3 pass\n 0 fail", LEAVE: "1" },
      "8 passed, 1 failed",
      "left behind by a test, killed"
    ],
    [
      "a setup that fails",
      { INSTALL_FAILS: "ENOTFOUND" },
      "0 passed, 1 failed",
      "the package registry cannot be reached"
    ]
  ]
  for (const [what, env, last, shows] of failures)
    test(`with ${what} fails, shows it and counts it`, async () => {
      const { run } = project()
      const { code, out } = await run("test.mjs", env)
      expect({ code, last: lastLine(out) }).toEqual({ code: 1, last })
      expect(out).toContain(shows)
    }, 20_000)
})
