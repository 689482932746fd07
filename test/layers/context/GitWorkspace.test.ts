import { afterAll, beforeEach, expect } from "bun:test"
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, type Layer, Option } from "effect"
import { layer, layerWith } from "../../../layers/context/GitWorkspace.ts"
import { Workspace } from "../../../src/context/Workspace.ts"
import { it } from "../../support/effect.ts"

const base = realpathSync(mkdtempSync(join(tmpdir(), "workspace-test-")))
afterAll(() => rmSync(base, { recursive: true, force: true }))

let count = 0
let dir = ""
beforeEach(() => {
  dir = join(base, `case-${++count}`)
  mkdirSync(dir)
})

const run = (...args: ReadonlyArray<string>) =>
  execFileSync("git", ["-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.org", ...args], {
    env: { PATH: process.env.PATH, HOME: "/dev/null", GIT_CONFIG_GLOBAL: "/dev/null" },
    stdio: ["ignore", "pipe", "ignore"]
  }).toString()
const repository = () => {
  run("init", "-q", "-b", "main")
  writeFileSync(join(dir, "a.txt"), "a\n")
  run("add", ".")
  run("commit", "-q", "-m", "first")
}
const snapshot = (of = dir, using: Layer.Layer<Workspace> = layer) =>
  Effect.flatMap(Workspace, (workspace) => workspace.snapshot(of)).pipe(Effect.provide(using))

it.live("a clean repository has its root and commit, and is not dirty", () =>
  Effect.gen(function* () {
    repository()
    expect(yield* snapshot()).toEqual({
      repository: true,
      root: Option.some(dir),
      gitSha: Option.some(run("rev-parse", "HEAD").trim()),
      dirty: Option.some(false)
    })
  })
)

it.live("a changed file, and a new one, make a repository dirty", () =>
  Effect.gen(function* () {
    repository()
    writeFileSync(join(dir, "a.txt"), "changed\n")
    expect((yield* snapshot()).dirty).toEqual(Option.some(true))
    run("checkout", "-q", "a.txt")
    writeFileSync(join(dir, "new.txt"), "")
    expect((yield* snapshot()).dirty).toEqual(Option.some(true))
  })
)

/** Commits a folder with a file in it. */
const commitFolder = (name: string) => {
  mkdirSync(join(dir, name))
  writeFileSync(join(dir, name, "b.txt"), "b\n")
  run("add", ".")
  run("commit", "-q", "-m", "second")
}

it.live(
  "a changed file makes a repository dirty though its index says that it is unchanged, or not there",
  () =>
    Effect.gen(function* () {
      repository()
      commitFolder("sub")
      for (const flag of ["assume-unchanged", "skip-worktree"]) {
        run("update-index", `--${flag}`, "a.txt")
        expect((yield* snapshot()).dirty).toEqual(Option.some(false))
        writeFileSync(join(dir, "a.txt"), "other\n")
        expect(run("status", "--porcelain")).toBe("")
        const before = statSync(join(dir, ".git", "index"), { bigint: true }).ctimeNs
        // From a folder that has it not in it, too.
        expect((yield* snapshot(join(dir, "sub"))).dirty).toEqual(Option.some(true))
        expect(statSync(join(dir, ".git", "index"), { bigint: true }).ctimeNs).toBe(before)
        writeFileSync(join(dir, "a.txt"), "a\n")
        expect((yield* snapshot()).dirty).toEqual(Option.some(false))
        run("update-index", `--no-${flag}`, "a.txt")
      }
    })
)

it.live("a sparse checkout is not dirty for what it leaves out", () =>
  Effect.gen(function* () {
    repository()
    commitFolder("out")
    run("sparse-checkout", "set", "--cone", "in")
    expect(existsSync(join(dir, "out"))).toBe(false)
    expect((yield* snapshot()).dirty).toEqual(Option.some(false))
    mkdirSync(join(dir, "out"))
    writeFileSync(join(dir, "out", "b.txt"), "other\n")
    expect((yield* snapshot()).dirty).toEqual(Option.some(true))
  })
)

