import { expect } from "bun:test"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { uuidV7 } from "../../../src/domain/Ids.ts"
import { it } from "../../support/effect.ts"
import { add, at, claimed, complete, onFile, Raw, settle } from "../../support/store.ts"

// What a commit writes is what it costs, and other than its time it can be counted: the journal gets a frame for each
// page, and is not taken over in so short a time. The bounds are what was measured and a tenth.

const HEADER = 32
const FRAME_HEADER = 24
const TASKS = 300

/** Ids as the runtime gives them, rising with `n`. */
const idOf = (n: number): string => uuidV7(at(0).epochMillis + n, n % 4096, new Uint8Array(8))

const payload = { text: "what a bridge hands over, or about as much of it as one of them will: ".repeat(6) }

it.effect("an enqueue, a claim and a settlement write few pages, what their lists take over included", () =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => fs.mkdtempSync(join(tmpdir(), "agent-runtime-pages-"))),
      (made) => Effect.sync(() => fs.rmSync(made, { recursive: true }))
    )
    const database = join(folder, "runtime.db")
    yield* Effect.gen(function* () {
      const raw = yield* Raw
      const page = Number((yield* raw.run("PRAGMA page_size"))[0]?.page_size)
      const written = Effect.sync(
        () => Math.max(0, fs.statSync(`${database}-wal`).size - HEADER) / (FRAME_HEADER + page)
      )
      const fresh = yield* written
      for (let n = 0; n < TASKS; n++) yield* add(idOf(n), { payload })
      const queued = yield* written
      expect((queued - fresh) / TASKS).toBeLessThan(8)
      let [claims, settlements, before] = [0, 0, queued]
      for (let n = 0; n < TASKS; n++) {
        yield* claimed(idOf(TASKS + n), n)
        const taken = yield* written
        yield* settle(idOf(TASKS + n), complete, n)
        const done = yield* written
        claims += taken - before
        settlements += done - taken
        before = done
      }
      expect(claims / TASKS).toBeLessThan(11)
      expect(settlements / TASKS).toBeLessThan(7)
    }).pipe(Effect.provide(onFile(database)))
  })
)
