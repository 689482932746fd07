import { Effect, Schema } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { TaskId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { Intent } from "../domain/Task.ts"
import { traced } from "../domain/Traced.ts"
import { wireStruct } from "../domain/Wire.ts"
import * as Discord from "../intake/Discord.ts"
import { enqueue, profileOf, readIntent } from "../intake/Enqueue.ts"
import * as Github from "../intake/Github.ts"
import { QueuedTask } from "./answers/Tasks.ts"
import { tooManyOperatorTasks } from "./Message.ts"
import { operation } from "./Operation.ts"

/** Queues an intent. `queued` is false when an unfinished task with its dedupe key is there already. */
export const intake = operation({
  name: "tasks.queue",
  role: "operate",
  output: QueuedTask,
  run: traced("Queue.intake")(function* (input: unknown, actor) {
    const settings = yield* RuntimeConfig
    const intent = yield* readIntent(input)
    const { created, task } = yield* enqueue(intent, { actor, untrusted: false }).pipe(
      Effect.catchTag("TooManyOperatorTasks", () => tooManyOperatorTasks)
    )
    return {
      queued: created,
      taskId: task.taskId,
      profile: profileOf(intent, settings),
      availableAt: task.availableAt
    }
  })
})

const Bridged = wireStruct({
  queued: Schema.Boolean,
  bridge: Schema.Literal("github", "discord"),
  taskId: TaskId,
  profile: Schema.String
})

const bridged = (bridge: "github" | "discord", intent: Intent) =>
  Effect.gen(function* () {
    const settings = yield* RuntimeConfig
    const door = { actor: { surface: "bridge", name: bridge }, untrusted: true } as const
    const { created, task } = yield* enqueue(intent, door).pipe(
      Effect.catchTag("TooManyOperatorTasks", () => tooManyOperatorTasks)
    )
    return { queued: created, bridge, taskId: task.taskId, profile: settings.defaultProfile }
  })

/** Queues the task of a GitHub event; its content is untrusted. */
export const github = operation({
  name: "bridge.github",
  role: "operate",
  output: Bridged,
  run: (body: JsonObject) => Effect.flatMap(Github.toIntent(body), (intent) => bridged("github", intent))
})

/** Queues the task of a Discord event; its content is untrusted. */
export const discord = operation({
  name: "bridge.discord",
  role: "operate",
  output: Bridged,
  run: (body: JsonObject) => Effect.flatMap(Discord.toIntent(body), (intent) => bridged("discord", intent))
})
