const cpu = () => { const u = process.cpuUsage(); return (u.user + u.system) / 1000 }; let last = cpu()
const lap = (n: string) => { const t = cpu(); console.error(n.padEnd(14), (t - last).toFixed(1), "total", t.toFixed(1)); last = cpu() }
import { Effect, Layer, Scope, Exit, DateTime } from "effect"
import * as KernelLock from "../layers/lock/KernelLock.ts"
import * as SqlStore from "../layers/store/SqlStore.ts"
import * as Sqlite from "../layers/store/Sqlite.ts"
import * as Host from "../layers/Host.ts"
import * as DiskArtifacts from "../layers/artifact/DiskArtifacts.ts"
import * as DiskAudit from "../layers/artifact/DiskAudit.ts"
import { load } from "../layers/config/ConfigFile.ts"
lap("imports")
await Effect.runPromise(load("/tmp/st/config/runtime.json") as any); lap("load config")
await Effect.runPromise(load("/tmp/st/config/runtime.json") as any); lap("load config 2")
await Effect.runPromise(load("/tmp/st/config/runtime.json") as any); lap("load config 3")
const scope = Effect.runSync(Scope.make())
const b = (n: string, l: any) => Effect.runPromise(Layer.buildWithScope(l, scope) as any).then(() => lap(n))
await b("nothing", Layer.effectDiscard(Effect.void))
await b("host", Layer.merge(Host.ids, Host.runner))
await b("artifacts", DiskArtifacts.layer("/tmp/st/state/artifacts"))
await b("audit", DiskAudit.layer("/tmp/st/state/artifacts"))
await b("lock", KernelLock.layer)
await Effect.runPromise(SqlStore.prepare("/tmp/st/state/runtime.db", (await import("../layers/store/Migrations.ts")).MIGRATIONS)); lap("prepare")
await b("sqlite", Sqlite.layer({ filename: "/tmp/st/state/runtime.db", durability: "full" }))
await b("store", SqlStore.file({ filename: "/tmp/st/state/runtime.db", durability: "full" }))
await Effect.runPromise(Scope.close(scope, Exit.void)); lap("close")
