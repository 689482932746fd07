import { type DateTime, Effect, Option } from "effect"
import type { Adapter } from "../adapter/AdapterRegistry.ts"
import { type Selected, select } from "../adapter/Select.ts"
import { Audit, type AuditFolder } from "../artifact/AuditFolder.ts"
import { intended } from "../config/Intended.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { assemble, type Compiled, persist } from "../context/Assemble.ts"
import { modelOf } from "../context/Model.ts"
import type { AskedQuestion } from "../domain/AskedQuestion.ts"
import { type Attempt, isModelBacked } from "../domain/Attempt.ts"
import { BundleId, IdSource } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { Profile } from "../domain/Profile.ts"
import type { KnownFile } from "../domain/Task.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { behind, precheck } from "../evidence/Precheck.ts"
import type { Ground } from "../store/Gates.ts"
import { Store } from "../store/Store.ts"
import type { ClaimedTask } from "../store/Tasks.ts"
import { dayOf, roomAgainAt, saying } from "./Charges.ts"
import { charge, tellSpent } from "./Charging.ts"
import { coolingNow, overBudgetNow, roomBeside } from "./Conditions.ts"
import { admitsUntrusted } from "./Eligibility.ts"
import {
  adapterUnknown,
  NotStarted,
  untrustedNotAdmitted,
  WaitsForBudget,
  WaitsForFallback
} from "./NotStarted.ts"
import { occupied } from "./Occupy.ts"
import { replayed } from "./Replayed.ts"
import { stampNow } from "./Runner.ts"

/** Everything an adapter needs to start, recorded before it does. */
export interface Prepared {
  readonly claimed: ClaimedTask
  readonly profile: Profile
  readonly adapter: Adapter
  /** The folder that it works in; none for an adapter without hands. */
  readonly ground: Option.Option<Ground>
  readonly model: Option.Option<string>
  readonly compiled: Compiled
  readonly audit: AuditFolder
  /** When the present round began, and what was known of the declared files then. */
  readonly roundStartedAt: Attempt["startedAt"]
  readonly known: ReadonlyArray<KnownFile>
  /** What the event of the bundle tells beside it: of a replay, what it deviates in. */
  readonly told?: JsonObject
}

/** What an attempt runs, and by what. */
type Chosen = Pick<Prepared, "profile" | "adapter" | "ground" | "model" | "compiled" | "told">

/** The profile that a task runs with. */
export const profileOf = ({ task }: Pick<ClaimedTask, "task">) =>
  Effect.gen(function* () {
    const settings = yield* RuntimeConfig
    const id = Option.getOrElse(task.requestedProfile, () => settings.defaultProfile)
    const profile = settings.profiles.get(id)
    if (profile !== undefined) return profile
    return yield* new NotStarted({
      reason: "profile_unknown",
      detail: `profile ${id} is not configured; configured are ${[...settings.profiles.keys()].join(", ")}`,
      permanent: false
    })
  })

const adapterOf = (claimed: ClaimedTask, profile: Profile) =>
  Effect.gen(function* () {
    const settings = yield* RuntimeConfig
    const { task } = claimed
    const id = intended(task.requestedAdapter, Option.some(profile), settings)
    const allowed = (candidate: string) => !task.untrusted || admitsUntrusted(candidate, settings)
    const selected = yield* select(id, allowed, yield* coolingNow)
    if (Option.isNone(selected)) return yield* adapterUnknown(id, settings)
    if (!allowed(selected.value.adapter.settings.id)) return yield* untrustedNotAdmitted(id)
    const { adapter, better } = selected.value
    if (Option.isSome(better)) return yield* waitingFor(better.value.id, better.value.from)
    yield* tellFallback(claimed, id, selected.value)
    return adapter
  })

/** Why the adapter that is worth waiting for does not run now: its budget of the day, or its cool-down. */
const waitingFor = (id: string, until: DateTime.Utc) =>
  Effect.gen(function* () {
    const over = (yield* overBudgetNow)(id)
    if (Option.isNone(over)) return yield* new WaitsForFallback({ adapterId: id, until })
    const stamp = yield* stampNow
    yield* tellSpent(over.value, dayOf(stamp.at), stamp)
    return yield* new WaitsForBudget({ detail: saying(over.value), until: roomAgainAt(over.value, stamp.at) })
  })

const tellFallback = (claimed: ClaimedTask, intendedId: string, { adapter, passedOver }: Selected) =>
  Effect.gen(function* () {
    if (passedOver.length === 0) return
    const store = yield* Store
    const detail = { intended: intendedId, used: adapter.settings.id, passed_over: passedOver }
    const subject = {
      taskId: Option.some(claimed.task.taskId),
      attemptId: Option.some(claimed.attempt.attemptId)
    }
    yield* store.events.append({ type: "adapter_fallback_used", ...subject, detail }, yield* stampNow)
  })

/** How many outcomes the prompt's memory shows. */
export const MEMORY = 5

/**
 * How the attempt before this one failed. The task's outcome is that of its last attempt: one that completed may be
 * run again, and its success is no failure to learn from. Nor is a question that was answered, whose answer is told.
 */
