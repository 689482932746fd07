import { expect } from "bun:test"
import { execFileSync } from "node:child_process"
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Option } from "effect"
import * as DiskAudit from "../../../layers/artifact/DiskAudit.ts"
import * as MemoryAudit from "../../../layers/artifact/MemoryAudit.ts"
import { Audit, MAX_STREAM_BYTES } from "../../../src/artifact/AuditFolder.ts"
import { AttemptId, TaskId } from "../../../src/domain/Ids.ts"
import { it } from "../../support/effect.ts"

const task = TaskId.make("task-1")
const attempt = AttemptId.make("attempt-1")
const FOLDER = "adapter-runs/task-1/attempt-1"
const everything = { offset: 0, most: 1 << 20 }

const fresh = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "agent-runtime-audit-"))),
  (root) => Effect.sync(() => rmSync(root, { recursive: true, force: true }))
)

const opened = Effect.gen(function* () {
  const root = yield* fresh
  const audit = yield* Audit.pipe(Effect.provide(DiskAudit.layer(root)))
  const folder = yield* audit.open(task, attempt)
  return { root, audit, folder }
})

const bytes = (text: string): Uint8Array => Buffer.from(text)
const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8)

it.live("folders are private, files too, and the paths are told both ways", () =>
  Effect.gen(function* () {
    const { root, folder } = yield* opened
    yield* folder.put("result.json", "{}")
    yield* Effect.scoped(folder.log("stdout.log"))
    expect(folder.relativePath).toBe(FOLDER)
    expect(folder.path).toBe(join(root, FOLDER))
    expect(["", "..", "../.."].map((up) => mode(join(folder.path, up)))).toEqual(["700", "700", "700"])
    expect(["result.json", "stdout.log"].map((name) => mode(join(folder.path, name)))).toEqual(["600", "600"])
  })
)

it.live("put replaces a file whole and leaves no temporary one", () =>
  Effect.gen(function* () {
    const { audit, folder } = yield* opened
    yield* folder.put("last-message.txt", "a long first text")
    yield* folder.put("last-message.txt", "short")
    expect(readdirSync(folder.path)).toEqual(["last-message.txt"])
    expect(Buffer.from(yield* audit.read(task, attempt, "last-message.txt", everything)).toString()).toBe(
      "short"
    )
  })
)

it.live("what is begun is there at once, and on the disk in the end", () =>
  Effect.gen(function* () {
    const { folder } = yield* opened
    const written = yield* folder.begin({ "payload.json": "{}", "invocation.json": "[]" })
    const texts = () =>
      ["payload.json", "invocation.json"].map((name) => readFileSync(join(folder.path, name), "utf8"))
    expect(texts()).toEqual(["{}", "[]"])
    yield* written
    expect(texts()).toEqual(["{}", "[]"])
    expect(readdirSync(folder.path).sort()).toEqual(["invocation.json", "payload.json"])
  })
)

it.live("a folder that was moved away, or has another one in its place, is found anew by its path", () =>
  Effect.gen(function* () {
    const { folder, root } = yield* opened
    renameSync(folder.path, join(root, "moved"))
    yield* folder.put("result.json", "{}")
    expect(readFileSync(join(folder.path, "result.json"), "utf8")).toBe("{}")
    expect(readdirSync(join(root, "moved"))).toEqual([])
    rmSync(folder.path, { recursive: true })
    symlinkSync(join(root, "moved"), folder.path)
    const refused = yield* Effect.flip(folder.put("result.json", "{}"))
    expect(refused.reason).toContain("not ours")
    expect(yield* Effect.flip(folder.log("stdout.log"))).toMatchObject({ _tag: "AuditFailed" })
    expect(readdirSync(join(root, "moved"))).toEqual([])
  })
)

it.live("what is written to a log is on the disk at once, and can be read in ranges", () =>
  Effect.gen(function* () {
    const { audit, folder } = yield* opened
    const log = yield* folder.log("stdout.log")
    log.write(bytes("one "))
    expect(readFileSync(join(folder.path, "stdout.log"), "utf8")).toBe("one ")
    log.write(bytes("two"))
    const range = yield* audit.read(task, attempt, "stdout.log", { offset: 2, most: 3 })
    expect(Buffer.from(range).toString()).toBe("e t")
    expect(yield* audit.read(task, attempt, "stdout.log", { offset: 99, most: 3 })).toHaveLength(0)
    expect([log.size(), log.tail(5), log.truncated()]).toEqual([7, "e two", false])
  })
)

it.live("what nobody wrote is read as empty", () =>
  Effect.gen(function* () {
    const { audit } = yield* opened
    expect(yield* audit.read(task, attempt, "stderr.log", everything)).toHaveLength(0)
    expect(yield* audit.read(task, AttemptId.make("never"), "stderr.log", everything)).toHaveLength(0)
  })
)

it.live("a log is cut at its limit with a visible mark, and its tail goes on", () =>
  Effect.gen(function* () {
    const { folder } = yield* opened
    const log = yield* folder.log("stdout.log")
    const chunk = new Uint8Array((1 << 20) + 1).fill(97)
    for (let written = 0; written <= MAX_STREAM_BYTES; written += chunk.length) log.write(chunk)
    log.write(bytes("the end"))
    const text = readFileSync(join(folder.path, "stdout.log"))
    expect(text.subarray(MAX_STREAM_BYTES).toString()).toBe(
      `\n[agent-runtime: output beyond ${MAX_STREAM_BYTES} bytes is cut off here]\n`
    )
    expect([log.truncated(), log.size(), log.tail(10)]).toEqual([true, MAX_STREAM_BYTES, "aaathe end"])
    expect(log.tail(1 << 30)).toHaveLength(1 << 20)
  })
)

