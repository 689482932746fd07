import { Effect, Option, Schema } from "effect"
import { AdapterRegistry } from "../adapter/AdapterRegistry.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { modelOfReplay } from "../context/Model.ts"
import { recordedBundle } from "../context/RecordedBundle.ts"
import { recordedProfile, replayBundle } from "../context/ReplayBundle.ts"
import { AttemptId, BundleId, IdSource } from "../domain/Ids.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { Store } from "../store/Store.ts"
import type { ClaimedTask } from "../store/Tasks.ts"
import { charge } from "./Charging.ts"
import { admitsUntrusted } from "./Eligibility.ts"
import { adapterUnknown, NotStarted, untrustedNotAdmitted } from "./NotStarted.ts"
import { occupied } from "./Occupy.ts"

/**
 * What a replay runs: the recorded bundle with the recorded profile, on the adapter that its task names. There
 * is no fallback, for the point of it is to see what this one makes of that input. Ends as NotStarted where
 * the bundle's file is not what was recorded.
 */
export const replayed = traced("Replayed.replayed")(function* (claimed: ClaimedTask, attemptId: string) {
  const settings = yield* RuntimeConfig
  const ids = yield* IdSource
  const record = yield* recordOf(attemptId)
  const recorded = yield* Effect.catchTag(recordedBundle(record), "BundleUnusable", ({ detail }) =>
    gone(detail)
  )
  const present = Option.fromNullable(settings.profiles.get(recorded.agent.profileId))
  const profile = recordedProfile(recorded, present)
  if (Option.isNone(profile))
    return yield* gone(`the profile in ${record.relativePath} is not one that this version reads`)
  const adapter = yield* adapterOf(claimed, recorded.adapter.id)
  const ground = yield* occupied(claimed, adapter)
  yield* charge(claimed, { adapterId: adapter.settings.id, profileId: profile.value.profileId })
  const model = modelOfReplay(adapter.settings, recorded)
  const { deviation, ...compiled } = yield* replayBundle({
    recorded,
    task: claimed.task,
    adapter: adapter.settings,
    model,
    bundleId: BundleId.make(yield* ids.next),
    at: yield* now
  })
  const told = {
    replay_of: attemptId,
    replayed_bundle_hash: record.bundleHash,
    same_bundle: compiled.bundleHash === record.bundleHash,
    changed: deviation.changed,
    drifted: deviation.drifted.slice(0, MOST_DRIFTED)
  }
  return { profile: profile.value, adapter, ground, model, compiled, told }
})

const MOST_DRIFTED = 50

const readId = Schema.decodeUnknownOption(AttemptId)

const recordOf = (attemptId: string) =>
  Effect.gen(function* () {
    const store = yield* Store
    const attempt = yield* Option.match(readId(attemptId), {
      onNone: () => Effect.succeedNone,
      onSome: store.attempts.find
    })
    const bundleId = Option.flatMap(attempt, (one) => one.bundleId)
    const record = Option.isSome(bundleId) ? yield* store.attempts.bundle(bundleId.value) : Option.none()
    return Option.isSome(record)
      ? record.value
      : yield* gone(`attempt ${attemptId} has no bundle on record any more`)
  })

const gone = (detail: string) =>
  new NotStarted({ reason: "bundle_unusable", detail: `the replayed bundle: ${detail}`, permanent: false })

const adapterOf = ({ task }: ClaimedTask, recordedId: string) =>
  Effect.gen(function* () {
    const settings = yield* RuntimeConfig
    const registry = yield* AdapterRegistry
    const id = Option.getOrElse(task.requestedAdapter, () => recordedId)
    const adapter = registry.get(id)
    if (Option.isNone(adapter)) return yield* adapterUnknown(id, settings)
    if (task.untrusted && !admitsUntrusted(id, settings)) return yield* untrustedNotAdmitted(id)
    return adapter.value
  })
