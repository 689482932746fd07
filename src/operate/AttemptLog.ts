import { Effect, Option, Ref, Schema, Stream } from "effect"
import { Audit, type AuditFailed, type AuditLog, MAX_STREAM_BYTES } from "../artifact/AuditFolder.ts"
import { type KnownSecrets, secretsMasked } from "../artifact/KnownSecrets.ts"
import { abridged } from "../domain/Abridged.ts"
import type { Attempt } from "../domain/Attempt.ts"
import { AttemptId, TaskId } from "../domain/Ids.ts"
import type { Redactor } from "../domain/Redactor.ts"
import { traced } from "../domain/Traced.ts"
import { wireStruct } from "../domain/Wire.ts"
import { Store } from "../store/Store.ts"
import type { StoreUnavailable } from "../store/StoreError.ts"
import { namedAttempt } from "./NamedId.ts"
import { operation } from "./Operation.ts"
import { reasonWord } from "./ReasonWord.ts"
import { Refusal } from "./Refusal.ts"

/** Bytes of a log that are held at once. */
const PIECE = 256 * 1024

/** The part of a log's end that `tail` answers, in bytes. */
export const TAIL_BYTES = 1024 * 1024

export const LogName = Schema.Literal("stdout", "stderr")
export type LogName = typeof LogName.Type

/** The file of the audit folder that a log is. */
export const fileOf = (name: LogName): AuditLog => `${name}.log`

const readTaskId = Schema.decodeUnknownOption(TaskId)

/** The attempt that a caller names; Refusal `attempt_not_found` when there is none. */
export const attemptOf = (named: string): Effect.Effect<Attempt, Refusal | StoreUnavailable, Store> =>
  Effect.gen(function* () {
    const store = yield* Store
    const id = yield* namedAttempt(named)
    const found = Option.isNone(id) ? Option.none() : yield* store.attempts.find(id.value)
    if (Option.isSome(found)) return found.value
    const task = readTaskId(named)
    const isTask = Option.isSome(task) && Option.isSome(yield* store.tasks.find(task.value))
    return yield* new Refusal({
      code: "attempt_not_found",
      message: `there is no attempt ${abridged(named)}`,
      hint: isTask
        ? `that is a task: agent-runtime task-show ${named} lists its attempts`
        : "agent-runtime task-show TASK_ID lists the attempts of a task",
      exitCode: 1
    })
  })

/** The audit's error to an operator; without the path, which is one of the host. */
const unreadable = (attempt: Attempt, file: AuditLog) => (failure: AuditFailed) =>
  new Refusal({
    code: "log_unreadable",
    message: `${file} of attempt ${attempt.attemptId} cannot be read: ${failure.reason}`,
    hint: "look at the attempt's folder below adapter-runs; whatever lies there was not followed"
  })

/** Whether an attempt runs no more; one that was pruned does not either. */
const isOver = (id: AttemptId) =>
  Effect.flatMap(Store, (store) =>
    Effect.map(
      store.attempts.find(id),
      Option.match({ onNone: () => true, onSome: ({ status }) => status === "finished" })
    )
  )

/** The bytes as they lie on the disk; see `logBytes`. */
const lying = (
  attempt: Attempt,
  file: AuditLog,
  { follow, from }: { readonly follow: boolean; readonly from: number }
): Stream.Stream<Uint8Array, Refusal | StoreUnavailable, Store | Audit> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { attemptId, taskId } = attempt
      const audit = yield* Audit
      const store = yield* Store
      const cursor = yield* Ref.make(from)
      const piece = Effect.flatMap(Ref.get(cursor), (offset) =>
        audit.read(taskId, attemptId, file, { offset, most: PIECE })
      ).pipe(
        Effect.mapError((failure) => Option.some(unreadable(attempt, file)(failure))),
        Effect.filterOrFail(
          (bytes) => bytes.length > 0,
          () => Option.none()
        ),
        Effect.tap((bytes) => Ref.update(cursor, (offset) => offset + bytes.length))
      )
      const unread = Stream.repeatEffectOption(piece)
      if (!follow) return unread
      const grown = Stream.as(audit.growth(taskId, attemptId, file), false)
      // The end is asked for before the rest is read: what was written until then is in the rest.
      const changed = store.changes.pipe(
        Stream.buffer({ capacity: 1, strategy: "sliding" }),
        Stream.mapEffect(() => isOver(attemptId))
      )
      return Stream.merge(grown, changed).pipe(
        Stream.flatMap((over) =>
          Stream.concat(
            Stream.map(unread, Option.some),
            over ? Stream.succeed(Option.none<Uint8Array>()) : Stream.empty
          )
        ),
        Stream.filterMapWhile((bytes) => bytes)
      )
    })
  )

