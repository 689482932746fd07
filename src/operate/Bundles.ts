import { Effect, Option, Schema } from "effect"
import { changesBetween, shortened } from "../context/BundleDiff.ts"
import { sha256 } from "../context/Canonical.ts"
import { lineDiff } from "../context/LineDiff.ts"
import { type BundleUnusable, isPromptIntact, recordedBundle } from "../context/RecordedBundle.ts"
import { abridged } from "../domain/Abridged.ts"
import { ReplayGrade } from "../domain/Attempt.ts"
import { Bundle, type BundleRecord } from "../domain/Bundle.ts"
import { type AttemptId, BundleId } from "../domain/Ids.ts"
import { traced } from "../domain/Traced.ts"
import { nullable, wireStruct } from "../domain/Wire.ts"
import { Store } from "../store/Store.ts"
import { namedAttempt, namedTask } from "./NamedId.ts"
import { operation } from "./Operation.ts"
import { reasonWord } from "./ReasonWord.ts"
import { Refusal } from "./Refusal.ts"

/** What the records say of a bundle, and what is on disk. Paths are relative to the artifact root. */
const Recorded = wireStruct({
  bundleHash: Schema.String,
  replayGrade: ReplayGrade,
  taskId: Schema.String,
  attemptId: Schema.String,
  bundlePath: Schema.String,
  promptPath: Schema.String,
  /** Whether the text beside the bundle, for people to read, still is its prompt. */
  promptIntact: Schema.Boolean
})

/** A bundle as it was recorded, by its own id, its attempt's or its task's (then that of the last attempt). */
export const show = operation({
  name: "bundles.show",
  role: "read",
  output: Schema.extend(Bundle, Recorded),
  run: traced("Bundles.show")(function* (input: { readonly id: string }) {
    const { bundle, record } = yield* proved(input.id)
    return {
      ...bundle,
      bundleHash: record.bundleHash,
      replayGrade: record.replayGrade,
      taskId: record.taskId,
      attemptId: record.attemptId,
      bundlePath: record.relativePath,
      promptPath: record.promptRelativePath,
      promptIntact: yield* isPromptIntact(record, bundle)
    }
  })
})

/** What two bundles are told apart by before their inputs are compared. */
const Side = wireStruct({
  bundleId: BundleId,
  taskId: Schema.String,
  attemptId: Schema.String,
  bundleHash: Schema.String,
  replayGrade: ReplayGrade,
  adapterId: Schema.String,
  model: nullable(Schema.String),
  promptSha256: Schema.String,
  promptCharacters: Schema.Int
})

const Difference = wireStruct({
  path: Schema.String,
  change: Schema.Literal("added", "removed", "changed"),
  before: Schema.Unknown,
  after: Schema.Unknown
})

const Hunk = wireStruct({
  beforeLine: Schema.Int,
  afterLine: Schema.Int,
  removed: Schema.Array(Schema.String),
  added: Schema.Array(Schema.String)
})

/** How many changed inputs are told; the rest is counted. */
const MOST_CHANGES = 200

/**
 * Which inputs changed from one bundle to another, each named as `show` takes it. A value above 200 characters
 * is its beginning, its length and its hash; the prompt is a list of the lines that differ. `leftOut` counts
 * what is not told.
 */
export const diff = operation({
  name: "bundles.diff",
  role: "read",
  output: wireStruct({
    same: Schema.Boolean,
    a: Side,
    b: Side,
    changes: Schema.Array(Difference),
    prompt: Schema.Array(Hunk),
    leftOut: wireStruct({ changes: Schema.Int, promptLines: Schema.Int })
  }),
  run: traced("Bundles.diff")(function* (input: { readonly a: string; readonly b: string }) {
    const a = yield* proved(input.a)
    const b = yield* proved(input.b)
    const changes = changesBetween(a.bundle, b.bundle)
    const told = changes.slice(0, MOST_CHANGES)
    const { hunks, leftOut } = lineDiff(a.bundle.prompt.renderedText, b.bundle.prompt.renderedText)
    return {
      same: a.record.bundleHash === b.record.bundleHash,
      a: yield* sideOf(a),
      b: yield* sideOf(b),
      changes: yield* Effect.forEach(told, ({ after, before, path }) =>
        Effect.all([shortened(before), shortened(after)]).pipe(
          Effect.map(([was, is]) => ({ path, change: kindOf(before, after), before: was, after: is }))
        )
      ),
      prompt: hunks,
      leftOut: { changes: changes.length - told.length, promptLines: leftOut }
    }
  })
})

