import { Effect, type Scope } from "effect"
import type { Job } from "../../src/adapter/AdapterRegistry.ts"
import type { AuditFailed, LogFile } from "../../src/artifact/AuditFolder.ts"
import { type Redactor, redactJson } from "../../src/domain/Redactor.ts"
import { makeTail, TAIL_BYTES } from "../artifact/Tail.ts"
import type { Sink } from "./Process.ts"

/** What `invocation.json` holds: enough to run the same by hand; secret values are masked when it is written. */
export interface Invocation {
  readonly [key: string]: unknown
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly note: string
}

export interface Logs {
  readonly stdout: LogFile
  readonly stderr: LogFile
}

/**
 * Writes what is known before a child starts, beside its context: how it is invoked, and with which payload. The disk
 * is waited for by what it answers: meanwhile the child may run.
 */
export const beginInputs = (
  job: Job,
  invocation: Invocation,
  redactor: Redactor
): Effect.Effect<Effect.Effect<void, AuditFailed>, AuditFailed> =>
  job.audit.begin({
    "invocation.json": `${JSON.stringify(redactJson(invocation, redactor), null, 2)}\n`,
    "payload.json": JSON.stringify(redactJson(job.payload, redactor))
  })

/** Opens both logs; they are synced and closed with the scope. */
export const openLogs = (job: Job): Effect.Effect<Logs, AuditFailed, Scope.Scope> =>
  Effect.all({ stdout: job.audit.log("stdout.log"), stderr: job.audit.log("stderr.log") })

const NOT_COMPOSED = "nothing was started: see the reason in result.json"

/** Leaves the folder of an attempt whole where nothing could be run: how it would have been invoked, and empty logs. */
export const putUnstarted = (
  job: Job,
  { args, command, cwd, env }: Pick<Invocation, "command" | "args" | "cwd" | "env">,
  redactor: Redactor
): Effect.Effect<void, AuditFailed> =>
  Effect.scoped(
    Effect.zipRight(
      openLogs(job),
      Effect.flatten(beginInputs(job, { command, args, cwd, env, note: NOT_COMPOSED }, redactor))
    )
  )

/** So much of a chunk is masked at once: memory stays bounded, however much a pipe hands over. */
const PIECE_BYTES = 64 * 1024

/** A sink that ends in a log, secret values masked on the way. */
export const into = (log: LogFile, redactor: Redactor): Sink => {
  if (redactor.isIdle) return { write: log.write, end: () => undefined }
  const stream = redactor.stream()
  const pass = (bytes: Uint8Array) => {
    if (bytes.length > 0) log.write(bytes)
  }
  return {
    write: (chunk) => {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES)
        pass(stream.write(chunk.subarray(at, at + PIECE_BYTES)))
    },
    end: () => pass(stream.flush())
  }
}

/** What is kept of a stream, as it came, for what is to be decoded before it is masked. */
export interface KeptRaw {
  readonly sink: Sink
  /** The stream's last MiB. */
  readonly raw: () => string
  /** Whether the stream was longer than that. */
  readonly cut: () => boolean
  /** Whether `"status"`, in its quotes, stood anywhere in the stream. */
  readonly namesStatus: () => boolean
}

/** Like `into`; answers besides what the end of the stream was, and what is known of all of it. */
export const intoKeepingRaw = (log: LogFile, redactor: Redactor): KeptRaw => {
  const sink = into(log, redactor)
  const status = searchFor('"status"')
  // The log keeps the end of what it was handed, which is raw where nothing is masked.
  const tail = redactor.isIdle ? { push: () => undefined, text: log.tail } : makeTail()
  let bytes = 0
  const cut = () => bytes > TAIL_BYTES
  return {
    sink: {
      write: (chunk) => {
        tail.push(chunk)
        status.push(chunk)
        bytes += chunk.length
        sink.write(chunk)
      },
      end: sink.end
    },
    raw: () => {
      const text = tail.text(TAIL_BYTES)
      return cut() ? redactor.afterCut(text) : text
    },
    cut,
    namesStatus: status.found
  }
}

/** Looks for a word in a stream, over the seams of its chunks too; keeps less than a word of it. */
const searchFor = (word: string) => {
  const wanted = Buffer.from(word)
  const most = wanted.length - 1
  let found = false
  let end = Buffer.alloc(0)
  return {
    push: (chunk: Uint8Array): void => {
      if (found) return
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
      const seam = Buffer.concat([end, bytes.subarray(0, most)])
      found = seam.includes(wanted) || bytes.includes(wanted)
      end = Buffer.concat([end, bytes.subarray(-most)]).subarray(-most)
    },
    found: () => found
  }
}

/** What the attempt's `issues` are to say of its logs. */
export const findingsOf = (logs: Logs, steps?: LogFile): ReadonlyArray<string> =>
  Object.entries({
    "stdout.log": logs.stdout,
    "stderr.log": logs.stderr,
    ...(steps === undefined ? {} : { "steps.jsonl": steps })
  }).flatMap(([name, log]) => {
    const problem = log.problem()
    return [
      ...(log.truncated() ? [`${name} was cut at ${log.size()} bytes`] : []),
      ...(problem._tag === "Some" ? [`${name} could not be written to its end: ${problem.value.reason}`] : [])
    ]
  })

const HINT_BYTES = 16 * 1024

/** Where a hint in words may stand: the ends of both logs, masked as these are. */
export const hintsOf = (logs: Logs): string =>
  `${logs.stdout.tail(HINT_BYTES)}\n${logs.stderr.tail(HINT_BYTES)}`

/** The end of a text as one line of at most `most` characters. */
export const lastLine = (text: string, most = 300): string => {
  // Control characters steer terminals: a log line must not.
  const plain = Bun.stripANSI(text.slice(-4 * most)).replace(/\p{Cc}+/gu, " ")
  const words = plain.replace(/\s+/g, " ").trim()
  return words.length <= most ? words : `...${words.slice(3 - most)}`
}
