const cpu = () => { const u = performance.now(); return u }; let last = cpu()
const lap = (n: string) => { const t = cpu(); console.error(n.padEnd(14), (t - last).toFixed(1), "total", t.toFixed(1)); last = cpu() }
import { Effect, Layer } from "effect"
import * as Live from "../layers/Live.ts"
import * as KernelLock from "../layers/lock/KernelLock.ts"
import * as SqlStore from "../layers/store/SqlStore.ts"
import * as Host from "../layers/Host.ts"
import * as DiskArtifacts from "../layers/artifact/DiskArtifacts.ts"
import * as DiskAudit from "../layers/artifact/DiskAudit.ts"
import { Store } from "../src/store/Store.ts"
import { Lock } from "../src/dispatch/Lock.ts"
import { Database } from "bun:sqlite"
lap("imports")
const d = new Database("/tmp/st/state/runtime.db"); d.run("PRAGMA busy_timeout = 5000"); d.run("PRAGMA journal_mode = WAL"); d.query("select * from task_counts").all(); lap("raw open")
d.close(); lap("raw close")
const go = (n: string, l: any, e: any = Effect.void) => Effect.runPromise(Effect.scoped(Effect.flatMap(Layer.build(l), (c: any) => Effect.zipRight(Effect.sync(() => lap(n)), Effect.provide(e, c)))) as any).then(() => lap(n + " end"))
await go("lock", KernelLock.layer)
await go("host", Layer.merge(Host.ids, Host.runner))
await go("artifacts", Layer.merge(DiskArtifacts.layer("/tmp/st/state/artifacts"), DiskAudit.layer("/tmp/st/state/artifacts")))
await go("store", SqlStore.file({ filename: "/tmp/st/state/runtime.db", durability: "full" }))
await go("store again", SqlStore.file({ filename: "/tmp/st/state/runtime.db", durability: "full" }))
await go("store counts", SqlStore.file({ filename: "/tmp/st/state/runtime.db", durability: "full" }), Effect.flatMap(Store, (s) => s.tasks.counts))
