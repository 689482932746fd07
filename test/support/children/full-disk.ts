import { Effect, Option } from "effect"
import * as DiskAudit from "../../../layers/artifact/DiskAudit.ts"
import { Audit } from "../../../src/artifact/AuditFolder.ts"
import { AttemptId, TaskId } from "../../../src/domain/Ids.ts"

/** Writes more than the disk takes (its argument is the artifact root) and prints what it was told. */
process.on("SIGXFSZ", () => undefined)

const program = Effect.gen(function* () {
  const audit = yield* Audit
  const folder = yield* audit.open(TaskId.make("t"), AttemptId.make("a"))
  const log = yield* folder.log("stdout.log")
  for (let chunk = 0; chunk < 4; chunk++) log.write(new Uint8Array(900))
  const failure = yield* Effect.flip(folder.put("result.json", "x".repeat(3000)))
  const reason = Option.map(log.problem(), (problem) => problem.reason)
  process.stdout.write(
    JSON.stringify([Option.getOrNull(reason), log.size(), log.truncated(), failure.reason])
  )
})

await program.pipe(Effect.scoped, Effect.provide(DiskAudit.layer(process.argv[2] ?? "")), Effect.runPromise)
