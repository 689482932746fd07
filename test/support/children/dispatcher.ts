import { Effect, Option } from "effect"
import { Processes } from "../../../layers/adapter/Process.ts"
import { AttemptId } from "../../../src/domain/Ids.ts"
import { child, launchOf, processes } from "./support.ts"

/**
 * A dispatcher to be killed: runs one attempt whose daemon clears its environment, and prints the direct
 * child once all run. Arguments: state folder, attempt id, PIDS file.
 */
const [stateDir = "", id = "", pids = ""] = process.argv.slice(2)
const attemptId = AttemptId.make(id)

await Effect.gen(function* () {
  const { launch } = yield* launchOf(["-c", `sh ${child("daemon.sh")}; echo up; sleep 300`], { attemptId })
  const { run } = yield* Processes
  yield* run({
    ...launch,
    env: { ...launch.env, PIDS: pids },
    noOutputTimeoutMs: Option.none(),
    started: (root) => Effect.sync(() => process.stdout.write(`${JSON.stringify(root)}\n`)),
    stdout: { write: () => process.stdout.write("up\n"), end: () => undefined }
  })
}).pipe(Effect.provide(processes(stateDir)), Effect.runPromise)