/** The bytes with a `*` in the place of each that belongs to a secret; what may begin one waits for what follows. */
const covered = <E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  redactor: Redactor
): Stream.Stream<Uint8Array, E, R> =>
  Stream.suspend(() => {
    const cover = redactor.cover()
    // What it answers is good until its next call only.
    return Stream.concat(
      Stream.map(bytes, (piece) => new Uint8Array(cover.write(piece))),
      Stream.sync(() => new Uint8Array(cover.flush()))
    )
  })

/** So many first bytes are left out. */
const after = <E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  count: number
): Stream.Stream<Uint8Array, E, R> =>
  Stream.mapAccum(bytes, count, (left, piece) => [Math.max(0, left - piece.length), piece.subarray(left)])

/**
 * The bytes of an attempt's log from an offset, a piece at a time; nothing when nobody wrote it. With `follow` it
 * goes on with what is written, by whichever process, and ends when the attempt has ended and all of the log was told.
 *
 * Whatever an attempt prints is masked when it is written; its process may write into its folder by itself all the
 * same. So each byte of a value that the configuration knows is told as a `*`: offsets stay those of the file.
 */
export const logBytes = (
  attempt: Attempt,
  file: AuditLog,
  { follow, from }: { readonly follow: boolean; readonly from: number }
): Stream.Stream<Uint8Array, Refusal | StoreUnavailable, Store | Audit | KnownSecrets> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const redactor = yield* secretsMasked
      if (redactor.isIdle) return lying(attempt, file, { follow, from })
      // A value that has begun before is looked for from its beginning on.
      const begin = Math.max(0, from - redactor.reach)
      return after(covered(lying(attempt, file, { follow, from: begin }), redactor), from - begin).pipe(
        Stream.filter((piece) => piece.length > 0)
      )
    })
  )

/** Bytes that an attempt's log has now; 0 when nobody wrote it. */
export const logSize = (attempt: Attempt, file: AuditLog): Effect.Effect<number, Refusal, Audit> =>
  Effect.gen(function* () {
    const audit = yield* Audit
    const size = yield* Effect.mapError(
      audit.size(attempt.taskId, attempt.attemptId, file),
      unreadable(attempt, file)
    )
    return Option.getOrElse(size, () => 0)
  })

/** Why there is no such log of an attempt, in one line; none when there is one, be it empty. */
export const missing = (
  attempt: Attempt,
  file: AuditLog
): Effect.Effect<Option.Option<string>, Refusal | StoreUnavailable, Store | Audit> =>
  Effect.gen(function* () {
    const store = yield* Store
    const audit = yield* Audit
    const size = (one: AuditLog) =>
      Effect.mapError(audit.size(attempt.taskId, attempt.attemptId, one), unreadable(attempt, one))
    if (Option.isSome(yield* size(file))) return Option.none()
    const now = Option.getOrElse(yield* store.attempts.find(attempt.attemptId), () => attempt)
    return Option.some(
      `attempt ${now.attemptId} has no ${file}: ${reasonFor(now, file, Option.isSome(yield* size("stdout.log")))}`
    )
  })

/**
 * Refuses with `log_not_found` where an attempt that runs no more has no such log. The log of one that runs may be yet
 * to come: then the answer says why there is none, in one line, as `missing` does.
 */
export const present = (
  attempt: Attempt,
  file: AuditLog
): Effect.Effect<Option.Option<string>, Refusal | StoreUnavailable, Store | Audit> =>
  Effect.gen(function* () {
    // First: what it wrote until its end is there then.
    const over = yield* isOver(attempt.attemptId)
    const why = yield* missing(attempt, file)
    return Option.isSome(why) && over
      ? yield* new Refusal({ code: "log_not_found", message: why.value })
      : why
  })

