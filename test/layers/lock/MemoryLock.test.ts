import { Effect } from "effect"
import * as MemoryLock from "../../../layers/lock/MemoryLock.ts"
import { lockConformance } from "../../conformance/lock.ts"

lockConformance("a lock in memory", MemoryLock.layer, Effect.succeed("/memory/dispatch.lock"))
