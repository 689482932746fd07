import { describe, expect } from "bun:test"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Effect, Layer, Logger, LogLevel } from "effect"
import { take } from "../../../layers/lock/FileLock.ts"
import * as RuntimeLog from "../../../layers/log/RuntimeLog.ts"
import { it } from "../../support/effect.ts"
import { needs } from "../../support/needs.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "agent-runtime-log-"))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true, force: true }))
)

/** Runs a program that logs into a folder, with nothing else listening. */
const logging = (logDir: string, program: Effect.Effect<unknown>, rotateBytes?: number) =>
  program.pipe(
    Logger.withMinimumLogLevel(LogLevel.All),
    Effect.provide(
      Layer.provideMerge(
        RuntimeLog.layer({ logDir, ...(rotateBytes === undefined ? {} : { rotateBytes }) }),
        Logger.remove(Logger.defaultLogger)
      )
    )
  )

const messages = (file: string) =>
  fs
    .readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).message)

const numbered = (count: number) =>
  Effect.forEach(Array.from({ length: count }), (_, n) =>
    Effect.logInfo(`line ${String(n).padStart(4, "0")}`)
  )

/** Three processes that write into one log at once: COUNT ROTATE_BYTES [PADDING_CHARACTERS] of `logWorker.ts`. */
const threeWriting = (logDir: string, ...rest: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const worker = path.join(import.meta.dir, "..", "..", "support", "logWorker.ts")
    const start = (name: string) =>
      Bun.spawn([process.execPath, worker, logDir, name, ...rest], { stderr: "inherit" }).exited
    expect(yield* Effect.promise(() => Promise.all(["a", "b", "c"].map(start)))).toEqual([0, 0, 0])
  })

