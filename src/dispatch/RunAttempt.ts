import { Cause, Deferred, Effect, Option, Stream } from "effect"
import type { Execution, StopReason } from "../adapter/AdapterRegistry.ts"
import { ArtifactStore } from "../artifact/ArtifactStore.ts"
import type { AttemptId, TaskId } from "../domain/Ids.ts"
import { unknownUsage } from "../domain/Usage.ts"
import { synthetic, Verdict } from "../evidence/Verdict.ts"
import { Store } from "../store/Store.ts"
import type { ClaimedTask, Settled } from "../store/Tasks.ts"
import { finish, type Ran } from "./Finish.ts"
import { type Judged, judge } from "./Judge.ts"
import { NotStarted, verdictOf } from "./NotStarted.ts"
import { type Prepared, prepare, record } from "./Prepare.ts"

/** The end of one attempt. */
export interface Attempted {
  readonly taskId: TaskId
  readonly attemptId: AttemptId
  readonly verdict: Verdict
  readonly settled: Settled
}

/**
 * Takes one claimed task through its attempt to its end: prepare, record, execute, judge, finish. Whatever
 * goes wrong on the way, a defect of ours included, ends the attempt; only a store that cannot be written
 * leaves it open, for the next boot sweep. Completing `stop` ends the adapter early.
 */
export const runAttempt = (claimed: ClaimedTask, stop: Deferred.Deferred<StopReason>) =>
  attempted(claimed, stop).pipe(
    Effect.annotateLogs({ task_id: claimed.task.taskId, attempt_id: claimed.attempt.attemptId }),
    Effect.withSpan("RunAttempt.runAttempt")
  )

const attempted = (claimed: ClaimedTask, stop: Deferred.Deferred<StopReason>) =>
  Effect.gen(function* () {
    const ran = yield* pipeline(claimed, stop).pipe(
      Effect.catchTags({
        NotStarted: (failure) => Effect.succeed(notRun(claimed, verdictOf(failure))),
        AssembleFailed: ({ detail, reason }) =>
          Effect.succeed(notRun(claimed, verdictOf(new NotStarted({ reason, detail, permanent: false })))),
        AuditFailed: ({ path, reason }) =>
          Effect.succeed(notRun(claimed, unwritable(claimed, `${path}: ${reason}`)))
      }),
      Effect.catchAllDefect((defect) =>
        Effect.logError("The attempt met a fault of agent-runtime", Cause.die(defect)).pipe(
          Effect.as(notRun(claimed, internalFault(defect)))
        )
      )
    )
    const settled = yield* finish(ran)
    const { attemptId, taskId } = claimed.attempt
    return { taskId, attemptId, verdict: ran.verdict, settled } satisfies Attempted
  })

const pipeline = (claimed: ClaimedTask, stop: Deferred.Deferred<StopReason>) =>
  Effect.gen(function* () {
    const prepared = yield* prepare(claimed)
    if (!(yield* record(prepared))) return notRun(claimed, ended)
    const execution = yield* execute(prepared, stop)
    const judged = yield* judge(prepared, execution, yield* stopped(stop))
    return yield* ranTo(prepared, execution, judged)
  })

const stopped = (stop: Deferred.Deferred<StopReason>): Effect.Effect<Option.Option<StopReason>> =>
  Effect.flatMap(
    Deferred.poll(stop),
    Option.match({ onNone: () => Effect.succeedNone, onSome: Effect.asSome })
  )

/** Runs the adapter while a request to cancel, from whichever process, completes `stop`. */
const execute = (
  prepared: Prepared,
  stop: Deferred.Deferred<StopReason>
): Effect.Effect<Execution, never, Store | ArtifactStore> =>
  Effect.gen(function* () {
    const store = yield* Store
    const artifacts = yield* ArtifactStore
    const { adapter, audit, claimed, compiled, model } = prepared
    const { attemptId, taskId } = claimed.attempt
    yield* Effect.forkScoped(watchCancel(taskId, stop))
    return yield* adapter.execute({
      taskId,
      attemptId,
      prompt: compiled.promptText,
      payload: claimed.task.payload,
      args: argsOf(prepared),
      model,
      untrusted: claimed.task.untrusted,
      bundlePath: `${artifacts.root}/${compiled.relativePath}`,
      promptPath: `${audit.path}/assembled-context.txt`,
      audit,
      traceParent: claimed.round.traceParent,
      stop,
      started: (child) =>
        // Without the note a sweep still finds the child by its marks.
        store.attempts
          .childStarted(attemptId, child)
          .pipe(
            Effect.catchTag("StoreUnavailable", ({ reason }) =>
              Effect.logWarning(`The child was not noted: ${reason}`)
            )
          )
    })
  }).pipe(Effect.scoped)

