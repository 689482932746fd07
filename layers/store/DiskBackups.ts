import * as os from "node:os"
import { DateTime, Effect, Layer } from "effect"
import { absolute } from "../../src/config/Paths.ts"
import { traced } from "../../src/domain/Traced.ts"
import { BackupFiles } from "../../src/store/BackupFiles.ts"
import { check } from "./BackupCheck.ts"
import { copy } from "./OnlineBackup.ts"
import { restore } from "./Restore.ts"

const place = (given: string): string => absolute(process.cwd(), os.homedir(), given)

/** Backups on this host's disks. */
export const layer: Layer.Layer<BackupFiles> = Layer.succeed(
  BackupFiles,
  BackupFiles.of({
    copy: traced("BackupFiles.copy")((database, to, at, tell) =>
      Effect.scoped(copy(place(database), place(to), DateTime.formatIso(at), tell))
    ),
    check: traced("BackupFiles.check")((file, tell) => Effect.scoped(check(place(file), tell))),
    restore: traced("BackupFiles.restore")((from, database, at, tell) =>
      Effect.scoped(restore(place(from), place(database), DateTime.formatIso(at), tell))
    )
  })
)
