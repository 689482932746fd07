import { afterAll, beforeEach, expect } from "bun:test"
import { execFileSync } from "node:child_process"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Deferred, Effect, Fiber, Option } from "effect"
import { layer } from "../../../layers/artifact/DiskArtifacts.ts"
import { layer as memoryLayer } from "../../../layers/artifact/MemoryArtifacts.ts"
import { ArtifactStore } from "../../../src/artifact/ArtifactStore.ts"
import { artifactStoreSuite } from "../../conformance/artifacts.ts"
import { it } from "../../support/effect.ts"

const base = mkdtempSync(join(tmpdir(), "artifacts-test-"))
afterAll(() => rmSync(base, { recursive: true, force: true }))

let count = 0
let root = ""
beforeEach(() => {
  root = join(base, `case-${++count}`, "artifacts")
  mkdirSync(root, { recursive: true })
})

artifactStoreSuite("on disk", () => layer(join(base, `suite-${++count}`, "artifacts")))
artifactStoreSuite("in memory", () => memoryLayer)

const check = (title: string, body: () => Effect.Effect<unknown, unknown, ArtifactStore>) =>
  it.live(title, () => Effect.suspend(() => Effect.provide(body(), layer(root))))

const refusedEverywhere = (path: string) =>
  Effect.gen(function* () {
    const store = yield* ArtifactStore
    const verbs = [
      store.resolve(path),
      store.observe(path),
      store.hash(path),
      store.read(path, 9),
      store.scan(path, () => true),
      store.write(path, "x"),
      store.keepOld(path),
      store.files(path, { most: 9, descending: false, leaveOut: [] })
    ]
    for (const verb of verbs) {
      const error = yield* Effect.flip(verb as Effect.Effect<unknown, { readonly _tag: string }>)
      expect(error._tag).toBe("PathRefused")
    }
  })

for (const folder of ["adapter-runs", "bundles"])
  check(`it cannot be written where ${folder}, to which attempts write, is no folder`, () =>
    Effect.gen(function* () {
      const { writable } = yield* ArtifactStore
      mkdirSync(join(root, folder))
      yield* writable
      expect(readdirSync(join(root, folder))).toEqual([])
      rmSync(join(root, folder), { recursive: true })
      writeFileSync(join(root, folder), "")
      expect(yield* Effect.flip(writable)).toMatchObject({ path: folder, reason: "ENOTDIR" })
    })
  )

it.live("a root behind a symlink is known by both of its names", () =>
  Effect.suspend(() => {
    const given = join(root, "..", "linked")
    symlinkSync("artifacts", given)
    return Effect.gen(function* () {
      const store = yield* ArtifactStore
      expect(store.root).not.toBe(given)
      for (const name of [given, store.root]) expect(store.relative(`${name}/./a/b.md`)).toBe("a/b.md")
      for (const path of [`${given}x/a.md`, `${given}/../a.md`, given, "a/../b.md"])
        expect(store.relative(path)).toBe(path)
    }).pipe(Effect.provide(layer(given)))
  })
)

check("a symlink that leaves the root is refused, as the last part and on the way", () =>
  Effect.gen(function* () {
    const outside = join(root, "..", "outside")
    mkdirSync(outside)
    writeFileSync(join(outside, "secret.md"), "secret")
    symlinkSync(outside, join(root, "folder"))
    symlinkSync(join(outside, "secret.md"), join(root, "file.md"))
    symlinkSync("../outside", join(root, "relative"))
    for (const path of ["folder", "folder/secret.md", "folder/new.md", "file.md", "relative/new/deep.md"])
      yield* refusedEverywhere(path)
    expect(readdirSync(outside)).toEqual(["secret.md"])
    expect(readFileSync(join(outside, "secret.md"), "utf8")).toBe("secret")
  })
)

it.live("a scan that the disk breaks off fails with the system's word", () =>
  Effect.gen(function* () {
    const store = yield* ArtifactStore
    // Its address 0 is never mapped: the kernel answers the first read with EIO.
    expect(yield* Effect.flip(store.scan("mem", () => false))).toMatchObject({
      _tag: "ArtifactFailed",
      reason: "EIO"
    })
  }).pipe(Effect.provide(layer("/proc/self")))
)