const kindOf = (before: unknown, after: unknown): (typeof Difference.Type)["change"] =>
  before === undefined ? "added" : after === undefined ? "removed" : "changed"

/** A bundle's record and the bundle, proved to be the recorded one. */
export interface Proved {
  readonly record: BundleRecord
  readonly bundle: Bundle
}

const sideOf = ({ bundle, record }: Proved) =>
  Effect.map(sha256(bundle.prompt.renderedText), (promptSha256) => ({
    bundleId: record.bundleId,
    taskId: record.taskId,
    attemptId: record.attemptId,
    bundleHash: record.bundleHash,
    replayGrade: record.replayGrade,
    adapterId: record.adapterId,
    model: record.model,
    promptSha256,
    promptCharacters: bundle.prompt.renderedText.length
  }))

/** The bundle that a caller names by its id, its attempt's or its task's; refused unless it is genuine. */
export const proved = traced("Bundles.proved")(function* (named: string) {
  const record = yield* recordOf(named)
  const bundle = yield* recordedBundle(record).pipe(Effect.mapError(refusalOf))
  return { record, bundle } satisfies Proved
})

const REFUSALS: Readonly<Record<BundleUnusable["reason"], readonly [code: string, hint: string]>> = {
  missing: [
    "bundle_missing",
    "a backup of the artifact folder may hold it; task-show still tells its attempt"
  ],
  not_adopted: [
    "bundle_missing",
    "adopt takes over the database alone: the artifact folder of the original runtime may hold it; task-show still tells its attempt"
  ],
  changed: [
    "bundle_changed",
    "somebody wrote to it after it was recorded: put the genuine file back from a backup of the artifact folder"
  ],
  unreadable: ["bundle_unreadable", "check the disk and the owner and rights of the artifact folder"],
  unsupported: ["bundle_unsupported", "read it with the version that made it"]
}

const refusalOf = ({ detail, reason }: BundleUnusable): Refusal => {
  const [code, hint] = REFUSALS[reason]
  return new Refusal({ code, message: `the bundle ${detail}`, hint })
}

const readBundleId = Schema.decodeUnknownOption(BundleId)

const looked = <Id, A, E, R>(
  id: Option.Option<Id>,
  find: (id: Id) => Effect.Effect<Option.Option<A>, E, R>
): Effect.Effect<Option.Option<A>, E, R> =>
  Option.match(id, { onNone: () => Effect.succeedNone, onSome: find })

const recordOf = (named: string) =>
  Effect.gen(function* () {
    const store = yield* Store
    const direct = yield* looked(readBundleId(named), store.attempts.bundle)
    if (Option.isSome(direct)) return direct.value
    const attempt = yield* looked(yield* namedAttempt(named), store.attempts.find)
    if (Option.isSome(attempt)) return yield* recordOfAttempt(attempt.value)
    const task = yield* namedTask(named).pipe(
      Effect.catchTag("Refusal", (no) => (no.code === "task_not_found" ? notFound(named) : no))
    )
    const last = (yield* store.attempts.lastOfTasks([task])).get(task)
    return last === undefined
      ? yield* noBundle(`task ${named} has no bundle: it has no attempt yet`)
      : yield* recordOfAttempt(last)
  })

const recordOfAttempt = ({
  attemptId,
  bundleId,
  reason
}: {
  readonly attemptId: AttemptId
  readonly bundleId: Option.Option<BundleId>
  readonly reason: Option.Option<string>
}) =>
  Effect.gen(function* () {
    const store = yield* Store
    const record = yield* looked(bundleId, store.attempts.bundle)
    if (Option.isSome(record)) return record.value
    const why = Option.isNone(reason)
      ? "it has not come so far"
      : `it ended before one was made${reasonWord(reason)}`
    return yield* Option.isNone(bundleId)
      ? noBundle(`attempt ${attemptId} has no bundle: ${why}`)
      : noBundle(`attempt ${attemptId} names bundle ${bundleId.value}, of which there is no record`)
  })

const noBundle = (message: string): Refusal =>
  new Refusal({
    code: "no_bundle",
    message,
    hint: "agent-runtime task-show TASK_ID lists a task's attempts and their bundles"
  })

const notFound = (named: string): Refusal =>
  new Refusal({
    code: "bundle_not_found",
    message: `there is no bundle, attempt or task ${abridged(named)}`,
    hint: "agent-runtime task-show TASK_ID lists a task's attempts and their bundles"
  })
