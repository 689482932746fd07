import { describe, expect } from "bun:test"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Effect, Option, type Scope, TestClock } from "effect"
import * as KernelLock from "../../../layers/lock/KernelLock.ts"
import { Lock, LockHeld, LockUnusable } from "../../../src/dispatch/Lock.ts"
import { RunnerId } from "../../../src/domain/Ids.ts"
import { lockConformance } from "../../conformance/lock.ts"
import { it } from "../../support/effect.ts"

const ME = RunnerId.make("me:1:now")

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "agent-runtime-lock-"))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true, force: true }))
)
const place = Effect.map(folder, (made) => path.join(made, "state", "dispatch.lock"))

lockConformance("a lock of the kernel", KernelLock.layer, place)

const on = (what: string, body: (file: string) => Effect.Effect<unknown, unknown, Lock | Scope.Scope>) =>
  it.live(what, () => Effect.flatMap(place, (file) => Effect.provide(body(file), KernelLock.layer)), 20_000)

const child = (...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const script = path.join(import.meta.dir, "../../support/children/lock.ts")
      const made = Bun.spawn([process.execPath, script, ...args], { stdout: "pipe", stderr: "inherit" })
      return { made, lines: lines(made.stdout) }
    }),
    ({ made }) =>
      Effect.promise(async () => {
        made.kill("SIGKILL")
        await made.exited
      })
  )

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = ""
  const decoder = new TextDecoder()
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n")
    rest = parts.pop() ?? ""
    yield* parts
  }
}

const next = (from: AsyncGenerator<string>) =>
  Effect.promise(async () => {
    const { value } = await from.next()
    if (typeof value !== "string") throw new Error("the other process ended without a word")
    return value
  })

describe("another process", () => {
  on("keeps this one out while it lives, and is named; killed, it frees the lock at once", (file) =>
    Effect.gen(function* () {
      const lock = yield* Lock
      const { lines: said, made } = yield* child("hold", file)
      const { heir } = JSON.parse(yield* next(said))
      yield* Effect.addFinalizer(() => Effect.sync(() => process.kill(heir, "SIGKILL")))
      const refused = yield* Effect.flip(Effect.void.pipe(lock.hold(file, ME)))
      expect(refused).toBeInstanceOf(LockHeld)
      const holder = Option.getOrThrow(yield* lock.holder(file))
      expect(Option.getOrThrow(holder.runnerId)).toStartWith(`child:${made.pid}:`)
      made.kill("SIGKILL")
      yield* Effect.promise(() => made.exited)
      // Its own child still runs: it has not inherited the lock.
      process.kill(heir, 0)
      expect(yield* lock.holder(file)).toEqual(Option.none())
      expect(yield* Effect.succeed("free").pipe(lock.hold(file, ME))).toBe("free")
    })
  )

  on("that looks a thousand times never keeps this one from taking it a thousand times", (file) =>
    Effect.gen(function* () {
      const lock = yield* Lock
      yield* Effect.void.pipe(lock.hold(file, ME))
      const { lines: said } = yield* child("look", file, "1000")
      expect(yield* next(said)).toBe("ready")
      for (let turn = 0; turn < 1_000; turn++) yield* Effect.void.pipe(lock.hold(file, ME))
      expect(JSON.parse(yield* next(said))).toMatchObject({ looked: 1_000 })
    })
  )

  on("that takes it a thousand times is never kept from it by looks of this one", (file) =>
    Effect.gen(function* () {
      const lock = yield* Lock
      const { lines: said } = yield* child("take", file, "1000")
      expect(yield* next(said)).toBe("ready")
      for (let turn = 0; turn < 1_000; turn++) yield* Effect.zipRight(lock.holder(file), Effect.yieldNow())
      expect(JSON.parse(yield* next(said))).toEqual({ taken: 1_000 })
    })
  )
})

/** A holder looks at its lock so often. */
const aLook = TestClock.adjust("2 seconds")

const onTestClock = (
  what: string,
  body: (file: string) => Effect.Effect<unknown, unknown, Lock | Scope.Scope>
) => it.effect(what, () => Effect.flatMap(place, (file) => Effect.provide(body(file), KernelLock.layer)))

const noteOf = (file: string): unknown =>
  fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8") || "{}").runner_id : undefined