check("a scan leaves the process free between two pieces", () =>
  Effect.gen(function* () {
    const store = yield* ArtifactStore
    writeFileSync(join(root, "a.bin"), Buffer.alloc(4 * 1024 * 1024))
    let pieces = 0
    const seen = new Set<number>()
    const turn = Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))
    const other = yield* Effect.fork(
      Effect.forever(Effect.tap(turn, () => Effect.sync(() => seen.add(pieces))))
    )
    expect(yield* store.scan("a.bin", () => ++pieces === 0)).toEqual(Option.some(false))
    yield* Fiber.interrupt(other)
    expect(pieces).toBeGreaterThan(8)
    expect(seen.size).toBeGreaterThan(pieces / 2)
  })
)

check("a scan ends when it is interrupted", () =>
  Effect.gen(function* () {
    const store = yield* ArtifactStore
    writeFileSync(join(root, "large.bin"), "")
    truncateSync(join(root, "large.bin"), 512 * 1024 * 1024)
    writeFileSync(join(root, "small.bin"), Buffer.alloc(4 * 1024 * 1024))
    const begun = yield* Deferred.make<void>()
    let pieces = 0
    const scan = yield* Effect.fork(
      store.scan("large.bin", () => {
        pieces++
        Deferred.unsafeDone(begun, Effect.void)
        return false
      })
    )
    yield* Deferred.await(begun)
    yield* Fiber.interrupt(scan)
    const then = pieces
    // A reading that went on would have come on by as much as this one.
    yield* store.scan("small.bin", () => false)
    expect(pieces - then).toBeLessThanOrEqual(1)
  })
)

check("a file that would take for ever to be read, as a sparse one of terabytes, is not read at all", () =>
  Effect.gen(function* () {
    const store = yield* ArtifactStore
    const path = "sparse.bin"
    writeFileSync(join(root, path), "")
    truncateSync(join(root, path), 2 ** 42)
    const large = { _tag: "ArtifactFailed", reason: "it is larger than 8 GiB" }
    expect(yield* Effect.flip(store.scan(path, () => false))).toMatchObject(large)
    expect(yield* Effect.flip(store.hash(path))).toMatchObject(large)
  })
)

check("a symlink to the sibling whose name begins with the root's is refused", () =>
  Effect.gen(function* () {
    mkdirSync(`${root}-evil`)
    symlinkSync(`${root}-evil`, join(root, "evil"))
    yield* refusedEverywhere("evil/a.md")
  })
)

check("a symlink that leads nowhere is refused, so that nothing is made through it", () =>
  Effect.gen(function* () {
    symlinkSync(join(root, "..", "not-there"), join(root, "dangling"))
    symlinkSync("loop-b", join(root, "loop-a"))
    symlinkSync("loop-a", join(root, "loop-b"))
    for (const path of ["dangling", "dangling/a.md", "loop-a", "loop-a/x"]) yield* refusedEverywhere(path)
    expect(existsSync(join(root, "..", "not-there"))).toBe(false)
  })
)

check("a symlink that stays inside is followed to the real file", () =>
  Effect.gen(function* () {
    const store = yield* ArtifactStore
    yield* store.write("real/a.md", "a")
    symlinkSync("real", join(root, "alias"))
    expect(Option.getOrThrow(yield* store.observe("alias/a.md")).realPath).toBe(`${store.root}/real/a.md`)
    yield* store.write("alias/b.md", "b")
    expect(readFileSync(join(root, "real", "b.md"), "utf8")).toBe("b")
  })
)

check("a root that is itself a symlink works by either of its names", () =>
  Effect.gen(function* () {
    const link = join(root, "..", "link")
    symlinkSync(root, link)
    yield* Effect.gen(function* () {
      const store = yield* ArtifactStore
      yield* store.write(`${link}/a.md`, "a")
      expect(yield* store.read(`${store.root}/a.md`, 9)).toEqual(Option.some("a"))
      expect(store.root).not.toContain("/link")
    }).pipe(Effect.provide(layer(link)))
  })
)

check("an older version is not kept outside the root through a file that links back in", () =>
  Effect.gen(function* () {
    const store = yield* ArtifactStore
    const outside = join(root, "..", "outside")
    mkdirSync(outside)
    yield* store.write("inner.md", "inner")
    symlinkSync(join(root, "inner.md"), join(outside, "back.md"))
    symlinkSync(outside, join(root, "folder"))
    expect((yield* Effect.flip(store.keepOld("folder/back.md")))._tag).toBe("PathRefused")
    expect(readdirSync(outside)).toEqual(["back.md"])
  })
)

