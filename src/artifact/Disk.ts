import { Context, type Effect } from "effect"

/** The disk below a folder: what this user may still write on it, and by what it is told from others. */
export interface Room {
  readonly freeBytes: number
  readonly device: number
}

/** The room on this host's disks. */
export class Disk extends Context.Tag("agent-runtime/Disk")<
  Disk,
  {
    /** Of the disk below a folder, or where that one will be; fails with the system's word when it cannot be asked. */
    readonly room: (folder: string) => Effect.Effect<Room, string>
  }
>() {}
