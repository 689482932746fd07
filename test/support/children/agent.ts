import { expect } from "bun:test"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Deferred, Effect, Option } from "effect"
import { type AgentCliSetting, executeAgentCli } from "../../../layers/adapter/AgentCli.ts"
import type { Driver, Told } from "../../../layers/adapter/drivers/Driver.ts"
import { Processes } from "../../../layers/adapter/Process.ts"
import { blank } from "../../../layers/adapter/Script.ts"
import { scriptSettings } from "../../../layers/adapter/ScriptedAdapters.ts"
import * as DiskAudit from "../../../layers/artifact/DiskAudit.ts"
import type { Job, StopReason } from "../../../src/adapter/AdapterRegistry.ts"
import { Audit } from "../../../src/artifact/AuditFolder.ts"
import type { AgentCliSettings } from "../../../src/config/AdapterSettings.ts"
import { TaskId } from "../../../src/domain/Ids.ts"
import { host } from "./script.ts"
import { leftOf, newAttempt, processes, shortLadder, temporaryFolder } from "./support.ts"

/** Settings of an agent's program. */
export const agentSettings = (changes: Partial<AgentCliSettings> = {}): AgentCliSettings => {
  const { untrustedArgs: _, ...child } = scriptSettings("agent")
  return {
    ...child,
    mode: "agent-cli",
    driver: "codex",
    model: Option.none(),
    settingsFile: Option.none(),
    sandbox: Option.none(),
    autonomy: "restricted",
    provider: {},
    ...changes
  }
}

/**
 * A driver of `sh -c script`: a line `step NAME OK` is a step, `say TEXT` the last message, all others are
 * counted. What the end is comes from the exit code alone.
 */
export const shellDriver = (script: string, changes: Partial<Driver> = {}): Driver => ({
  env: () => ({ BY_DRIVER: "default", OVERRIDDEN: "driver" }),
  bypass: ["--bypass"],
  ladder: shortLadder,
  examine: Option.none(),
  objection: () => Option.none(),
  invoke: ({ job, scratch, settings }) => ({
    args: ["-c", script, "agent", scratch, ...settings.extraArgs],
    stdin: job.prompt,
    files: { "given.txt": "for the program" }
  }),
  reader: () => {
    let [lastMessage, lines] = ["", 0]
    return {
      line: (text) => {
        lines++
        const [word, ...rest] = text.split(" ")
        if (word === "say") lastMessage = rest.join(" ")
        if (word !== "step") return []
        return [{ id: "1", tool: rest[0] ?? "", target: rest.slice(1).join(" "), ok: true }]
      },
      told: ({ ending, stderr }): Told => ({
        ...blank,
        exitStatus: ending._tag === "Exited" && ending.code === 7 ? "error" : "ok",
        retryClass: "none",
        reason:
          ending._tag === "Exited" && ending.code === 7
            ? Option.some(`program said: ${stderr}`)
            : Option.none(),
        lastMessage,
        diagnostics: [],
        facts: { lines }
      })
    }
  },
  ...changes
})

/** Executes an agent's program with everything on disk; what is left of it afterwards is an error. */
export const executeAgent = (
  driver: Driver,
  changes: Partial<AgentCliSettings> = {},
  job: Partial<Job> = {},
  processesOf?: (processes: AgentCliSetting["processes"]) => AgentCliSetting["processes"]
) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const attemptId = newAttempt()
    const taskId = TaskId.make("task")
    const audit = yield* Effect.flatMap(Audit, ({ open }) => open(taskId, attemptId)).pipe(
      Effect.provide(DiskAudit.layer(join(folder, "artifacts")))
    )
    const stop = yield* Deferred.make<StopReason>()
    const stateDir = join(folder, "state")
    const execution = yield* Effect.gen(function* () {
      const real = yield* Processes
      const execute = yield* executeAgentCli({
        settings: agentSettings({ command: { given: "sh", path: "sh" }, ...changes }),
        driver,
        runtime: { runtimeName: "rt", stateDir, artifactDir: join(folder, "artifacts") },
        host,
        startedIn: folder,
        processes: processesOf === undefined ? real : processesOf(real)
      })
      return yield* execute({
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
    }).pipe(Effect.provide(processes(stateDir)))
    expect(leftOf(attemptId)).toEqual([])
    const scratch = join(stateDir, "scratch")
    expect(existsSync(scratch) ? readdirSync(scratch) : []).toEqual([])
    return {
      execution,
      folder,
      attemptId,
      audit,
      file: (name: string) => readFileSync(join(audit.path, name), "utf8")
    }
  })
