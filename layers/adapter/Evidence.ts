import { Effect, type Scope } from "effect"
import type { Job } from "../../src/adapter/AdapterRegistry.ts"
import type { AuditFailed, LogFile } from "../../src/artifact/AuditFolder.ts"
import type { Sink } from "./Process.ts"

/** What `invocation.json` holds: enough to run the same by hand. `env` has no secret in it. */
export interface Invocation {
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

/** Writes what is known before a child starts: how it is invoked, with which context and payload. */
export const putInputs = (job: Job, invocation: Invocation): Effect.Effect<void, AuditFailed> =>
  Effect.all(
    [
      job.audit.put("invocation.json", `${JSON.stringify(invocation, null, 2)}\n`),
      job.audit.put("assembled-context.txt", job.prompt),
      job.audit.put("payload.json", JSON.stringify(job.payload))
    ],
    { concurrency: "unbounded", discard: true }
  )

/** Opens both logs; they are synced and closed with the scope. */
export const openLogs = (job: Job): Effect.Effect<Logs, AuditFailed, Scope.Scope> =>
  Effect.all({ stdout: job.audit.log("stdout.log"), stderr: job.audit.log("stderr.log") })

/** A sink that ends in a log. A stream's redactor is to stand before it. */
export const into = (log: LogFile): Sink => ({ write: log.write, end: () => undefined })

/** What the attempt's `issues` are to say of its logs. */
export const findingsOf = (logs: Logs): ReadonlyArray<string> =>
  Object.entries({ "stdout.log": logs.stdout, "stderr.log": logs.stderr }).flatMap(([name, log]) => {
    const problem = log.problem()
    return [
      ...(log.truncated() ? [`${name} was cut at ${log.size()} bytes`] : []),
      ...(problem._tag === "Some" ? [`${name} could not be written to its end: ${problem.value.reason}`] : [])
    ]
  })

/** The end of a text as one line of at most `most` characters. */
export const lastLine = (text: string, most = 300): string => {
  // Control characters steer terminals: a log line must not.
  const plain = Bun.stripANSI(text.slice(-4 * most)).replace(/\p{Cc}+/gu, " ")
  const words = plain.replace(/\s+/g, " ").trim()
  return words.length <= most ? words : `...${words.slice(3 - most)}`
}
