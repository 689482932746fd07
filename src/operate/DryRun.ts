import { Effect, Either, Option, Schema } from "effect"
import { AdapterRegistry } from "../adapter/AdapterRegistry.ts"
import { chainOf, type Selected, select } from "../adapter/Select.ts"
import { ArtifactStore } from "../artifact/ArtifactStore.ts"
import { intended } from "../config/Intended.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { freeze } from "../context/Assemble.ts"
import { handOver } from "../context/HandOver.ts"
import { modelOf } from "../context/Model.ts"
import { chargesOf, dayOfBudgets, placeOf } from "../dispatch/Charges.ts"
import { coolingNow } from "../dispatch/Conditions.ts"
import { adapterUnknown } from "../dispatch/NotStarted.ts"
import { MEMORY, profileOf } from "../dispatch/Prepare.ts"
import { BundleId, IdSource, TaskId } from "../domain/Ids.ts"
import type { Profile } from "../domain/Profile.ts"
import { type Round, recordOf, type Task } from "../domain/Task.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { nullable, wireStruct } from "../domain/Wire.ts"
import { precheck } from "../evidence/Precheck.ts"
import { readIntent, toTask } from "../intake/Enqueue.ts"
import { Store } from "../store/Store.ts"
import { Waiting } from "./answers/Waiting.ts"
import { operation } from "./Operation.ts"
import { waiting } from "./Waiting.ts"

/** What an intent would come to, were it queued now. */
export const Rehearsal = wireStruct({
  valid: Schema.Literal(true),
  profile: Schema.String,
  /** The one that would run; null where its attempt would end without one. */
  adapter: nullable(Schema.String),
  /** Why it is that one. */
  because: Schema.String,
  /** What may run in its place, in order, with what each one's probe says. */
  fallbacks: Schema.Array(wireStruct({ adapter: Schema.String, ok: Schema.Boolean, reason: Schema.String })),
  model: nullable(Schema.String),
  waiting: nullable(Waiting),
  prompt: nullable(Schema.String),
  /** The budgets that it counts against. */
  budget: Schema.Array(
    wireStruct({
      id: Schema.String,
      /** The adapter, profile or workflow template that is counted; null where all are counted together. */
      subject: nullable(Schema.String),
      window: Schema.Literal("day", "task"),
      unit: Schema.Literal("usd", "tokens", "attempts"),
      limit: Schema.Number,
      spent: Schema.Number,
      reserved: Schema.Number,
      granted: Schema.Number,
      /** What its attempt would set aside. */
      reserve: Schema.Number
    })
  ),
  /** The unfinished task that holds its dedupe key: then none would be made. */
  heldBy: nullable(TaskId),
  /** Why an attempt would end before its adapter starts. */
  problems: Schema.Array(Schema.String)
})
export type Rehearsal = typeof Rehearsal.Type

const firstRound: Round = {
  round: 1,
  roundStartedAt: Option.none(),
  notCounted: 0,
  known: Option.none(),
  note: Option.none(),
  replayOf: Option.none(),
  workflowState: Option.none(),
  generation: 0,
  rootTaskId: Option.none(),
  traceParent: Option.none()
}

/** In what the adapter that is meant is named. */
const becauseOf = (id: string, task: Task, profile: Option.Option<Profile>): string => {
  if (Option.isSome(task.requestedAdapter)) return "the task requests it"
  return Option.exists(profile, ({ defaultAdapter }) => defaultAdapter === id)
    ? `it is the default_adapter of profile ${Option.getOrThrow(profile).profileId}`
    : "it is the defaultAdapter of the configuration"
}

const inPlaceOf = ({ adapter, passedOver }: Selected, why: string): string =>
  passedOver.length === 0
    ? why
    : `${passedOver.map(({ id, reason }) => `${id} is passed over (${reason})`).join(", ")}; ${adapter.settings.id} is the next of its fallbacks`

/** The fallbacks of an adapter, each asked what its probe says. */
const fallbacksOf = (id: string) =>
  Effect.gen(function* () {
    const registry = yield* AdapterRegistry
    const chain = chainOf(id, (one) =>
      Option.flatMap(registry.get(one), ({ settings }) => settings.fallbackAdapter)
    )
    return yield* Effect.forEach(chain.slice(1), (one) =>
      Option.match(registry.get(one), {
        onNone: () => Effect.succeed({ adapter: one, ok: false, reason: "it is not configured" }),
        onSome: ({ probe }) => Effect.map(probe, ({ ok, reason }) => ({ adapter: one, ok, reason }))
      })
    )
  })

