import { Effect } from "effect"
import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { told } from "./Told.ts"

export const backup = command({
  name: "backup",
  group: "Store",
  summary: "copy the store while it is in use, and verify the copy",
  description:
    "The copy is one moment of the store, in one file that carries a hash of itself. It has its name only once it is verified and on the disk. A file that is there already is refused.",
  example: "agent-runtime backup --to /var/backups/runtime-monday.db",
  arguments: [],
  options: [
    {
      name: "to",
      kind: "path",
      value: "FILE",
      required: true,
      description: "The new file; its folder must be there."
    }
  ],
  run: ({ to }) =>
    Effect.flatMap(told, (tell) =>
      ask(async () => (await import("../operate/Backup.ts")).backup, { to, tell })
    )
})

export const backupVerify = command({
  name: "backup-verify",
  group: "Store",
  summary: "check a backup from end to end",
  description:
    "Checks the header, the schema, every page and reference and, in backups of this program, every byte. The file is not changed. Exit code 1 when anything is wrong with it.",
  example: "agent-runtime backup-verify /var/backups/runtime-monday.db",
  arguments: [{ name: "file", required: true, description: "The backup." }],
  options: [],
  run: ({ file }) =>
    Effect.flatMap(told, (tell) =>
      ask(async () => (await import("../operate/Backup.ts")).verify, { file, tell })
    ),
  exitCode: ({ ok }) => (ok ? 0 : 1)
})

export const restore = command({
  name: "restore",
  group: "Store",
  summary: "put a backup in the place of the store",
  description:
    "The backup is verified first, and the store that was there is kept beside it under a new name, which the answer tells. Stop every process of this runtime before. The backup may be of an older version: it is migrated when it is next opened. Evidence on disk stays as it is, also that which only the store that was there names: prune leaves and counts it (litter_left).",
  example: "agent-runtime restore --from /var/backups/runtime-monday.db",
  arguments: [],
  options: [{ name: "from", kind: "path", value: "FILE", required: true, description: "The backup." }],
  run: ({ from }) =>
    Effect.flatMap(told, (tell) =>
      ask(async () => (await import("../operate/Backup.ts")).restore, { from, tell })
    )
})
