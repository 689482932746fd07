import { Effect, Option, Schema } from "effect"
import { ArtifactStore } from "../artifact/ArtifactStore.ts"
import type { Actor } from "../domain/Actor.ts"
import type { Attempt } from "../domain/Attempt.ts"
import { AttemptId, TaskId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import { traced } from "../domain/Traced.ts"
import { nullable, wireStruct } from "../domain/Wire.ts"
import { Store } from "../store/Store.ts"
import * as Cycle from "./Cycle.ts"
import { operation } from "./Operation.ts"
import * as Queue from "./Queue.ts"

const Evidence = wireStruct({ path: Schema.String, bytes: Schema.Int, sha256: Schema.String })

const Shown = wireStruct({
  taskId: TaskId,
  kind: Schema.String,
  subject: nullable(Schema.String),
  status: Schema.String,
  operatorSummary: nullable(Schema.String),
  attemptId: AttemptId,
  adapterId: nullable(Schema.String),
  bundleHash: nullable(Schema.String),
  replayGrade: nullable(Schema.String),
  events: Schema.Array(Schema.String),
  evidence: Schema.Array(Evidence)
})

/** What an attempt left in the artifact root. */
const evidenceOf = (attempt: Attempt) =>
  Effect.gen(function* () {
    const artifacts = yield* ArtifactStore
    const store = yield* Store
    const bundle = Option.isSome(attempt.bundleId)
      ? yield* store.attempts.bundle(attempt.bundleId.value)
      : Option.none()
    const paths = [
      ...Option.toArray(Option.map(bundle, (one) => one.relativePath)),
      ...[attempt.promptPath, attempt.stdoutPath, attempt.stderrPath, attempt.resultPath].flatMap(
        Option.toArray
      )
    ]
    const seen = yield* Effect.forEach(paths, (path) =>
      Effect.all([artifacts.observe(path), artifacts.hash(path)]).pipe(
        Effect.map(([file, sha256]) =>
          Option.zipWith(file, sha256, ({ size }, hash) => ({ path, bytes: size, sha256: hash }))
        )
      )
    )
    return seen.flatMap(Option.toArray)
  })

const storyOf = (id: TaskId) =>
  Effect.gen(function* () {
    const store = yield* Store
    const { task } = Option.getOrThrow(yield* store.tasks.find(id))
    const attempt = (yield* store.attempts.ofTask(id)).at(-1)
    if (attempt === undefined) return yield* Effect.dieMessage(`the demo's task ${id} was not run`)
    const events = yield* store.events.ofTask(id, 100)
    return {
      taskId: id,
      kind: task.kind,
      subject: task.subject,
      status: task.status,
      operatorSummary: Option.map(task.outcome, (outcome) => outcome.operatorSummary),
      attemptId: attempt.attemptId,
      adapterId: attempt.adapterId,
      bundleHash: attempt.bundleHash,
      replayGrade: attempt.replayGrade,
      events: events.map((event) => event.eventType),
      evidence: yield* evidenceOf(attempt)
    }
  })

/**
 * The main job, start to end: an event of each bridge is queued, run, verified and shown with its evidence.
 * `ok` says whether both completed.
 */
export const demo = operation({
  name: "demo.run",
  role: "operate",
  output: wireStruct({ ok: Schema.Boolean, tasks: Schema.Array(Shown) }),
  run: traced("Demo.demo")(function* (
    input: { readonly github: JsonObject; readonly discord: JsonObject },
    actor: Actor
  ) {
    const queued = [
      yield* Queue.github.run(input.github, actor),
      yield* Queue.discord.run(input.discord, actor)
    ]
    for (const _ of queued) yield* Cycle.once.run({}, actor)
    const tasks = yield* Effect.forEach(queued, ({ taskId }) => storyOf(taskId))
    return { ok: tasks.every((task) => task.status === "completed"), tasks }
  })
})
