import { Context, type Effect, type Option, Schema } from "effect"

/** A path that leads out of the artifact root, or that no file can have. `why` is a sentence's end. */
export class PathRefused extends Schema.TaggedError<PathRefused>()("PathRefused", {
  path: Schema.String,
  why: Schema.String
}) {}

/** The artifact root could not be read or written: `reason` is the system's word (ENOSPC, EACCES, ...). */
export class ArtifactFailed extends Schema.TaggedError<ArtifactFailed>()("ArtifactFailed", {
  path: Schema.String,
  reason: Schema.String
}) {}

/** What lies at a path after symlinks are resolved. `changedAtMs` is the inode change time (ctime). */
export interface Observed {
  readonly kind: "file" | "folder" | "other"
  readonly size: number
  readonly changedAtMs: number
  readonly realPath: string
}

/** Tells of places below the artifact root what it has seen of them. */
export interface Surveyor {
  readonly resolve: (path: string) => Effect.Effect<string, PathRefused | ArtifactFailed>
  readonly observe: (path: string) => Effect.Effect<Option.Option<Observed>, PathRefused | ArtifactFailed>
}

/** Which files of a folder are wanted. */
export interface Wanted {
  /** How many paths at most, from the beginning of the order, or from its end with `descending`. */
  readonly most: number
  readonly descending: boolean
  /** Folders and files that are passed over, relative to the root. */
  readonly leaveOut: ReadonlyArray<string>
}

/** Files of a folder; `total` counts all of them, none when a part of the folder could not be read. */
export interface FileList {
  readonly paths: ReadonlyArray<string>
  readonly total: Option.Option<number>
}

/** One name in a folder, whatever it is; `size` and `changedAtMs` are none where the system does not tell. */
export interface Entry {
  readonly name: string
  readonly kind: Observed["kind"] | "link"
  readonly size: Option.Option<number>
  readonly changedAtMs: Option.Option<number>
}

/**
 * The artifact root. Every path is relative to it; `..`, NUL, absolute paths and symlinks that leave it
 * fail as PathRefused before anything is touched.
 */
export class ArtifactStore extends Context.Tag("agent-runtime/ArtifactStore")<
  ArtifactStore,
  {
    /** Absolute, symlinks resolved. */
    readonly root: string
    /**
     * Whether a file can be kept now, in the root and where attempts write: fails with the folder, and the system's word,
     * when it cannot. Leaves nothing behind.
     */
    readonly writable: Effect.Effect<void, ArtifactFailed>
    /**
     * An absolute path inside the root, by any name that the root has, as one relative to it; any other path as it is.
     * Text alone: no disk is looked at.
     */
    readonly relative: (path: string) => string
    /** The absolute place of a relative path, resolved and contained; the file need not exist. */
    readonly resolve: (path: string) => Effect.Effect<string, PathRefused | ArtifactFailed>
    /** None when nothing is there. */
    readonly observe: (path: string) => Effect.Effect<Option.Option<Observed>, PathRefused | ArtifactFailed>
    /**
     * `resolve` and `observe` for many places in one piece of work, which is over before they change: what lies on the
     * way to several of them is looked at once, at the first.
     */
    readonly survey: () => Surveyor
    /** Lower-case hex SHA-256 of a file; none when it is not a regular file. Streams: files may be large. */
    readonly hash: (path: string) => Effect.Effect<Option.Option<string>, PathRefused | ArtifactFailed>
    /** At most `most` bytes from the start of a file, as text; none when it is not a regular file. */
    readonly read: (
      path: string,
      most: number
    ) => Effect.Effect<Option.Option<string>, PathRefused | ArtifactFailed>
    /**
     * Gives a file's bytes to `met` piece by piece, from the beginning, until that answers true or the file
     * ends: answers whether it did. None when it is not a regular file; fails when it cannot be read to its
     * end. A piece is good until `met` returns.
     */
    readonly scan: (
      path: string,
      met: (bytes: Uint8Array) => boolean
    ) => Effect.Effect<Option.Option<boolean>, PathRefused | ArtifactFailed>
    /**
     * The regular files in a folder and below it, as paths relative to the root in the order of their parts;
     * symlinks are passed over. None when there is no such folder.
     */
    readonly files: (folder: string, wanted: Wanted) => Effect.Effect<FileList, PathRefused | ArtifactFailed>
    /**
     * What lies in a folder itself, by name, at most `most`; `isWhole` is false where there is more. Symlinks are
     * not followed. None when it is no folder.
     */
    readonly entries: (
      folder: string,
      most: number
    ) => Effect.Effect<
      Option.Option<{ readonly entries: ReadonlyArray<Entry>; readonly isWhole: boolean }>,
      PathRefused | ArtifactFailed
    >
    /** Writes atomically and durably: temporary name, fsync, rename, fsync of the folder. Mode 0600. */
    readonly write: (path: string, text: string) => Effect.Effect<void, PathRefused | ArtifactFailed>
    /** As `write`, but it is written when what this answers has come to its end: the disk takes as long for two as for one. */
    readonly begin: (
      path: string,
      text: string
    ) => Effect.Effect<Effect.Effect<void, PathRefused | ArtifactFailed>, PathRefused | ArtifactFailed>
    /** Keeps an older version as `<name>.<n>.md`, n the first that is free; answers that path. */
    readonly keepOld: (path: string) => Effect.Effect<string, PathRefused | ArtifactFailed>
  }
>() {}
