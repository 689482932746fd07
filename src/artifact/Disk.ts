import { Context, type Effect } from "effect"

/** The room on the disk below a folder. `freeBytes` is what this user may still write. */
export class Disk extends Context.Tag("agent-runtime/Disk")<
  Disk,
  {
    /** Fails with the system's word when the folder cannot be asked. */
    readonly freeBytes: (folder: string) => Effect.Effect<number, string>
  }
>() {}