it.live("a repository without a commit has no commit", () =>
  Effect.gen(function* () {
    run("init", "-q")
    expect(yield* snapshot()).toMatchObject({
      repository: true,
      gitSha: Option.none(),
      dirty: Option.some(false)
    })
  })
)

it.live("a folder inside a larger repository counts as that one", () =>
  Effect.gen(function* () {
    repository()
    mkdirSync(join(dir, "sub"))
    expect((yield* snapshot(join(dir, "sub"))).root).toEqual(Option.some(dir))
  })
)

it.live("a plain folder, a missing one and an impossible one are no repository", () =>
  Effect.gen(function* () {
    for (const path of [dir, join(dir, "none"), `${dir}\0x`])
      expect(yield* snapshot(path)).toEqual({
        repository: false,
        root: Option.none(),
        gitSha: Option.none(),
        dirty: Option.none()
      })
  })
)

it.live("a host without git has no repositories", () =>
  Effect.gen(function* () {
    repository()
    const without = layerWith({ command: "git", timeoutMs: 10_000, path: join(dir, "empty") })
    expect((yield* snapshot(dir, without)).repository).toBe(false)
  })
)

it.live("a git that hangs is given up and its children are gone", () =>
  Effect.gen(function* () {
    const pid = join(dir, "pid")
    const fake = join(dir, "git")
    writeFileSync(fake, `#!/bin/sh\nsleep 300 & echo $! > ${pid}\nwait\n`)
    chmodSync(fake, 0o755)
    const hanging = layerWith({ command: fake, timeoutMs: 1_000, path: process.env.PATH ?? "" })
    expect((yield* snapshot(dir, hanging)).repository).toBe(false)
    const child = Number(yield* Effect.promise(() => Bun.file(pid).text()))
    const state = yield* Effect.promise(() =>
      Bun.file(`/proc/${child}/stat`)
        .text()
        .catch(() => "gone")
    )
    expect(state === "gone" || state.includes(") Z ")).toBe(true)
  })
)

it.live("a git that floods its output is cut off", () =>
  Effect.gen(function* () {
    const fake = join(dir, "git")
    writeFileSync(fake, "#!/bin/sh\nexec yes /a/very/long/path\n")
    chmodSync(fake, 0o755)
    const flooding = layerWith({ command: fake, timeoutMs: 8_000, path: process.env.PATH ?? "" })
    const found = yield* snapshot(dir, flooding)
    expect(Option.getOrThrow(found.root).length).toBeLessThan(300_000)
    // Its configuration does not end, so that its filters are not known: git status is not run.
    expect(found.dirty).toEqual(Option.none())
  })
)

it.live("nothing that a repository configures is run", () =>
  Effect.gen(function* () {
    repository()
    const ran = join(dir, "..", `ran-${count}`)
    const trap = join(dir, ".git", "trap")
    writeFileSync(trap, `#!/bin/sh\necho "$0 $*" >> ${ran}\ncat\n`)
    chmodSync(trap, 0o755)
    for (const hook of ["post-index-change", "pre-auto-gc", "reference-transaction", "post-checkout"])
      symlinkSync(trap, join(dir, ".git", "hooks", hook))
    writeFileSync(
      join(dir, ".git", "included"),
      `[filter "in=cl.uded"]\n\tclean = ${trap}\n\trequired = true\n`
    )
    appendFileSync(
      join(dir, ".git", "config"),
      `[core]\n\tfsmonitor = ${trap}\n\thooksPath = ${join(dir, ".git", "hooks")}\n\tpager = ${trap}\n\tsshCommand = ${trap}\n` +
        `[filter "evil"]\n\tclean = ${trap}\n\tprocess = ${trap}\n\trequired = true\n[include]\n\tpath = included\n` +
        `[remote "origin"]\n\turl = ssh://example.invalid/x\n\tpromisor = true\n[pager]\n\tstatus = ${trap}\n`
    )
    writeFileSync(join(dir, ".gitattributes"), "*.txt filter=evil\n*.md filter=in=cl.uded\n")
    writeFileSync(join(dir, "a.txt"), "b\n")
    utimesSync(join(dir, "a.txt"), 1, 1)
    // The trap is a real one: git as an agent would run it springs it.
    expect(() => run("status")).toThrow()
    expect(existsSync(ran)).toBe(true)
    rmSync(ran)
    expect((yield* snapshot()).dirty).toEqual(Option.some(true))
    expect(existsSync(ran)).toBe(false)
  })
)