/** `payload.args`, where they are texts and the task and its adapter let them through. */
const argsOf = ({ adapter, claimed }: Prepared): ReadonlyArray<string> => {
  const { args } = claimed.task.payload
  const { settings } = adapter
  if (settings.mode !== "script" || !Array.isArray(args)) return []
  if (claimed.task.untrusted && !settings.untrustedArgs) return []
  return args.filter((arg): arg is string => typeof arg === "string")
}

const watchCancel = (taskId: TaskId, stop: Deferred.Deferred<StopReason>) =>
  Effect.gen(function* () {
    const store = yield* Store
    yield* store.changes.pipe(
      Stream.mapEffect(() => store.tasks.cancelRequested(taskId)),
      Stream.filter(Option.isSome),
      Stream.take(1),
      Stream.runDrain
    )
    yield* Deferred.succeed(stop, "cancel")
  }).pipe(
    Effect.catchTag("StoreUnavailable", ({ reason }) =>
      Effect.logWarning(`Requests to cancel are not seen any more: ${reason}`)
    )
  )

/** An operator's own words stand in the reason of a canceled attempt. */
const inTheirWords = (taskId: TaskId, verdict: Verdict) =>
  Effect.gen(function* () {
    if (verdict._tag !== "Canceled") return verdict
    const store = yield* Store
    const request = yield* store.tasks.cancelRequested(taskId)
    return Option.match(request, {
      onNone: () => verdict,
      onSome: ({ actor, reason }) => {
        const why = Option.match(reason, { onNone: () => "", onSome: (text) => `: ${text}` })
        return Verdict.Canceled({ reason: "cancel", detail: `canceled by ${actor.name}${why}` })
      }
    })
  })

const ranTo = (prepared: Prepared, execution: Execution, { issues, verdict }: Judged) =>
  Effect.map(
    inTheirWords(prepared.claimed.task.taskId, verdict),
    (told): Ran => ({
      claimed: prepared.claimed,
      verdict: told,
      end: {
        exitStatus: Option.some(execution.exitStatus),
        retryClass: Option.some(execution.retryClass),
        issues,
        usage: execution.usage,
        resultPath: Option.none()
      },
      profile: Option.some(prepared.profile),
      adapter: Option.some(prepared.adapter.settings)
    })
  )

const notRun = (claimed: ClaimedTask, verdict: Verdict): Ran => ({
  claimed,
  verdict,
  end: {
    exitStatus: Option.none(),
    retryClass: Option.none(),
    issues: [],
    usage: unknownUsage,
    resultPath: Option.none()
  },
  profile: Option.none(),
  adapter: Option.none()
})

// Somebody else ended the attempt: `finish` will find that and tell it as a late result.
const ended = Verdict.PutBack({
  reason: "interrupted",
  detail: "the attempt was ended while it was prepared"
})

const unwritable = ({ task }: ClaimedTask, detail: string): Verdict => {
  const what = `the evidence could not be written: ${detail}; check the disk's space and rights`
  return task.attemptCount >= task.maxAttempts
    ? verdictOf(new NotStarted({ reason: "evidence_unwritable", detail: what, permanent: false }))
    : Verdict.Retry({
        reason: "evidence_unwritable",
        detail: what,
        outcome: synthetic("retryable_failure", what)
      })
}

const internalFault = (defect: unknown): Verdict =>
  verdictOf(
    new NotStarted({
      reason: "internal_fault",
      detail: `agent-runtime met a fault of its own: ${defect instanceof Error ? defect.message : String(defect)}`,
      permanent: false
    })
  )
