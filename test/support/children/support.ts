import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Deferred, Effect, Layer, Option } from "effect"
import { brandOf, markerOf } from "../../../layers/adapter/Brand.ts"
import type { Ladder } from "../../../layers/adapter/Ladder.ts"
import * as Process from "../../../layers/adapter/Process.ts"
import * as ProcessTree from "../../../layers/adapter/ProcessTree.ts"
import {
  hasInEnvironment,
  locksLimit,
  processFacts,
  processTable
} from "../../../layers/adapter/ProcTable.ts"
import * as Subreaper from "../../../layers/adapter/Subreaper.ts"
import type { StopReason } from "../../../src/adapter/AdapterRegistry.ts"
import { AttemptId } from "../../../src/domain/Ids.ts"

export const child = (name: string): string => join(import.meta.dir, name)

/** The usual ladder in a hurry. */
export const shortLadder: Ladder = [
  { signal: "SIGTERM", wait: "300 millis" },
  { signal: "SIGKILL", wait: "5 seconds" }
]

export const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "agent-runtime-test-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

export const processes = (stateDir: string) =>
  Process.layer.pipe(Layer.provide(ProcessTree.layerAt(stateDir)), Layer.provideMerge(Subreaper.layer))

export const newAttempt = (): AttemptId => AttemptId.make(crypto.randomUUID())

const signedBy = (attemptId: AttemptId) => {
  const brand = brandOf(attemptId).toString()
  return [...processTable().values()].filter(
    ({ pid }) => locksLimit(pid) === brand || hasInEnvironment(pid, markerOf(attemptId))
  )
}

const show = ({ pid, command }: { readonly pid: number; readonly command: string }): string =>
  `${pid} (${command})`

/** What is left of an attempt by any sign, zombies included; and of the pids that its children wrote down. */
export const leftOf = (attemptId: AttemptId, pidFile?: string): ReadonlyArray<string> => {
  const noted = pidFile === undefined ? [] : pidsIn(pidFile).flatMap((pid) => processFacts(pid) ?? [])
  return [...signedBy(attemptId), ...noted].map(show)
}

/** What still runs of an attempt. */
export const livingOf = (attemptId: AttemptId): ReadonlyArray<string> =>
  signedBy(attemptId)
    .filter(({ alive }) => alive)
    .map(show)

export const pidsIn = (file: string): ReadonlyArray<number> =>
  readFileSync(file, "utf8").split(/\s+/).filter(Boolean).map(Number)

/** A sink that keeps everything. */
export const gathering = () => {
  const chunks: Array<Uint8Array> = []
  return {
    sink: { write: (chunk: Uint8Array) => void chunks.push(chunk.slice()), end: () => undefined },
    bytes: () => Buffer.concat(chunks),
    text: () => Buffer.concat(chunks).toString("utf8")
  }
}

/** A launch of `sh -c script` (or of a file) with everything in place that a test does not care about. */
export const launchOf = (args: ReadonlyArray<string>, changes: Partial<Process.Launch> = {}) =>
  Effect.gen(function* () {
    const stop = yield* Deferred.make<StopReason>()
    const out = gathering()
    const err = gathering()
    const attemptId = changes.attemptId ?? newAttempt()
    const launch: Process.Launch = {
      attemptId,
      file: "/bin/sh",
      args,
      cwd: "/",
      env: { PATH: "/usr/local/bin:/usr/bin:/bin", AGENT_RUNTIME_ATTEMPT_ID: attemptId },
      stdin: new Uint8Array(0),
      timeoutMs: 30_000,
      noOutputTimeoutMs: Option.none(),
      stdout: out.sink,
      stderr: err.sink,
      stop,
      started: () => Effect.void,
      ladder: shortLadder,
      ...changes
    }
    return { launch, out, err, attemptId, stop }
  })