it.live("a tail does not begin in the middle of a character", () =>
  Effect.gen(function* () {
    const { folder } = yield* opened
    const log = yield* folder.log("stderr.log")
    log.write(bytes("ab\u{1F600}c"))
    expect([log.tail(4), log.tail(5), log.tail(100)]).toEqual(["c", "\u{1F600}c", "ab\u{1F600}c"])
  })
)

it.live("a log that is opened again is continued", () =>
  Effect.gen(function* () {
    const { folder } = yield* opened
    yield* Effect.scoped(Effect.map(folder.log("stdout.log"), (log) => log.write(bytes("before "))))
    const log = yield* folder.log("stdout.log")
    log.write(bytes("after"))
    expect(readFileSync(join(folder.path, "stdout.log"), "utf8")).toBe("before after")
    expect(log.size()).toBe(12)
  })
)

it.live("a planted link is refused wherever it stands, and its target stays as it was", () =>
  Effect.gen(function* () {
    const outside = yield* fresh
    writeFileSync(join(outside, "victim"), "precious")
    for (const place of ["adapter-runs", "adapter-runs/task-1", FOLDER]) {
      const root = yield* fresh
      mkdirSync(join(root, place, ".."), { recursive: true })
      symlinkSync(outside, join(root, place))
      const audit = yield* Audit.pipe(Effect.provide(DiskAudit.layer(root)))
      const failure = yield* Effect.flip(audit.open(task, attempt))
      expect(failure).toMatchObject({ path: FOLDER, reason: expect.stringContaining("not ours") })
    }
    const { folder, audit } = yield* opened
    symlinkSync(join(outside, "victim"), join(folder.path, "stdout.log"))
    linkSync(join(outside, "victim"), join(folder.path, "stderr.log"))
    symlinkSync(join(outside, "victim"), join(folder.path, "result.json"))
    expect(yield* Effect.flip(folder.log("stdout.log"))).toMatchObject({ _tag: "AuditFailed" })
    expect(yield* Effect.flip(folder.log("stderr.log"))).toMatchObject({ _tag: "AuditFailed" })
    // It is told where no path of the host belongs.
    expect(yield* Effect.flip(audit.read(task, attempt, "stdout.log", everything))).toMatchObject({
      path: `${FOLDER}/stdout.log`
    })
    yield* folder.put("result.json", "{}")
    expect(readFileSync(join(outside, "victim"), "utf8")).toBe("precious")
    expect(readdirSync(outside)).toEqual(["victim"])
  })
)

it.live("a planted pipe neither hangs nor is written to", () =>
  Effect.gen(function* () {
    const { folder, audit } = yield* opened
    execFileSync("mkfifo", [join(folder.path, "stdout.log")])
    expect(yield* Effect.flip(folder.log("stdout.log"))).toMatchObject({ _tag: "AuditFailed" })
    expect(yield* Effect.flip(audit.read(task, attempt, "stdout.log", everything))).toMatchObject({
      _tag: "AuditFailed"
    })
  })
)

it.live("ids of any shape stay below adapter-runs", () =>
  Effect.gen(function* () {
    const root = yield* fresh
    const audit = yield* Audit.pipe(Effect.provide(DiskAudit.layer(root)))
    const folder = yield* audit.open(TaskId.make("../../x"), AttemptId.make(".."))
    expect(folder.relativePath).toBe("adapter-runs/%2E.%2F..%2Fx/%2E.")
    expect(existsSync(folder.path)).toBe(true)
  })
)

it.live("a full disk is told as AuditFailed by put and as a problem by a log, and throws nowhere", () =>
  Effect.gen(function* () {
    const root = yield* fresh
    const script = join(import.meta.dir, "../../support/children/full-disk.ts")
    // A limit on the size of files answers as a full disk does: a part is written, then an error comes.
    const command = ["-c", 'ulimit -f 2; exec "$0" "$1" "$2"', process.execPath, script, root]
    const output = execFileSync("bash", command)
    expect(JSON.parse(output.toString())).toEqual(["EFBIG", 2048, false, "EFBIG"])
    expect(readdirSync(join(root, "adapter-runs/t/a"))).toEqual(["stdout.log"])
  })
)

it.live("the audit in memory answers as the one on disk does", () =>
  Effect.gen(function* () {
    const audit = yield* Audit
    const folder = yield* audit.open(task, attempt)
    const log = yield* folder.log("stdout.log")
    log.write(bytes("one two"))
    yield* folder.put("result.json", "{}")
    expect([folder.relativePath, log.size(), log.tail(3), Option.isNone(log.problem())]).toEqual([
      FOLDER,
      7,
      "two",
      true
    ])
    expect(
      Buffer.from(yield* audit.read(task, attempt, "stdout.log", { offset: 2, most: 3 })).toString()
    ).toBe("e t")
    expect(yield* audit.read(task, attempt, "stderr.log", everything)).toHaveLength(0)
  }).pipe(Effect.provide(MemoryAudit.layer))
)
