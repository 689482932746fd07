import { expect } from "bun:test"
import { Effect, Option } from "effect"
import * as Memory from "../../layers/Memory.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { enqueue } from "../../src/intake/Enqueue.ts"
import { Store } from "../../src/store/Store.ts"
import { it } from "../support/effect.ts"
import { settings } from "../support/settings.ts"

const door = { actor: { surface: "cli", name: "test" }, untrusted: false } as const
const says = (text: string) => () => Effect.succeed({ lastMessage: text })

it.effect("a task whose script says something is completed with that as its summary", () =>
  Effect.gen(function* () {
    const { task } = yield* enqueue({ kind: "note", source: "test", payload: {} }, door)
    const cycle = yield* runOnce
    const store = yield* Store
    const after = Option.getOrThrow(yield* store.tasks.find(task.taskId))
    expect(cycle._tag).toBe("Ran")
    expect(after.task.status).toBe("completed")
    expect(Option.getOrThrow(after.task.outcome).operatorSummary).toBe("hello")
  }).pipe(Effect.provide(Memory.layer({ settings: settings(), adapters: { local: says("hello") } })))
)
