import { Context, type Effect, type Option } from "effect"
import type { Observed } from "../artifact/ArtifactStore.ts"

/** A working directory's state in version control; `repository: false` where it is not one. */
export interface Snapshot {
  readonly repository: boolean
  readonly root: Option.Option<string>
  readonly gitSha: Option.Option<string>
  readonly dirty: Option.Option<boolean>
}

/** Looks at places outside the artifact root, the adapters' working directories above all. */
export class Workspace extends Context.Tag("agent-runtime/Workspace")<
  Workspace,
  {
    /** git runs with hooks, fsmonitor, pagers and external helpers off. Never fails: no git is no repository. */
    readonly snapshot: (dir: string) => Effect.Effect<Snapshot>
    /** What is at an absolute path; none when nothing is there or it cannot be looked at. */
    readonly observe: (path: string) => Effect.Effect<Option.Option<Observed>>
    /**
     * `observe` for many places in one piece of work, which is over before they change: what lies on the way to several
     * of them is looked at once, at the first.
     */
    readonly survey: () => (path: string) => Effect.Effect<Option.Option<Observed>>
    /** Names of what may be a folder in a folder at an absolute path, in order, at most `most`; none otherwise. */
    readonly folders: (path: string, most: number) => Effect.Effect<ReadonlyArray<string>>
    /** SHA-256 of a regular file at an absolute path; none otherwise. */
    readonly hash: (path: string) => Effect.Effect<Option.Option<string>>
    /** Text of a regular file at an absolute path, at most `most` bytes; none otherwise. */
    readonly read: (path: string, most: number) => Effect.Effect<Option.Option<string>>
    /**
     * Gives the bytes of a regular file at an absolute path to `met` piece by piece, from the beginning, until
     * that answers true or the file ends: answers whether it did. None when it is no regular file or cannot be
     * read to its end. A piece is good until `met` returns.
     */
    readonly scan: (
      path: string,
      met: (bytes: Uint8Array) => boolean
    ) => Effect.Effect<Option.Option<boolean>>
  }
>() {}