const lastFailureOf = (
  claimed: ClaimedTask,
  profile: Profile,
  adapter: Adapter,
  answers: ReadonlyArray<AskedQuestion>
) =>
  Effect.gen(function* () {
    const store = yield* Store
    const { round, task } = claimed
    const wanted = profile.contextPolicy.includeLastFailure ?? isModelBacked(adapter.settings.mode)
    if (!wanted && Option.isNone(round.note)) return Option.none()
    if (Option.exists(task.outcome, ({ status }) => status === "completed")) return Option.none()
    const before = (yield* store.attempts.ofTask(task.taskId)).findLast(({ status }) => status === "finished")
    const hasAsked = answers.some(({ attemptId }) => attemptId === before?.attemptId)
    return Option.map(Option.fromNullable(before), ({ issues, number, reason }) => ({
      attemptNumber: number,
      reason: hasAsked ? "" : Option.getOrElse(reason, () => ""),
      issues
    }))
  })

const compile = (claimed: ClaimedTask, profile: Profile, adapter: Adapter, model: Option.Option<string>) =>
  Effect.gen(function* () {
    const store = yield* Store
    const ids = yield* IdSource
    const memory = profile.contextPolicy.includeRecentTaskMemory
      ? yield* store.tasks.recentCompleted(claimed.task.kind, MEMORY)
      : []
    const answers = yield* store.questions.standing(claimed.task.taskId)
    return yield* assemble({
      task: claimed.task,
      round: claimed.round,
      profile,
      adapter: adapter.settings,
      model,
      memory,
      answers,
      lastFailure: yield* lastFailureOf(claimed, profile, adapter, answers),
      bundleId: BundleId.make(yield* ids.next),
      at: yield* now
    })
  })

/** From the inputs as they are now. */
const anew = (claimed: ClaimedTask) =>
  Effect.gen(function* () {
    const profile = yield* profileOf(claimed)
    const adapter = yield* adapterOf(claimed, profile)
    // Judged again where it is recorded who runs it; until then it costs no bundle.
    yield* roomBeside(claimed.task.taskId, adapter.settings.id)
    const ground = yield* occupied(claimed, adapter)
    yield* charge(claimed, { adapterId: adapter.settings.id, profileId: profile.profileId })
    const model = modelOf(adapter.settings, claimed.task.requestedModel)
    const compiled = yield* compile(claimed, profile, adapter, model)
    return { profile, adapter, ground, model, compiled } satisfies Chosen
  })

/** Steps 7 to 9 of the cycle: input check, profile, adapter, bundle. Ends as NotStarted where one fails. */
export const prepare = traced("Prepare.prepare")(function* (claimed: ClaimedTask) {
  const audits = yield* Audit
  const { attempt, round, task } = claimed
  const missing = yield* precheck(task)
  if (missing.length > 0)
    return yield* new NotStarted({
      reason: "input_missing",
      detail: behind("input_missing", missing),
      permanent: false
    })
  const chosen: Chosen = yield* Option.match(round.replayOf, {
    onNone: () => anew(claimed),
    onSome: (attemptId) => replayed(claimed, attemptId)
  })
  const { compiled } = chosen
  const roundStartedAt = Option.getOrElse(round.roundStartedAt, () => attempt.startedAt)
  const known = Option.getOrElse(round.known, () => compiled.known)
  const audit = yield* audits.open(task.taskId, attempt.attemptId)
  const context = yield* audit.begin({ "assembled-context.txt": compiled.promptText })
  yield* persist(compiled)
  yield* context
  return { ...chosen, claimed, audit, roundStartedAt, known } satisfies Prepared
})

/**
 * Records the bundle and what will run it, what was known when the round began, then the start; false when the
 * attempt was ended meanwhile. WaitsForAdapter where the adapter has no room for it beside the others.
 */
export const record = traced("Prepare.record")(function* (prepared: Prepared) {
  const store = yield* Store
  const { adapter, audit, claimed, compiled, known, model, profile, roundStartedAt } = prepared
  const { attemptId, taskId } = claimed.attempt
  const stamp = yield* stampNow
  const file = (name: string) => `${audit.relativePath}/${name}`
  const compiling = store.attempts.compiled(
    {
      bundleId: compiled.bundle.bundleId,
      taskId,
      attemptId,
      bundleHash: compiled.bundleHash,
      bundleVersion: compiled.bundle.bundleVersion,
      profileId: profile.profileId,
      adapterId: adapter.settings.id,
      adapterMode: adapter.settings.mode,
      model,
      replayGrade: compiled.replayGrade,
      relativePath: compiled.relativePath,
      promptRelativePath: compiled.promptRelativePath
    },
    {
      promptPath: file("assembled-context.txt"),
      stdoutPath: file("stdout.log"),
      stderrPath: file("stderr.log"),
      resultPath: file("result.json")
    },
    stamp,
    prepared.told
  )
  const detail = { adapterId: adapter.settings.id, profileId: profile.profileId }
  return yield* store.transact(
    "Prepare.record",
    Effect.gen(function* () {
      yield* roomBeside(taskId, adapter.settings.id)
      if (!(yield* compiling)) return false
      yield* store.tasks.beginRound(taskId, roundStartedAt, known)
      return yield* store.attempts.started(attemptId, detail, stamp)
    })
  )
})
