import { Context, type Effect, type Option, Schema, type Scope, type Stream } from "effect"
import type { AttemptId, TaskId } from "../domain/Ids.ts"

/** Output of a stream beyond this many bytes is cut, with a visible mark (SPEC.md section 6). */
export const MAX_STREAM_BYTES = 64 * 1024 * 1024

export type AuditFile =
  | "invocation.json"
  | "assembled-context.txt"
  | "payload.json"
  | "stdout.log"
  | "stderr.log"
  | "last-message.txt"
  /** What an agent did, a JSON object a line (see `domain/Step`). */
  | "steps.jsonl"
  | "result.json"
  /** What was changed in the attempt's own git worktree, where it had one. */
  | "workspace.diff"

/** Files that grow while the attempt runs. */
export type AuditLog = "stdout.log" | "stderr.log" | "steps.jsonl"

/** A log that grows while the attempt runs. `write` never fails the child: a full disk ends up in `problem`. */
export interface LogFile {
  readonly write: (chunk: Uint8Array) => void
  /** Bytes written so far, without the mark. */
  readonly size: () => number
  /** The last bytes handed to `write`, beyond the cut too, at most `most` (and 1 MiB), as UTF-8 with replacement. */
  readonly tail: (most: number) => string
  readonly truncated: () => boolean
  /** What the disk answered when a chunk could not be written; the log ends there. */
  readonly problem: () => Option.Option<AuditFailed>
}

type Texts = Readonly<Partial<Record<AuditFile, string>>>

/** The folder of one attempt: `adapter-runs/<task_id>/<attempt_id>/` below the artifact root. */
export interface AuditFolder {
  /** Absolute. */
  readonly path: string
  /** Relative to the artifact root. */
  readonly relativePath: string
  /** Writes a file whole and durably, in the place of one that is there. */
  readonly put: (file: AuditFile, text: string) => Effect.Effect<void, AuditFailed>
  /** As `put`, several at once: what is asked of the disk is asked for all together. */
  readonly putAll: (files: Texts) => Effect.Effect<void, AuditFailed>
  /** As `putAll`, but the files are there when it answers, and on the disk when what it answers has come to its end. */
  readonly begin: (files: Texts) => Effect.Effect<Effect.Effect<void, AuditFailed>, AuditFailed>
  /** Opens a log for appending; it is synced and closed with the scope. */
  readonly log: (file: AuditLog) => Effect.Effect<LogFile, AuditFailed, Scope.Scope>
}

/**
 * The evidence of an attempt could not be written: disk full, folder not writable. `path` is relative to the artifact
 * root where an attempt meets it, for it is told where no path of the host belongs; prune's is absolute.
 */
export class AuditFailed extends Schema.TaggedError<AuditFailed>()("AuditFailed", {
  path: Schema.String,
  reason: Schema.String
}) {}

/** Makes and reads audit folders. */
export class Audit extends Context.Tag("agent-runtime/Audit")<
  Audit,
  {
    /** Makes the folder of an attempt (0700, files 0600), or answers the one that is there; held until the scope's end. */
    readonly open: (
      taskId: TaskId,
      attemptId: AttemptId
    ) => Effect.Effect<AuditFolder, AuditFailed, Scope.Scope>
    /** Bytes of a file of an attempt from `offset`, at most `most`; empty when there is none. */
    readonly read: (
      taskId: TaskId,
      attemptId: AttemptId,
      file: AuditFile,
      range: { readonly offset: number; readonly most: number }
    ) => Effect.Effect<Uint8Array, AuditFailed>
    /** Bytes that a file of an attempt has now; none when it is not there. */
    readonly size: (
      taskId: TaskId,
      attemptId: AttemptId,
      file: AuditFile
    ) => Effect.Effect<Option.Option<number>, AuditFailed>
    /**
     * Emits once when it has begun to listen, then after a log of an attempt has grown, whichever process
     * writes it; much growth may be one element, and an element may stand for none. The log and its folder
     * need not be there yet. Whoever reads on every element misses nothing; it does not end.
     */
    readonly growth: (taskId: TaskId, attemptId: AttemptId, file: AuditLog) => Stream.Stream<void>
  }
>() {}
