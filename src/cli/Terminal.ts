import { Context, type Effect, type Option } from "effect"

/** What reading a file or stdin came to. `detail` is the system's word for it (an error code, a size). */
export type Content =
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
  | {
      readonly _tag: "Unreadable"
      readonly why: "absent" | "folder" | "denied" | "too_large" | "failed"
      readonly detail: string
    }

/** What became of a write to stdout: all of it is with the system, its reader is gone, or an error code. */
export type Written =
  | { readonly _tag: "Whole" }
  | { readonly _tag: "Closed" }
  | { readonly _tag: "Failed"; readonly code: string }

export type Signal = "SIGINT" | "SIGTERM" | "SIGHUP"

/** The process's surroundings as the command line needs them: arguments, environment, streams, signals. */
export class Terminal extends Context.Tag("agent-runtime/cli/Terminal")<
  Terminal,
  {
    /** The words after the program's name. */
    readonly argv: ReadonlyArray<string>
    /** The first of them that was not UTF-8, as it was read. */
    readonly garbled: Option.Option<string>
    /** A variable of the environment; an empty one is none. */
    readonly env: (name: string) => Option.Option<string>
    readonly stdinIsTerminal: boolean
    readonly stdoutIsTerminal: boolean
    readonly stderrIsTerminal: boolean
    /** Whether stderr is a stream of systemd's journal. */
    readonly stderrIsJournal: boolean
    /** Width of the terminal behind stdout; none when stdout is not a terminal. */
    readonly columns: Option.Option<number>
    /** Writes to stdout and answers when the last byte is with the system, so that exiting loses nothing. */
    readonly write: (output: string | Uint8Array) => Effect.Effect<Written>
    /** Writes to stderr before it returns; a stderr that nobody reads is not an error. */
    readonly report: (text: string) => void
    /**
     * A `report` for who runs on: it returns at once, and the texts are written in their order beside it. Where nobody
     * reads them, those that too many wait before are lost, and `missing` stands in their place with their number.
     * `ended` waits until all is with the system, but for a reader that takes nothing only a moment.
     */
    readonly reportAside: (missing: (texts: number) => Effect.Effect<string>) => Effect.Effect<{
      readonly report: (text: string) => void
      readonly ended: Effect.Effect<void>
    }>
    /** Reads stdin to its end; at most `limit` bytes, more is `too_large`. */
    readonly readStdin: (limit: number) => Effect.Effect<Content>
    /** Reads a file, pipe or device (relative to the working directory, `~` is the home folder) to its end. */
    readonly readFile: (path: string, limit: number) => Effect.Effect<Content>
    /**
     * Waits for the first signal that asks the program to end. A second one ends the process at once, unless
     * `interruptedAgain` waits for it.
     */
    readonly interrupted: Effect.Effect<Signal>
    readonly interruptedAgain: Effect.Effect<Signal>
  }
>() {}
