import * as os from "node:os"
import { DateTime, Effect, Layer } from "effect"
import { absolute } from "../../src/config/Paths.ts"
import { traced } from "../../src/domain/Traced.ts"
import { type BackupFile, BackupFiles } from "../../src/store/BackupFiles.ts"
import { codeOf } from "../SystemWord.ts"
import { check } from "./BackupCheck.ts"
import { note, noted } from "./NewestBackup.ts"
import { copy } from "./OnlineBackup.ts"
import { restore } from "./Restore.ts"

const place = (given: string): string => absolute(process.cwd(), os.homedir(), given)

/** The backup is whole; without the note only a database that cannot be read does not lead to it. */
const noting = (database: string, made: BackupFile) =>
  Effect.try({ try: () => note(database, made.path), catch: codeOf }).pipe(
    Effect.catchAll((code) =>
      Effect.logWarning(`${made.path} is whole, but where it is was not noted beside ${database}: ${code}`)
    )
  )

/** Backups on this host's disks. */
export const layer: Layer.Layer<BackupFiles> = Layer.succeed(
  BackupFiles,
  BackupFiles.of({
    copy: traced("BackupFiles.copy")((database, to, at, tell) =>
      Effect.scoped(copy(place(database), place(to), DateTime.formatIso(at), tell)).pipe(
        Effect.tap((made) => noting(place(database), made))
      )
    ),
    check: traced("BackupFiles.check")((file, tell) => Effect.scoped(check(place(file), tell))),
    restore: traced("BackupFiles.restore")((from, database, at, tell) =>
      Effect.scoped(restore(place(from), place(database), DateTime.formatIso(at), tell)).pipe(
        // A newer one that is known stays the one that is named.
        Effect.tap(({ backup }) =>
          noted(place(database)) === undefined ? noting(place(database), backup) : Effect.void
        )
      )
    )
  })
)