describe("a lock file that is removed while it is held", () => {
  const losses: ReadonlyArray<readonly [what: string, lose: (file: string) => void]> = [
    ["removed", (file) => fs.rmSync(file)],
    ["moved away", (file) => fs.renameSync(file, `${file}.stale`)],
    [
      "replaced by an empty one",
      (file) => {
        fs.writeFileSync(`${file}.new`, "")
        fs.renameSync(`${file}.new`, file)
      }
    ]
  ]
  for (const [what, lose] of losses)
    onTestClock(`${what}, is locked anew within seconds, held since when it was`, (file) =>
      Effect.gen(function* () {
        const lock = yield* Lock
        yield* Effect.gen(function* () {
          const before = Option.getOrThrow(yield* lock.holder(file))
          lose(file)
          yield* aLook
          expect(noteOf(file)).toBe(ME)
          expect(yield* lock.holder(file)).toEqual(Option.some(before))
          expect(yield* Effect.flip(Effect.void.pipe(lock.hold(file, ME)))).toBeInstanceOf(LockHeld)
        }).pipe(lock.hold(file, ME))
        expect(yield* lock.holder(file)).toEqual(Option.none())
      })
    )

  on(
    "and locked by another process meanwhile, ends what its first holder does, and names who has it",
    (file) =>
      Effect.gen(function* () {
        const lock = yield* Lock
        let ended = false
        const work = Effect.sync(() => fs.rmSync(file)).pipe(
          Effect.zipRight(child("hold", file)),
          Effect.tap(({ lines: said, made }) =>
            Effect.flatMap(next(said), (text) =>
              Effect.addFinalizer(() =>
                Effect.sync(() => {
                  ended = true
                  process.kill(JSON.parse(text).heir, "SIGKILL")
                  made.kill("SIGKILL")
                })
              )
            )
          ),
          Effect.zipRight(Effect.never),
          Effect.scoped
        )
        const failed = yield* Effect.flip(lock.hold(file, ME)(work))
        expect(ended).toBe(true)
        expect(failed).toBeInstanceOf(LockUnusable)
        expect(failed).toMatchObject({
          path: file,
          reason: expect.stringMatching(/replaced .* child:\d+:then/)
        })
      })
  )

  onTestClock(
    "and replaced by a link, is not locked anew until that is gone: nothing is written through it",
    (file) =>
      Effect.gen(function* () {
        const lock = yield* Lock
        yield* Effect.gen(function* () {
          fs.renameSync(file, `${file}.moved`)
          fs.writeFileSync(`${file}.empty`, "")
          fs.symlinkSync(`${file}.empty`, file)
          yield* aLook
          expect(fs.statSync(`${file}.empty`).size).toBe(0)
          fs.rmSync(file)
          yield* aLook
          expect(noteOf(file)).toBe(ME)
        }).pipe(lock.hold(file, ME))
      })
  )

  onTestClock("with its folder is not made anew: what lay beside it is gone as well", (file) =>
    Effect.gen(function* () {
      const lock = yield* Lock
      yield* Effect.gen(function* () {
        fs.rmSync(path.dirname(file), { recursive: true })
        yield* aLook
        expect(fs.existsSync(path.dirname(file))).toBe(false)
        fs.mkdirSync(path.dirname(file))
        yield* aLook
        expect(noteOf(file)).toBe(ME)
      }).pipe(lock.hold(file, ME))
    })
  )
})

