import { Context, type Effect, type Option, Schema } from "effect"

/** A file of the host's set-up could not be read or written. `reason` is the system's word for it. */
export class HostFileFailed extends Schema.TaggedError<HostFileFailed>()("HostFileFailed", {
  path: Schema.String,
  reason: Schema.String
}) {}

/** A text that is built in, by its path below the folder that it belongs to. */
export interface Template {
  readonly name: string
  readonly text: string
}

export interface HostFile {
  /** Absolute. */
  readonly path: string
  readonly text: string
  /** Who may read it; a `program` may be run as well. */
  readonly rights: "owner" | "everybody" | "program"
}

/** Where things of this user and of this process lie; all absolute. */
export interface HostPlace {
  readonly home: string
  readonly cwd: string
  /** XDG_CONFIG_HOME, else `~/.config`. */
  readonly configHome: string
  /** The compiled binary that runs; none when it runs from source. */
  readonly program: Option.Option<string>
}

/** What setting a host up reads and writes: the templates that are built in, and text files on its disk. */
export class HostFiles extends Context.Tag("agent-runtime/HostFiles")<
  HostFiles,
  {
    readonly place: HostPlace
    /** The systemd units of a user, or the hardened ones of the system. */
    readonly units: (scope: "user" | "system") => ReadonlyArray<Template>
    /** What a new agent begins with; `{{agent}}` stands for its name. */
    readonly agentPackage: ReadonlyArray<Template>
    /** The example configuration with all that it names. */
    readonly example: ReadonlyArray<Template>
    /** The text of a file; None when nothing is there. */
    readonly read: (path: string) => Effect.Effect<Option.Option<string>, HostFileFailed>
    /** Whether there is a program that this user can run. */
    readonly isProgram: (path: string) => Effect.Effect<boolean>
    /**
     * Writes files, making the folders that they need. A file that was there is replaced whole. When one cannot be
     * written, those that were new, and folders made for them, are removed again.
     */
    readonly write: (files: ReadonlyArray<HostFile>) => Effect.Effect<void, HostFileFailed>
  }
>() {}