describe("the log file", () => {
  it.live("takes what is logged from info on, a JSON object a line, for this user alone", () =>
    Effect.gen(function* () {
      const logDir = path.join(yield* folder, "state", "logs")
      yield* logging(
        logDir,
        Effect.all([
          Effect.logDebug("no"),
          Effect.logInfo("yes"),
          Effect.logWarning("oh"),
          Effect.logError("no!")
        ])
      )
      const file = path.join(logDir, "runtime.jsonl")
      expect(messages(file)).toEqual(["yes", "oh", "no!"])
      expect(fs.statSync(file).mode & 0o777).toBe(0o600)
      expect(fs.statSync(logDir).mode & 0o777).toBe(0o700)
    })
  )

  it.live("is added to by a second process and a second start", () =>
    Effect.gen(function* () {
      const logDir = yield* folder
      yield* logging(logDir, Effect.logInfo("one"))
      yield* logging(logDir, Effect.logInfo("two"))
      expect(messages(path.join(logDir, "runtime.jsonl"))).toEqual(["one", "two"])
    })
  )

  it.live("never grows beyond its limit; five older ones are kept, newest first, in whole lines", () =>
    Effect.gen(function* () {
      const logDir = yield* folder
      yield* logging(logDir, numbered(200), 1_000)
      const names = fs.readdirSync(logDir).sort()
      expect(names).toEqual(["runtime.jsonl", ...[1, 2, 3, 4, 5].map((n) => `runtime.jsonl.${n}`)])
      for (const name of names) expect(fs.statSync(path.join(logDir, name)).size).toBeLessThanOrEqual(1_000)
      const kept = [...names].reverse().flatMap((name) => messages(path.join(logDir, name)))
      const last = Number(kept.at(-1)!.slice(5))
      expect(last).toBe(199)
      expect(kept.map((message) => Number(message.slice(5)))).toEqual(
        kept.map((_, at) => last - kept.length + 1 + at)
      )
    })
  )

  it.live("is put aside at 50 MiB", () =>
    Effect.gen(function* () {
      const logDir = yield* folder
      const file = path.join(logDir, "runtime.jsonl")
      const grown = (bytes: number) => {
        fs.closeSync(fs.openSync(file, "a"))
        fs.truncateSync(file, bytes)
      }
      grown(50 * 1024 * 1024 - 10_000)
      yield* logging(logDir, Effect.logInfo("fits"))
      expect(fs.readdirSync(logDir)).toEqual(["runtime.jsonl"])
      grown(50 * 1024 * 1024 - 10)
      yield* logging(logDir, Effect.logInfo("does not"))
      expect(fs.readdirSync(logDir).sort()).toEqual(["runtime.jsonl", "runtime.jsonl.1"])
      expect(messages(file)).toEqual(["does not"])
    })
  )

  it.live("is put aside once for all who write it: of two processes no line is lost, none is cut", () =>
    Effect.gen(function* () {
      const logDir = yield* folder
      yield* threeWriting(logDir, "400", "40000")
      const names = fs.readdirSync(logDir)
      const said = names.flatMap((name) => messages(path.join(logDir, name)))
      expect(said.length).toBe(1_200)
      expect(new Set(said).size).toBe(1_200)
      // What is put aside was full. How far beyond full is a matter of when the one that does it gets to run: the
      // others write on meanwhile.
      expect(names.length).toBeGreaterThan(1)
      for (const name of names.filter((name) => name !== "runtime.jsonl"))
        expect(fs.statSync(path.join(logDir, name)).size).toBeGreaterThan(39_500)
    })
  )

  it.live("takes no line that another process is writing for one that was cut off", () =>
    Effect.gen(function* () {
      const logDir = yield* folder
      // Of 20,000 characters a line spans pages: the file grows within it, where the others see it.
      yield* threeWriting(logDir, "200", String(50 * 1024 * 1024), "20000")
      const said = messages(path.join(logDir, "runtime.jsonl"))
      expect(new Set(said).size).toBe(600)
      expect(said.length).toBe(600)
    })
  )

  it.live("is not put aside while another process is doing that", () =>
    Effect.gen(function* () {
      const logDir = yield* folder
      yield* logging(logDir, numbered(10), 10_000)
      const file = path.join(logDir, "runtime.jsonl")
      const fd = yield* Effect.acquireRelease(
        Effect.sync(() => fs.openSync(file, "r+")),
        (open) => Effect.sync(() => fs.closeSync(open))
      )
      expect(take(fd)).toBe(true)
      yield* logging(logDir, Effect.logInfo("meanwhile"), 100)
      expect(fs.readdirSync(logDir)).toEqual(["runtime.jsonl"])
      expect(messages(file).at(-1)).toBe("meanwhile")
    })
  )

  it.live("holds a line longer than its limit alone", () =>
    Effect.gen(function* () {
      const logDir = yield* folder
      yield* logging(logDir, Effect.all([Effect.logInfo("x".repeat(500)), Effect.logInfo("short")]), 100)
      expect(messages(path.join(logDir, "runtime.jsonl"))).toEqual(["short"])
      expect(messages(path.join(logDir, "runtime.jsonl.1"))).toEqual(["x".repeat(500)])
    })
  )

  it.live("is made again when somebody removed it with its folder", () =>
    Effect.gen(function* () {
      const logDir = path.join(yield* folder, "logs")
      const removed = Effect.sync(() => fs.rmSync(logDir, { recursive: true }))
      yield* logging(logDir, Effect.all([Effect.logInfo("one"), removed, Effect.logInfo("two")]))
      expect(messages(path.join(logDir, "runtime.jsonl"))).toEqual(["two"])
    })
  )
})