const reasonFor = (attempt: Attempt, file: AuditLog, hasOutput: boolean): string => {
  if (file === "steps.jsonl" && hasOutput) {
    const adapter = Option.getOrElse(attempt.adapterId, () => "of this attempt")
    return `the adapter ${adapter} tells no steps`
  }
  if (attempt.status === "running") return "its adapter has not begun yet; --follow waits for it"
  // An adapter that came to its end has written its logs.
  if (Option.contains(attempt.exitStatus, "ok")) return "it is not there any more"
  return Option.isNone(attempt.reason)
    ? "nothing of its evidence is left"
    : `it ended before its adapter wrote one${reasonWord(attempt.reason)}`
}

/** Bytes of a character's beginning whose end may still come; 0 to 3, by the lengths that UTF-8 knows. */
const unfinished = (bytes: Uint8Array): number => {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if ((byte & 0xc0) === 0x80) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return length > back ? back : 0
  }
  return 0
}

/** Continuation bytes at the beginning of a part that was cut out of a text; 0 to 3. */
const severed = (bytes: Uint8Array): number => {
  let count = 0
  while (count < Math.min(3, bytes.length) && ((bytes[count] ?? 0) & 0xc0) === 0x80) count++
  return count
}

const decoded = (bytes: Uint8Array): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)

/** A part of a log: its text (UTF-8 with replacement) and the offset of its first byte. */
export interface LogText {
  readonly offset: number
  readonly text: string
}

/** The pieces of a log as text; a character whose bytes came in two pieces stands whole in the second. */
export const logText = <E, R>(
  pieces: Stream.Stream<Uint8Array, E, R>,
  from: number
): Stream.Stream<LogText, E, R> =>
  pieces.pipe(
    Stream.map(Option.some),
    Stream.concat(Stream.succeed(Option.none<Uint8Array>())),
    Stream.mapAccum({ offset: from, held: new Uint8Array(0) }, ({ held, offset }, piece) => {
      const bytes = Option.match(piece, {
        onNone: () => held,
        onSome: (next) => (held.length === 0 ? next : Buffer.concat([held, next]))
      })
      const whole = Option.isNone(piece) ? bytes.length : bytes.length - unfinished(bytes)
      return [
        { offset: offset + whole, held: bytes.slice(whole) },
        { offset, text: decoded(bytes.subarray(0, whole)) }
      ]
    }),
    Stream.filter(({ text }) => text !== "")
  )

/** The end of an attempt's log as text, at most its last MiB; see `present` for one that is not there. */
export const tail = operation({
  name: "attempts.log",
  role: "read",
  output: wireStruct({
    attemptId: AttemptId,
    stream: LogName,
    /** Of the text's first byte in the log. */
    offset: Schema.Int,
    /** Bytes of the whole log. */
    size: Schema.Int,
    /** The attempt wrote more than is kept of a stream: the log ends with a mark. */
    truncated: Schema.Boolean,
    text: Schema.String
  }),
  run: traced("AttemptLog.tail")(function* (input: { readonly id: string; readonly stream: LogName }) {
    const audit = yield* Audit
    const attempt = yield* attemptOf(input.id)
    const { attemptId, taskId } = attempt
    const file = fileOf(input.stream)
    yield* present(attempt, file)
    const refused = unreadable(attempt, file)
    const found = yield* Effect.mapError(audit.size(taskId, attemptId, file), refused)
    const size = Option.getOrElse(found, () => 0)
    const from = Math.max(0, size - TAIL_BYTES)
    const pieces = yield* Stream.runCollect(logBytes(attempt, file, { from, follow: false }))
    const bytes = Buffer.concat([...pieces]).subarray(0, size - from)
    const skipped = from === 0 ? 0 : severed(bytes)
    return {
      attemptId,
      stream: input.stream,
      offset: from + skipped,
      size,
      truncated: size > MAX_STREAM_BYTES,
      text: decoded(bytes.subarray(skipped))
    }
  })
})