it.live("the index is not written", () =>
  Effect.gen(function* () {
    repository()
    utimesSync(join(dir, "a.txt"), 1, 1)
    const before = statSync(join(dir, ".git", "index"), { bigint: true }).ctimeNs
    expect((yield* snapshot()).dirty).toEqual(Option.some(false))
    expect(statSync(join(dir, ".git", "index"), { bigint: true }).ctimeNs).toBe(before)
  })
)

it.live("the runtime's own GIT_DIR does not lead the look astray", () =>
  Effect.gen(function* () {
    const kept = process.env.GIT_DIR
    process.env.GIT_DIR = "/nowhere"
    repository()
    const found = yield* snapshot()
    if (kept === undefined) delete process.env.GIT_DIR
    else process.env.GIT_DIR = kept
    expect(found.repository).toBe(true)
  })
)

it.live("a place is observed, hashed and read through its symlinks", () =>
  Effect.gen(function* () {
    const workspace = yield* Workspace
    writeFileSync(join(dir, "a.txt"), "hello")
    symlinkSync("a.txt", join(dir, "link"))
    for (const name of ["a.txt", "link"]) {
      const path = join(dir, name)
      expect(Option.getOrThrow(yield* workspace.observe(path))).toMatchObject({
        kind: "file",
        size: 5,
        realPath: join(dir, "a.txt")
      })
      expect(yield* workspace.hash(path)).toEqual(
        Option.some(createHash("sha256").update("hello").digest("hex"))
      )
      expect(yield* workspace.read(path, 4)).toEqual(Option.some("hell"))
      const isHello = (bytes: Uint8Array) => Buffer.from(bytes).toString() === "hello"
      expect(yield* workspace.scan(path, isHello)).toEqual(Option.some(true))
      expect(yield* workspace.scan(path, () => false)).toEqual(Option.some(false))
    }
    expect(Option.getOrThrow(yield* workspace.observe(dir)).kind).toBe("folder")
    expect(yield* workspace.hash(dir)).toEqual(Option.none())
    expect(yield* workspace.scan(dir, () => true)).toEqual(Option.none())
    // Its address 0 is never mapped: the kernel answers the first read with EIO.
    expect(yield* workspace.scan("/proc/self/mem", () => true)).toEqual(Option.none())
    for (const path of [join(dir, "none"), "a\0b", join(dir, "a.txt", "x")]) {
      expect(yield* workspace.observe(path)).toEqual(Option.none())
      expect(yield* workspace.read(path, 9)).toEqual(Option.none())
      expect(yield* workspace.scan(path, () => true)).toEqual(Option.none())
    }
  }).pipe(Effect.provide(layer))
)

it.live("the folders of a place are named in order, not more than wanted, and files are none", () =>
  Effect.gen(function* () {
    const { folders } = yield* Workspace
    for (const name of ["weld", "pump"]) mkdirSync(join(dir, name))
    symlinkSync("weld", join(dir, "join"))
    writeFileSync(join(dir, "a.txt"), "hello")
    expect((yield* folders(dir, 9)).filter((name) => name !== ".git")).toEqual(["join", "pump", "weld"])
    expect(yield* folders(dir, 1)).toHaveLength(1)
    expect(yield* folders(join(dir, "a.txt"), 9)).toEqual([])
    expect(yield* folders(join(dir, "none"), 9)).toEqual([])
  }).pipe(Effect.provide(layer))
)
