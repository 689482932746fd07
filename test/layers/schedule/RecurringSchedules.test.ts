import { afterAll, beforeAll, expect } from "bun:test"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Context, DateTime, Effect, Layer, Logger, Option } from "effect"
import * as Host from "../../../layers/Host.ts"
import * as RecurringSchedules from "../../../layers/schedule/RecurringSchedules.ts"
import { file } from "../../../layers/store/SqlStore.ts"
import { KnownSecrets } from "../../../src/artifact/KnownSecrets.ts"
import { RuntimeConfig } from "../../../src/config/RuntimeConfig.ts"
import { noSecrets } from "../../../src/domain/Redactor.ts"
import { Scheduler } from "../../../src/schedule/Scheduler.ts"
import { Store } from "../../../src/store/Store.ts"
import { save } from "../../intake/schedules.ts"
import { it } from "../../support/effect.ts"
import { settings } from "../../support/settings.ts"

let folder = ""
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "agent-runtime-schedules-"))
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

/** A scheduler with a store of its own on a file that others have open as well. */
const open = (filename: string) =>
  Layer.build(
    RecurringSchedules.layer.pipe(
      Layer.provideMerge(
        Layer.mergeAll(
          file({ filename, durability: "normal" }),
          Host.ids,
          Layer.succeed(RuntimeConfig, settings()),
          Layer.succeed(KnownSecrets, { redactor: Effect.succeed(noSecrets) })
        )
      ),
      Layer.provideMerge(Logger.remove(Logger.defaultLogger))
    )
  )

it.live("of several that evaluate at once one creates the task of a due time, and one records its fate", () =>
  Effect.gen(function* () {
    const filename = join(folder, "runtime.db")
    const all = yield* Effect.forEach([1, 2, 3], () => open(filename))
    const names = Array.from({ length: 8 }, (_, nth) => `s${nth}`)
    const dueAt = DateTime.unsafeMake("2026-01-01T00:00:00Z")
    for (const name of names)
      yield* Effect.provide(save({ name, overlap: "allow", next_run_at: DateTime.formatIso(dueAt) }), all[0]!)
    const made: Array<string> = []
    for (let minute = 0; minute < 5; minute++) {
      const at = DateTime.add(dueAt, { minutes: minute })
      const ticks = yield* Effect.forEach(all, (one) => Context.get(one, Scheduler).tick(at), {
        concurrency: "unbounded"
      })
      expect(ticks.reduce((sum, one) => sum + one.schedulesEvaluated, 0)).toBe(names.length)
      made.push(...ticks.flatMap((one) => one.taskIds))
    }
    const store = Context.get(all[1]!, Store)
    expect(new Set(made).size).toBe(5 * names.length)
    expect((yield* store.tasks.counts).pending).toBe(made.length)
    for (const schedule of yield* store.schedules.list) {
      const fates = yield* store.schedules.fates(schedule.scheduleId, 99)
      expect(fates.map((one) => [one.fate, one.missed])).toEqual(Array(5).fill(["fired", 0]))
    }
    expect(yield* Context.get(all[2]!, Scheduler).nextDue).toEqual(
      Option.some(DateTime.add(dueAt, { minutes: 5 }))
    )
  })
)
