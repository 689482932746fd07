import { Effect, Option } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { adapterPart } from "../context/AdapterPart.ts"
import { changesBetween } from "../context/BundleDiff.ts"
import { canonicalText } from "../context/Canonical.ts"
import { modelOfReplay } from "../context/Model.ts"
import { type RecordedWork, recordedWork } from "../context/ReplayBundle.ts"
import { admitsUntrusted } from "../dispatch/Eligibility.ts"
import { quoted } from "../domain/Abridged.ts"
import { AttemptId, TaskId } from "../domain/Ids.ts"
import type { Task } from "../domain/Task.ts"
import { traced } from "../domain/Traced.ts"
import { enqueueReplay } from "../intake/Replay.ts"
import { Store } from "../store/Store.ts"
import { ReplayedTask } from "./answers/Tasks.ts"
import { type Proved, proved } from "./Bundles.ts"
import { operation } from "./Operation.ts"
import { Refusal } from "./Refusal.ts"

/**
 * Runs an attempt's recorded bundle again, byte for byte, as a new task that refers to it; with `adapter` the
 * same input on another adapter. The attempt may also be named by its bundle, or by its task (its last one).
 */
export const replay = operation({
  name: "tasks.replay",
  role: "operate",
  output: ReplayedTask,
  run: traced("Replay.replay")(function* (
    input: { readonly attemptId: string; readonly adapter: Option.Option<string> },
    actor
  ) {
    const store = yield* Store
    const { bundle, record } = yield* proved(input.attemptId)
    const adapter = yield* adapterOf(input.adapter, bundle.adapter.id)
    const taskId = TaskId.make(record.taskId)
    const original = yield* Effect.flatten(store.tasks.find(taskId)).pipe(
      Effect.catchTag("NoSuchElementException", () =>
        Effect.dieMessage(`the task of bundle ${record.bundleId} is not on record`)
      )
    )
    const work = yield* workOf({ bundle, record })
    const untrusted = original.task.untrusted || work.untrusted
    yield* admitted(adapter.id, untrusted)
    const model = modelOfReplay(adapter, bundle)
    const again = { ...bundle, adapter: adapterPart(adapter, model) }
    const detail = {
      replayed_bundle_id: record.bundleId,
      replayed_bundle_hash: record.bundleHash,
      adapter_id: adapter.id,
      // What in the bundle will be another than recorded, and its hash with it; the prompt never is.
      changed: changesBetween(bundle, again).map(({ path }) => path)
    }
    const isOther = adapter.id !== bundle.adapter.id
    const task = yield* enqueueReplay(
      {
        taskId,
        attemptId: AttemptId.make(record.attemptId),
        untrusted,
        intent: {
          ...intentOf(work, original.task),
          requestedProfile: bundle.agent.profileId,
          requestedAdapter: adapter.id,
          ...(isOther ? {} : requestedModel(model))
        }
      },
      detail,
      actor
    )
    return { ok: true, taskId: task.taskId, status: task.status }
  })
})

const requestedModel = (model: Option.Option<string>) =>
  Option.match(model, { onNone: () => ({}), onSome: (id) => ({ requestedModel: id }) })

const intentOf = (work: RecordedWork, original: Task) => ({
  kind: work.kind,
  // Equal values; the row has the keys in the order in which the first run got them.
  payload: canonicalText(original.payload) === canonicalText(work.payload) ? original.payload : work.payload,
  priority: original.priority,
  maxAttempts: original.maxAttempts,
  ...Option.match(work.subject, { onNone: () => ({}), onSome: (subject) => ({ subject }) }),
  ...Option.match(work.description, { onNone: () => ({}), onSome: (description) => ({ description }) })
})

const workOf = ({ bundle, record }: Proved): Effect.Effect<RecordedWork, Refusal> =>
  Option.match(recordedWork(bundle), {
    onNone: () =>
      new Refusal({
        code: "bundle_unsupported",
        message: `the bundle ${record.relativePath} below the artifact root records no task that this version reads`,
        hint: "replay it with the version that made it"
      }),
    onSome: Effect.succeed
  })

/** The adapter that runs it: the one that is asked for, else the recorded one. */
const adapterOf = (asked: Option.Option<string>, recordedId: string) =>
  Effect.gen(function* () {
    const { adapters } = yield* RuntimeConfig
    const found = adapters.get(Option.getOrElse(asked, () => recordedId))
    if (found !== undefined) return found
    const known = [...adapters.keys()].join(", ")
    return yield* Option.match(asked, {
      onNone: () =>
        new Refusal({
          code: "adapter_unknown",
          message: `adapter ${recordedId}, which ran the attempt, is not configured any more`,
          hint: `replay it on another one with --adapter; configured are ${known}`
        }),
      onSome: (id) =>
        new Refusal({
          code: "adapter_unknown",
          message: `--adapter: found ${quoted(id)}, which is not configured`,
          hint: `configured are ${known}`,
          exitCode: 2
        })
    })
  })

const admitted = (id: string, untrusted: boolean) =>
  Effect.gen(function* () {
    if (!untrusted || admitsUntrusted(id, yield* RuntimeConfig)) return
    return yield* new Refusal({
      code: "untrusted_not_admitted",
      message: `the attempt ran untrusted input, which adapter ${id} may not run (dispatch.untrustedAdapters)`,
      hint: "name an adapter that may with --adapter"
    })
  })
