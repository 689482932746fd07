import { expect } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Deferred, Effect, Option } from "effect"
import { Processes } from "../../../layers/adapter/Process.ts"
import { executeScript } from "../../../layers/adapter/Script.ts"
import { scriptSettings } from "../../../layers/adapter/ScriptedAdapters.ts"
import * as DiskAudit from "../../../layers/artifact/DiskAudit.ts"
import type { Job, StopReason } from "../../../src/adapter/AdapterRegistry.ts"
import { Audit } from "../../../src/artifact/AuditFolder.ts"
import type { ScriptSettings } from "../../../src/config/AdapterSettings.ts"
import { TaskId } from "../../../src/domain/Ids.ts"
import { leftOf, newAttempt, processes, shortLadder, temporaryFolder } from "./support.ts"

/** Settings of a script adapter that runs `sh -c script`. */
export const shell = (script: string): Partial<ScriptSettings> => ({
  command: { given: "sh", path: "sh" },
  extraArgs: ["-c", script, "script"]
})

/** The environment of the dispatcher, as far as the adapter is told. */
export const host = {
  PATH: "/usr/local/bin:/usr/bin:/bin",
  HOME: "/root",
  LANG: "C.UTF-8",
  NOTIFY_SOCKET: "/run/x",
  TOKEN: "t0ken"
}

/** Executes a script adapter with its audit folder on disk; answers the execution and how to read a file. */
export const execute = (changes: Partial<ScriptSettings>, job: Partial<Job> = {}) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const attemptId = newAttempt()
    const taskId = TaskId.make("task")
    const audit = yield* Effect.flatMap(Audit, ({ open }) => open(taskId, attemptId)).pipe(
      Effect.provide(DiskAudit.layer(join(folder, "artifacts")))
    )
    const stop = yield* Deferred.make<StopReason>()
    const execution = yield* Effect.gen(function* () {
      return yield* executeScript({
        settings: scriptSettings("local", changes),
        runtime: {
          runtimeName: "rt",
          stateDir: join(folder, "state"),
          artifactDir: join(folder, "artifacts")
        },
        host,
        startedIn: folder,
        processes: yield* Processes,
        ladder: shortLadder
      })({
        taskId,
        attemptId,
        prompt: "the prompt",
        payload: { n: 1 },
        args: [],
        model: Option.none(),
        untrusted: false,
        withheld: [],
        bundlePath: "/bundles/b.json",
        promptPath: "/bundles/b.prompt.txt",
        audit,
        traceParent: Option.none(),
        stop,
        started: () => Effect.void,
        ...job
      })
    }).pipe(Effect.provide(processes(join(folder, "state"))))
    expect(leftOf(attemptId)).toEqual([])
    return {
      execution,
      folder,
      audit,
      attemptId,
      file: (name: string) => readFileSync(join(audit.path, name), "utf8")
    }
  })

export const reasonOf = ({
  execution
}: {
  readonly execution: { readonly reason: Option.Option<string> }
}): string => Option.getOrElse(execution.reason, () => "")
