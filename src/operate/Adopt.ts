import { Effect, Schema } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { Lock } from "../dispatch/Lock.ts"
import { Runner } from "../dispatch/Runner.ts"
import { sweep } from "../dispatch/Sweep.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { wireStruct } from "../domain/Wire.ts"
import type { Tell } from "../store/BackupFiles.ts"
import { Original, type OriginalRefused } from "../store/Original.ts"
import { Store } from "../store/Store.ts"
import { dispatching } from "./Backup.ts"
import { operation } from "./Operation.ts"
import { Refusal } from "./Refusal.ts"

const count = wireStruct({ found: Schema.Int, adopted: Schema.Int, present: Schema.Int })

const refusal = ({ code, reason, remedy }: OriginalRefused): Refusal =>
  new Refusal({ code, message: reason, hint: remedy, exitCode: 2 })

const CHANGED =
  "the original database has changed meanwhile: its runtime is still at work; stop it and adopt again for the rest"

/**
 * Takes over what of a database of the original runtime is not here yet, and puts back what it was running. Nobody
 * may dispatch meanwhile. The file is only read.
 */
export const adopt = operation({
  name: "store.adopt",
  role: "operate",
  output: wireStruct({
    ok: Schema.Literal(true),
    from: Schema.String,
    sha256: Schema.String,
    sourceUnchanged: Schema.Boolean,
    adopted: wireStruct({
      tasks: count,
      attempts: count,
      bundles: count,
      events: count,
      workflows: count,
      schedules: count,
      sensorEvents: count
    }),
    reclaimed: Schema.Int,
    setAside: Schema.Int,
    remarks: Schema.Array(Schema.String)
  }),
  run: traced("Adopt.adopt")(function* (input: { readonly from: string; readonly tell: Tell }, actor) {
    const lock = yield* Lock
    const { lockPath } = yield* RuntimeConfig
    const { runnerId } = yield* Runner
    const taken = Effect.gen(function* () {
      const store = yield* Store
      const original = yield* Original
      const { stateDir } = yield* RuntimeConfig
      const source = yield* Effect.catchTag(
        original.open(input.from, stateDir, input.tell),
        "OriginalRefused",
        refusal
      )
      const { counts, reclaimed, remarks, setAside } = yield* store.adoption.take(source, {
        at: yield* now,
        actor
      })
      const swept = yield* sweep()
      const sourceUnchanged = yield* source.isUnchanged
      const { events, sensor_events: sensorEvents, ...rest } = counts
      return {
        ok: true as const,
        from: source.path,
        sha256: source.sha256,
        sourceUnchanged,
        adopted: { ...rest, events, sensorEvents },
        reclaimed: reclaimed + swept,
        setAside,
        remarks: sourceUnchanged ? remarks : [...remarks, CHANGED]
      }
    })
    return yield* Effect.scoped(taken).pipe(
      lock.hold(lockPath, runnerId),
      Effect.catchTag("LockHeld", (held) => dispatching(held.runnerId, "nothing is adopted"))
    )
  })
})
