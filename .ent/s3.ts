const cpu = () => { const u = process.cpuUsage(); return (u.user + u.system) / 1000 }; let last = cpu()
const lap = (n: string) => { const t = cpu(); console.error(n.padEnd(14), (t - last).toFixed(1), "total", t.toFixed(1)); last = cpu() }
import { Effect, Schema } from "effect"
import * as Main from "../src/cli/Main.ts"
import * as commands from "../src/cli/commands.ts"
lap("main " + Object.keys(Main).length + Object.keys(commands).length)
const { load } = await import("../layers/config/ConfigFile.ts"); lap("ConfigFile")
await Effect.runPromise(load("/tmp/st/config/runtime.json") as any); lap("load config")
const { SqlStore } = { SqlStore: await import("../layers/store/SqlStore.ts") }; lap("SqlStore mod")
const R = await import("../layers/Reading.ts"); lap("Reading mod")
const State = await import("../src/operate/State.ts"); lap("State mod")
await Effect.runPromise(Effect.gen(function*(){
  lap("layer built")
  const r = yield* State.status.run({}, {surface:"cli",name:"x"}); lap("status run")
  yield* Schema.encode(State.status.output)(r); lap("encode")
}).pipe(Effect.provide(R.reading("/tmp/st/config/runtime.json"))) as any); lap("closed")