check("files are 0600 and folders 0700, and no temporary file stays behind", () =>
  Effect.gen(function* () {
    const store = yield* ArtifactStore
    yield* store.write("one/two/a.md", "a")
    chmodSync(join(root, "one/two/a.md"), 0o644)
    yield* store.keepOld("one/two/a.md")
    yield* store.write("one/two/a.md", "b")
    expect((yield* Effect.flip(store.write("one/two", "x")))._tag).toBe("ArtifactFailed")
    const mode = (path: string) => statSync(join(root, path)).mode & 0o777
    expect([mode("one"), mode("one/two")]).toEqual([0o700, 0o700])
    expect([mode("one/two/a.md"), mode("one/two/a.1.md")]).toEqual([0o600, 0o600])
    expect(readdirSync(join(root, "one/two")).sort()).toEqual(["a.1.md", "a.md"])
    expect(readdirSync(join(root, "one"))).toEqual(["two"])
  })
)

check("the change time is the inode's, with a fraction, and cannot be set back by touching the file", () =>
  Effect.gen(function* () {
    const store = yield* ArtifactStore
    yield* store.write("a.md", "a")
    execFileSync("touch", ["-d", "2001-01-01", join(root, "a.md")])
    const { changedAtMs } = Option.getOrThrow(yield* store.observe("a.md"))
    expect(changedAtMs).toBeCloseTo(Number(statSync(join(root, "a.md"), { bigint: true }).ctimeNs) / 1e6, 1)
    expect(changedAtMs).toBeGreaterThan(statSync(join(root, "a.md")).mtimeMs)
  })
)

check("a pipe is neither read nor waited for", () =>
  Effect.gen(function* () {
    const store = yield* ArtifactStore
    execFileSync("mkfifo", [join(root, "pipe.md")])
    expect(Option.getOrThrow(yield* store.observe("pipe.md")).kind).toBe("other")
    expect(yield* store.read("pipe.md", 10)).toEqual(Option.none())
    expect(yield* store.hash("pipe.md")).toEqual(Option.none())
  })
)

check("a name that is too long is refused in words", () =>
  Effect.gen(function* () {
    const store = yield* ArtifactStore
    const error = yield* Effect.flip(store.observe("x".repeat(5000)))
    expect(error).toMatchObject({ _tag: "PathRefused", why: "is longer than the file system allows" })
  })
)

check("a root that cannot be made says why", () =>
  Effect.gen(function* () {
    writeFileSync(join(root, "file"), "")
    const error = yield* Effect.flip(Effect.provide(ArtifactStore, layer(join(root, "file", "artifacts"))))
    expect(error).toMatchObject({ _tag: "ArtifactFailed", reason: "ENOTDIR" })
  })
)

check("a listing passes over symlinks and what is only half written", () =>
  Effect.gen(function* () {
    const store = yield* ArtifactStore
    yield* store.write("wiki/a.md", "a")
    writeFileSync(join(root, "..", "secret.md"), "secret")
    symlinkSync("../secret.md", join(root, "out.md"))
    symlinkSync("wiki", join(root, "alias"))
    writeFileSync(join(root, `.${crypto.randomUUID()}.tmp`), "half")
    writeFileSync(join(root, ".kept.tmp"), "whole")
    execFileSync("mkfifo", [join(root, "pipe")])
    expect(yield* store.files("", { most: 9, descending: false, leaveOut: [] })).toEqual({
      paths: [".kept.tmp", "wiki/a.md"],
      total: Option.some(2)
    })
  })
)

check("a listing counts nothing where a folder below cannot be read, and says so by no total", () =>
  Effect.gen(function* () {
    const store = yield* ArtifactStore
    yield* store.write("wiki/a.md", "a")
    // Longer than a path may be: the names above it can be read, it cannot.
    const deep = Array.from({ length: 17 }, () => "d".repeat(250))
    execFileSync("bash", [
      "-ec",
      `cd "$0"; for name in "$@"; do mkdir "$name"; cd "$name"; done`,
      root,
      ...deep
    ])
    const { paths, total } = yield* store.files("", { most: 9, descending: false, leaveOut: [] })
    expect({ paths, total }).toEqual({ paths: ["wiki/a.md"], total: Option.none() })
    execFileSync("rm", ["-rf", join(root, deep[0]!)])
  })
)