describe("the lock file", () => {
  on("is made for this user alone, with its folder, and stays", (file) =>
    Effect.gen(function* () {
      const lock = yield* Lock
      yield* Effect.void.pipe(lock.hold(file, ME))
      expect(fs.statSync(file).mode & 0o777).toBe(0o600)
      expect(fs.statSync(path.dirname(file)).mode & 0o777).toBe(0o700)
      const { ino } = fs.statSync(file)
      yield* Effect.void.pipe(lock.hold(file, ME))
      expect(fs.statSync(file).ino).toBe(ino)
    })
  )

  const garbage: ReadonlyArray<readonly [what: string, bytes: string | Uint8Array]> = [
    ["nothing", ""],
    ["zeros", new Uint8Array(64)],
    ["half an answer", '{"runner_id":"host:1:'],
    ["bytes that are no text", new Uint8Array([0xff, 0xfe, 0x80])],
    ["a megabyte", "x".repeat(1_000_000)],
    ["another program's process", "12345\n"],
    ["the beginning of an answer", '{"runn'],
    [
      "an answer that went over to bytes that are no text",
      Buffer.from([...Buffer.from('{"runner_id":"x'), 0xff])
    ],
    ["somebody else's name", '{"runner_id":"x","since":"2026-01-01T00:00:00.000Z"}']
  ]
  for (const [what, bytes] of garbage)
    on(`that holds ${what} keeps nobody out and is written anew`, (file) =>
      Effect.gen(function* () {
        const lock = yield* Lock
        fs.mkdirSync(path.dirname(file), { recursive: true })
        fs.writeFileSync(file, bytes)
        expect(yield* lock.holder(file)).toEqual(Option.none())
        const holder = yield* lock.holder(file).pipe(lock.hold(file, ME))
        expect(Option.flatMap(holder, (one) => one.runnerId)).toEqual(Option.some(ME))
        expect(JSON.parse(fs.readFileSync(file, "utf8"))).toMatchObject({ runner_id: ME })
      })
    )

  on("that its holder has no good name in is held all the same, by somebody unknown", (file) =>
    Effect.gen(function* () {
      const lock = yield* Lock
      const seen = yield* Effect.gen(function* () {
        fs.writeFileSync(file, "garbage")
        const refused = yield* Effect.flip(Effect.void.pipe(lock.hold(file, RunnerId.make("you"))))
        return { refused, holder: yield* lock.holder(file) }
      }).pipe(lock.hold(file, ME))
      expect(seen.refused).toMatchObject({ _tag: "LockHeld", runnerId: Option.none() })
      expect(seen.holder).toEqual(Option.some({ runnerId: Option.none(), since: Option.none() }))
    })
  )

  const notes = "What I must not forget\n"
  const foreign: ReadonlyArray<readonly [what: string, make: (file: string) => void, says: string]> = [
    ["somebody's notes", (file) => fs.writeFileSync(file, notes), "holds something else"],
    ["another object", (file) => fs.writeFileSync(file, '{"runner":1}'), "holds something else"],
    [
      "bytes that are no text",
      (file) => fs.writeFileSync(file, Buffer.of(0xff, 0xfe)),
      "holds something else"
    ],
    ["a long file of zeros", (file) => fs.writeFileSync(file, Buffer.alloc(5_000)), "holds something else"],
    ["a link to a file", (file) => fs.symlinkSync(`${file}.notes`, file), "symbolic link"],
    ["a link to an empty file", (file) => fs.symlinkSync(`${file}.empty`, file), "symbolic link"],
    ["a link to nothing", (file) => fs.symlinkSync(`${file}.none`, file), "symbolic link"],
    ["a folder", (file) => fs.mkdirSync(file), "a folder"],
    ["a pipe", (file) => Bun.spawnSync(["mkfifo", file]), "not a regular file"]
  ]
  for (const [what, make, says] of foreign)
    on(`that is ${what} is refused and left as it is, by a look as well`, (dispatch) =>
      Effect.gen(function* () {
        const lock = yield* Lock
        // By another name than a lock has.
        const file = path.join(path.dirname(dispatch), "notes.txt")
        fs.mkdirSync(path.dirname(file), { recursive: true })
        fs.writeFileSync(`${file}.notes`, notes)
        fs.writeFileSync(`${file}.empty`, "")
        make(file)
        const content = () => (fs.lstatSync(file).isFile() ? fs.readFileSync(file) : undefined)
        const before = content()
        for (const use of [Effect.void.pipe(lock.hold(file, ME)), lock.holder(file)]) {
          const failed = yield* Effect.flip(use)
          expect(failed).toBeInstanceOf(LockUnusable)
          expect(failed).toMatchObject({
            path: file,
            reason: expect.stringMatching(
              new RegExp(`${says}.*; expected a file that is empty, holds a lock's record`)
            ),
            remedy: "see what is there and move it away, or set another lockPath"
          })
        }
        expect(content()).toEqual(before)
        expect(fs.readFileSync(`${file}.notes`, "utf8")).toBe(notes)
        expect(fs.statSync(`${file}.empty`).size).toBe(0)
        expect(fs.existsSync(`${file}.none`)).toBe(false)
      })
    )

  on("below a file cannot be used, for a look neither", (file) =>
    Effect.gen(function* () {
      const lock = yield* Lock
      fs.writeFileSync(path.dirname(file), "in the way")
      expect(yield* Effect.flip(Effect.void.pipe(lock.hold(file, ME)))).toBeInstanceOf(LockUnusable)
      expect(yield* Effect.flip(lock.holder(file))).toBeInstanceOf(LockUnusable)
    })
  )

  on("that is not there is held by nobody, and a look does not make it", (file) =>
    Effect.gen(function* () {
      const lock = yield* Lock
      expect(yield* lock.holder(file)).toEqual(Option.none())
      expect(fs.existsSync(path.dirname(file))).toBe(false)
    })
  )
})
