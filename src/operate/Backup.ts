import { Effect, Option, Schema } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { Lock } from "../dispatch/Lock.ts"
import { Runner } from "../dispatch/Runner.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { nullable, wireStruct } from "../domain/Wire.ts"
import { type BackupFailed, BackupFiles, type Tell } from "../store/BackupFiles.ts"
import { Store } from "../store/Store.ts"
import { operation } from "./Operation.ts"
import { Refusal } from "./Refusal.ts"

const refusal = ({ code, reason, remedy }: BackupFailed): Refusal =>
  new Refusal({ code, message: reason, hint: remedy, exitCode: code === "path_refused" ? 2 : 1 })

/** Copies the store while it is in use; the copy is verified before it has its name, and put on record. */
export const backup = operation({
  name: "store.backup",
  role: "operate",
  output: wireStruct({
    ok: Schema.Literal(true),
    path: Schema.String,
    bytes: Schema.Int,
    sha256: Schema.String,
    schemaVersion: Schema.Int,
    tasks: Schema.Int,
    verified: Schema.Literal(true)
  }),
  run: traced("Backup.backup")(function* (input: { readonly to: string; readonly tell: Tell }) {
    const files = yield* BackupFiles
    const store = yield* Store
    const { dbPath } = yield* RuntimeConfig
    const at = yield* now
    const made = yield* Effect.catchTag(files.copy(dbPath, input.to, at, input.tell), "BackupFailed", refusal)
    // The copy is whole; that it is not on record only makes healthcheck ask for another.
    yield* Effect.catchTag(store.maintenance.recordBackup(made, at), "StoreUnavailable", ({ reason }) =>
      Effect.logWarning(`${made.path} is whole, but was not put on record: ${reason}`)
    )
    return { ok: true as const, ...made, verified: true as const }
  })
})

/** Reads a backup from end to end and says what is wrong with it; the file is not changed. */
export const verify = operation({
  name: "store.verifyBackup",
  role: "read",
  output: wireStruct({
    ok: Schema.Boolean,
    path: Schema.String,
    bytes: Schema.Int,
    sha256: Schema.String,
    schemaVersion: nullable(Schema.Int),
    tasks: nullable(Schema.Int),
    sealed: Schema.Boolean,
    problems: Schema.Array(Schema.String)
  }),
  run: traced("Backup.verify")(function* (input: { readonly file: string; readonly tell: Tell }) {
    const files = yield* BackupFiles
    const found = yield* Effect.catchTag(files.check(input.file, input.tell), "BackupFailed", refusal)
    return { ok: found.problems.length === 0, ...found }
  })
})

/**
 * Puts a verified copy of a backup in the place of the store, which is kept beside it. Nobody may dispatch or
 * have the store open.
 */
export const restore = operation({
  name: "store.restore",
  role: "operate",
  output: wireStruct({
    ok: Schema.Literal(true),
    path: Schema.String,
    from: Schema.String,
    kept: nullable(Schema.String),
    bytes: Schema.Int,
    schemaVersion: Schema.Int,
    tasks: Schema.Int
  }),
  run: traced("Backup.restore")(function* (input: { readonly from: string; readonly tell: Tell }) {
    const files = yield* BackupFiles
    const lock = yield* Lock
    const { dbPath, lockPath } = yield* RuntimeConfig
    const { runnerId } = yield* Runner
    const { backup, kept, path } = yield* files.restore(input.from, dbPath, yield* now, input.tell).pipe(
      Effect.catchTag("BackupFailed", refusal),
      lock.hold(lockPath, runnerId),
      Effect.catchTag("LockHeld", (held) => dispatching(held.runnerId, "the store is not replaced"))
    )
    const { bytes, schemaVersion, tasks } = backup
    return { ok: true as const, path, from: backup.path, kept, bytes, schemaVersion, tasks }
  })
})

/** Of a command that takes the dispatch lock and does not get it; `instead` is what it leaves undone. */
export const dispatching = (holder: Option.Option<string>, instead: string) =>
  new Refusal({
    code: "dispatch_locked",
    message: `a dispatcher, or another restore or adopt, is at work${Option.match(holder, { onNone: () => "", onSome: (id) => ` (${id})` })}, so ${instead}`,
    hint: "stop it first, or wait for its end, then try again"
  })