describe("a log that cannot be written", () => {
  const fullDevice = "/dev/full"
  const cases: ReadonlyArray<readonly [what: string, make: (at: string) => void]> = [
    ["because the disk is full", (at) => fs.symlinkSync(fullDevice, path.join(at, "runtime.jsonl"))],
    ["because a folder stands in its place", (at) => fs.mkdirSync(path.join(at, "runtime.jsonl"))],
    [
      "because its folder is a file",
      (at) => {
        fs.rmdirSync(at)
        fs.writeFileSync(at, "")
      }
    ]
  ]
  for (const [what, make] of cases)
    it.live(`${what} harms nobody`, () =>
      Effect.gen(function* () {
        const logDir = path.join(yield* folder, "logs")
        fs.mkdirSync(logDir)
        make(logDir)
        const answer = yield* logging(logDir, Effect.as(Effect.logError("lost"), "done"), 100)
        expect(answer).toBe("done")
      })
    )

  const inItsPlace: ReadonlyArray<readonly [what: string, make: (file: string) => void, wrong: string]> = [
    [
      "a pipe that somebody reads",
      (file) => {
        Bun.spawnSync(["mkfifo", file])
        fs.openSync(file, "r+")
      },
      "it is not a regular file"
    ],
    ["a link to a device", (file) => fs.symlinkSync("/dev/null", file), "it is a symbolic link"],
    [
      "a link to a file",
      (file) => {
        fs.writeFileSync(`${file}.other`, "")
        fs.symlinkSync(`${file}.other`, file)
      },
      "it is a symbolic link"
    ],
    ["a folder", (file) => fs.mkdirSync(file), "it is a folder"]
  ]
  for (const [what, make, wrong] of inItsPlace)
    it.live(`for ${what} in its place is told of once, and nothing is written there`, () =>
      Effect.gen(function* () {
        const logDir = yield* folder
        const file = path.join(logDir, "runtime.jsonl")
        make(file)
        const heard: Array<unknown> = []
        const others = Logger.add(Logger.make(({ message }) => void heard.push(message)))
        yield* Effect.provide(
          logging(logDir, Effect.zipRight(Effect.logInfo("one"), Effect.logInfo("two"))),
          others
        )
        expect(heard.filter((message) => typeof message === "string")).toEqual([
          expect.stringContaining(`The log ${file} is not written: ${wrong}`)
        ])
        expect(heard).toContainEqual(["two"])
        if (fs.existsSync(`${file}.other`)) expect(fs.readFileSync(`${file}.other`, "utf8")).toBe("")
      })
    )

  needs("tmpfs")(
    "because the disk is full has whole lines alone, and tells what it could not take once there is room",
    () =>
      Effect.gen(function* () {
        const logDir = yield* folder
        const file = path.join(logDir, "runtime.jsonl")
        const ballast = path.join(logDir, "ballast")
        const heard: Array<unknown> = []
        const others = Logger.add(Logger.make(({ message }) => void heard.push(message)))
        Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", logDir])
        yield* Effect.addFinalizer(() => Effect.sync(() => Bun.spawnSync(["umount", "-l", logDir])))
        const story = Effect.gen(function* () {
          yield* Effect.logInfo("first")
          fs.writeFileSync(ballast, "x".repeat(56_000))
          yield* Effect.forEach(Array.from({ length: 9 }), () => Effect.logInfo("y".repeat(1000)))
          fs.rmSync(ballast)
          yield* Effect.logInfo("again")
          yield* Effect.logInfo("and again")
        })
        yield* Effect.provide(logging(logDir, story), others)
        const found = messages(file)
        const fitted = found.filter((message) => message === "y".repeat(1000)).length
        expect(fitted).toBeLessThan(9)
        expect(found.filter((message) => message !== "y".repeat(1000))).toEqual([
          "first",
          `Lines that this log could not take before this one: ${9 - fitted}`,
          "again",
          "and again"
        ])
        expect(heard.filter((message) => typeof message === "string")).toEqual([
          `The log ${file} is not written: the disk is full; free some space`
        ])
      }).pipe(Effect.scoped, Effect.runPromise)
  )

  it.live("of which a part is left by somebody who died over it goes on in a new line", () =>
    Effect.gen(function* () {
      const logDir = yield* folder
      const file = path.join(logDir, "runtime.jsonl")
      fs.writeFileSync(file, '{"message":"hal')
      yield* logging(logDir, Effect.zipRight(Effect.logInfo("one"), Effect.logInfo("two")))
      const [half, ...whole] = fs.readFileSync(file, "utf8").trimEnd().split("\n")
      expect(half).toBe('{"message":"hal')
      expect(whole.map((line) => JSON.parse(line).message)).toEqual(["one", "two"])
    })
  )

  it.live("for a pipe that nobody reads holds nobody up", () =>
    Effect.gen(function* () {
      const logDir = yield* folder
      Bun.spawnSync(["mkfifo", path.join(logDir, "runtime.jsonl")])
      const worker = path.join(import.meta.dir, "..", "..", "support", "logWorker.ts")
      const command = [process.execPath, worker, logDir, "a", "2", "1000"]
      const child = Bun.spawn(command, { stdout: "ignore", stderr: "inherit", timeout: 5_000 })
      expect(yield* Effect.promise(() => child.exited)).toBe(0)
    })
  )
})
