import { afterAll, expect } from "bun:test"
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Fiber, Queue, Stream } from "effect"
import { watched } from "../../../layers/store/changes.ts"
import { open } from "../../../layers/store/SqlStore.ts"
import { commitsOf } from "../../../src/store/Commits.ts"
import type { Store } from "../../../src/store/Store.ts"
import { it } from "../../support/effect.ts"
import { newTask, stampAt } from "../../support/store.ts"

const folder = mkdtempSync(join(tmpdir(), "agent-runtime-changes-"))
afterAll(() => rmSync(folder, { recursive: true }))

/** Somebody who listens: `told` waits for the next word, `leave` ends it. */
const listener = (store: Store["Type"]) =>
  Effect.gen(function* () {
    const heard = yield* Queue.unbounded<void>()
    const fiber = yield* Effect.fork(Stream.runForEach(store.changes, () => Queue.offer(heard, undefined)))
    // It listens from its first element on.
    yield* Queue.take(heard)
    return { told: Queue.take(heard), leave: Fiber.interrupt(fiber) }
  })

const openHere = (name: string, ownReader: boolean) =>
  open({ filename: join(folder, name), durability: "normal", ownReader })

it.live("all who listen hear the commits of others, also when those who began first have left", () =>
  Effect.gen(function* () {
    const ours = yield* openHere("shared.db", true)
    const theirs = yield* openHere("shared.db", false)
    const [first, second, third] = [yield* listener(ours), yield* listener(ours), yield* listener(ours)]
    yield* theirs.tasks.add(newTask("a"), stampAt(0))
    for (const one of [first, second, third]) yield* one.told
    yield* first.leave
    yield* second.leave
    yield* theirs.tasks.add(newTask("b"), stampAt(0))
    yield* third.told
    yield* third.leave
    // The watch went with the last of them, and comes again with the next.
    const late = yield* listener(ours)
    yield* theirs.tasks.add(newTask("c"), stampAt(0))
    yield* late.told
    expect((yield* ours.tasks.counts).pending).toBe(3)
  })
)

it.live("one who does not take what is told keeps it from nobody else", () =>
  Effect.gen(function* () {
    const ours = yield* openHere("deaf.db", true)
    const theirs = yield* openHere("deaf.db", false)
    const deaf = yield* commitsOf(ours.listen)
    const hearing = yield* commitsOf(ours.listen)
    for (const id of ["a", "b", "c"]) {
      yield* theirs.tasks.add(newTask(id), stampAt(0))
      yield* Queue.take(hearing).pipe(Effect.timeout("4 seconds"))
    }
    expect(yield* Queue.size(deaf)).toBe(1)
  })
)

it.live("a commit that follows another one at once is told as well", () =>
  Effect.gen(function* () {
    const ours = yield* openHere("quick.db", true)
    const theirs = yield* openHere("quick.db", false)
    const hearing = yield* commitsOf(ours.listen)
    for (const round of Array(50).keys()) {
      yield* theirs.tasks.add(newTask(`task ${round}`), stampAt(0))
      // Sooner than the poll behind the watch would tell of it.
      yield* Queue.take(hearing).pipe(Effect.timeout("4 seconds"))
    }
    expect((yield* ours.tasks.counts).pending).toBe(50)
  })
)

it.live("that a store cannot be read is told once for each write, and not over and over", () =>
  Effect.gen(function* () {
    const file = join(folder, "unreadable.db")
    writeFileSync(`${file}-wal`, "")
    const asked = yield* Queue.unbounded<void>()
    let told = 0
    const unreadable = () => {
      Queue.unsafeOffer(asked, undefined)
      throw new Error("SQLITE_IOERR")
    }
    const tell = () => {
      told++
    }
    yield* watched(file, { any: unreadable, others: unreadable }, tell)
    appendFileSync(`${file}-wal`, "x")
    yield* Effect.repeatN(Queue.take(asked), 20)
    expect(told).toBeLessThanOrEqual(1)
  })
)
