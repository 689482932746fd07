import { Effect, Option } from "effect"
import * as KernelLock from "../../../layers/lock/KernelLock.ts"
import { Lock } from "../../../src/dispatch/Lock.ts"
import { RunnerId } from "../../../src/domain/Ids.ts"

// What another process does with a lock: `hold PATH` until it is killed, with a child of its own that lives
// on; `look PATH COUNT` asks who holds it; `take PATH COUNT` takes it again and again.
const [verb, path = "", count = "0"] = process.argv.slice(2)
const id = RunnerId.make(`child:${process.pid}:then`)

const program = Effect.gen(function* () {
  const lock = yield* Lock
  const times = Array.from({ length: Number(count) })
  if (verb === "hold")
    return yield* Effect.gen(function* () {
      const heir = Bun.spawn(["sleep", "60"], { stdin: "ignore", stdout: "ignore", stderr: "ignore" })
      console.log(JSON.stringify({ heir: heir.pid }))
      return yield* Effect.never
    }).pipe(lock.hold(path, id))
  if (verb === "look") {
    console.log("ready")
    const seen = yield* Effect.forEach(times, () => lock.holder(path))
    return console.log(JSON.stringify({ looked: seen.length, held: seen.filter(Option.isSome).length }))
  }
  console.log("ready")
  const taken = yield* Effect.forEach(times, () => Effect.succeed(1).pipe(lock.hold(path, id)))
  return console.log(JSON.stringify({ taken: taken.length }))
})

await Effect.runPromise(Effect.provide(program, KernelLock.layer))