/** The prompt that its adapter would get; Left says why there would be none. */
const promptOf = (task: Task, profile: Profile, selected: Selected) =>
  Effect.gen(function* () {
    const store = yield* Store
    const settings = yield* RuntimeConfig
    const { root } = yield* ArtifactStore
    const adapter = selected.adapter.settings
    const memory = profile.contextPolicy.includeRecentTaskMemory
      ? yield* store.tasks.recentCompleted(task.kind, MEMORY)
      : []
    const frozen = yield* freeze({
      task,
      round: firstRound,
      profile,
      adapter,
      model: modelOf(adapter, task.requestedModel),
      memory,
      lastFailure: Option.none(),
      answers: [],
      bundleId: BundleId.make(yield* (yield* IdSource).next),
      at: yield* now
    })
    const skillDirs = settings.skillDirs.map(({ path }) => path)
    return Either.right(handOver(frozen.bundle.prompt.renderedText, root, skillDirs))
  }).pipe(Effect.catchTag("AssembleFailed", ({ detail }) => Effect.succeed(Either.left(detail))))

const UNUSED = { spent: 0, reserved: 0, granted: 0 }

/** What its attempt would set aside of each budget, and how the account stands now. */
const budgetsFor = (task: Task, adapterId: string, profileId: string) =>
  Effect.gen(function* () {
    const settings = yield* RuntimeConfig
    const charged = { adapterId, profileId, workflowTemplate: Option.none<string>() }
    const at = yield* now
    const of = { taskId: Option.some(task.taskId), createdAt: task.createdAt }
    const charges = yield* chargesOf(settings, charged, of, at)
    const { accounts } = yield* dayOfBudgets(at, settings.budgets, [charged])
    return charges.map(({ amount, budgetId, limit, subject, taskId, unit }) => {
      const account = Option.isSome(taskId) ? undefined : accounts.get(placeOf(budgetId, subject))
      const { granted, reserved, spent } = account ?? UNUSED
      return {
        id: budgetId,
        subject: subject === "" ? Option.none<string>() : Option.some(subject),
        window: Option.isSome(taskId) ? ("task" as const) : ("day" as const),
        unit,
        limit,
        spent,
        reserved,
        granted,
        reserve: amount
      }
    })
  })

/**
 * What would become of an intent, were it queued now: who would run it and why, what it would wait for, the prompt
 * that it would get. Nothing is queued, nothing is written.
 */
export const rehearse = operation({
  name: "tasks.rehearse",
  role: "read",
  output: Rehearsal,
  run: traced("DryRun.rehearse")(function* (input: unknown, actor) {
    const store = yield* Store
    const settings = yield* RuntimeConfig
    const intent = yield* readIntent(input)
    const task = recordOf(yield* toTask(intent, { actor, untrusted: false }), yield* now)
    const profile = yield* Effect.either(profileOf({ task }))
    const known = Either.getRight(profile)
    const id = intended(task.requestedAdapter, known, settings)
    const selected = yield* select(id, () => true, yield* coolingNow)
    const prompt = yield* Option.match(Option.all({ selected, known }), {
      onNone: () => Effect.succeedNone,
      onSome: (both) => Effect.asSome(promptOf(task, both.known, both.selected))
    })
    const problems = [
      ...(yield* precheck(task)),
      ...Option.toArray(Option.map(Either.getLeft(profile), ({ detail }) => detail)),
      ...(Option.isNone(selected) ? [adapterUnknown(id, settings).detail] : []),
      ...Option.toArray(Option.flatMap(prompt, Either.getLeft))
    ]
    const adapterId = Option.map(selected, ({ adapter }) => adapter.settings.id)
    const why = becauseOf(id, task, known)
    return {
      valid: true as const,
      profile: Option.match(known, {
        onNone: () => Option.getOrElse(task.requestedProfile, () => settings.defaultProfile),
        onSome: ({ profileId }) => profileId
      }),
      adapter: adapterId,
      because: Option.match(selected, { onNone: () => why, onSome: (one) => inPlaceOf(one, why) }),
      fallbacks: yield* fallbacksOf(id),
      model: Option.flatMap(selected, ({ adapter }) => modelOf(adapter.settings, task.requestedModel)),
      waiting: yield* waiting(task),
      prompt: Option.flatMap(prompt, Either.getRight),
      budget: yield* budgetsFor(
        task,
        Option.getOrElse(adapterId, () => id),
        Option.match(known, { onNone: () => "", onSome: ({ profileId }) => profileId })
      ),
      heldBy: intent.dedupeKey === undefined ? Option.none() : yield* store.tasks.holderOf(intent.dedupeKey),
      problems
    } satisfies Rehearsal
  })
})
