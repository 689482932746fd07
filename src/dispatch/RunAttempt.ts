import { Cause, Deferred, Effect, Option, type Scope } from "effect"
import type { Execution, StopReason } from "../adapter/AdapterRegistry.ts"
import { ArtifactStore } from "../artifact/ArtifactStore.ts"
import type { AuditFile } from "../artifact/AuditFolder.ts"
import { heedingRoom } from "../artifact/HeedingRoom.ts"
import { isNoRoom, saying } from "../domain/HostRoom.ts"
import type { TaskId } from "../domain/Ids.ts"
import { isTexts } from "../domain/Json.ts"
import { noSecrets } from "../domain/Redactor.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { soundUsage, unknownUsage } from "../domain/Usage.ts"
import { bareResult } from "../evidence/Result.ts"
import { Verdict } from "../evidence/Verdict.ts"
import { Store } from "../store/Store.ts"
import type { ClaimedTask } from "../store/Tasks.ts"
import { notAsked } from "./Asking.ts"
import type { Ran } from "./Finish.ts"
import { type Judged, judge } from "./Judge.ts"
import { absentOf, leaveEvidence } from "./LeaveEvidence.ts"
import { leaveSite } from "./LeaveWorktree.ts"
import {
  NotStarted,
  verdictOf,
  type WaitsForBudget,
  type WaitsForFallback,
  waitForAdapter,
  waitForRoom,
  waitForWorkspace,
  waitOf
} from "./NotStarted.ts"
import { sessionOf, withOwnCost } from "./OwnCost.ts"
import { type Prepared, prepare, record } from "./Prepare.ts"
import { holdingOn, type Recording, recorded } from "./Recording.ts"
import { type Site, siteOf } from "./Site.ts"
import { unlessStopped } from "./UnlessStopped.ts"
import { lookingUntil } from "./Wakes.ts"

/**
 * Takes one claimed task through its attempt to its end: prepare, record, execute, judge, finish. Whatever
 * goes wrong on the way, a defect of ours included, ends the attempt; only a store that cannot be written
 * leaves it open, for the next boot sweep. Completing `stop` ends the adapter early. What the attempt came to is
 * recorded by `recording`; as a single cycle does where none is given.
 */
export const runAttempt = traced("RunAttempt.runAttempt")(
  (
    claimed: ClaimedTask,
    stop: Deferred.Deferred<StopReason>,
    recording: Recording = holdingOn(Deferred.isDone(stop))
  ) => attempted(claimed, stop, recording).pipe(Effect.annotateLogs(namesOf(claimed)))
)

/** What a log says an attempt by. */
export const namesOf = ({ attempt, task }: ClaimedTask) => ({
  task_id: task.taskId,
  attempt_id: attempt.attemptId
})

const attempted = (claimed: ClaimedTask, stop: Deferred.Deferred<StopReason>, recording: Recording) =>
  pipeline(claimed, stop).pipe(
    Effect.catchTags({
      NotStarted: (failure) => Effect.succeed(notRun(claimed, verdictOf(failure))),
      WaitsForFallback: (waits) => putOff(claimed, waits),
      WaitsForBudget: (waits) => putOff(claimed, waits),
      WaitsForAdapter: (waits) => Effect.succeed(notRun(claimed, waitForAdapter(claimed, waits))),
      WaitsForWorkspace: (waits) => Effect.succeed(notRun(claimed, waitForWorkspace(claimed, waits))),
      NoRoom: (lack) => Effect.succeed(notRun(claimed, waitForRoom(claimed, saying(lack)))),
      AssembleFailed: ({ detail, reason }) =>
        Effect.succeed(notRun(claimed, verdictOf(new NotStarted({ reason, detail, permanent: false })))),
      AuditFailed: ({ path, reason }) =>
        Effect.succeed(
          notRun(
            claimed,
            isNoRoom(reason)
              ? waitForRoom(
                  claimed,
                  saying({ what: `${path} below the artifact root cannot be written`, code: reason })
                )
              : unwritable(`${path} below the artifact root: ${reason}`)
          )
        )
    }),
    Effect.catchAllDefect((defect) => faulty(claimed, defect)),
    Effect.flatMap((ran) =>
      Effect.catchAllDefect(recorded(ran, recording), (defect) =>
        Effect.flatMap(faulty(claimed, defect), (fault) => recorded(fault, recording))
      )
    )
  )

const putOff = (claimed: ClaimedTask, waits: WaitsForFallback | WaitsForBudget) =>
  Effect.map(now, (at) => notRun(claimed, waitOf(claimed, waits, at)))

const pipeline = (claimed: ClaimedTask, stop: Deferred.Deferred<StopReason>) =>
  Effect.gen(function* () {
    const prepared = yield* heedingRoom(prepare(claimed))
    const site = yield* siteOf(prepared)
    const run = Effect.gen(function* () {
      if (!(yield* record(prepared))) return { ran: notRun(claimed, ended), redactor: noSecrets }
      const execution = yield* execute(prepared, site, stop)
      const judged = yield* unlessStopped(
        judge(prepared, site, execution, yield* stopped(stop)),
        stop,
        (reason) => judge(prepared, site, cutOff(execution), Option.some(reason))
      )
      const issues = [...judged.issues, ...(yield* notAsked(claimed, judged.verdict))]
      // What went well has left all of it, else nothing would have been believed.
      const absent = judged.exit.exitStatus === "ok" ? [] : yield* absentOf(claimed.attempt)
      return { ran: ranTo(prepared, execution, { ...judged, issues }, absent), redactor: execution.redactor }
    })
    if (Option.isNone(site.worktree)) return (yield* run).ran
    return yield* run.pipe(
      Effect.tapErrorCause(() => Effect.ignoreLogged(leaveSite(prepared, site, stop, undecided(claimed)))),
      Effect.flatMap((done) => leaveSite(prepared, site, stop, done))
    )
  }).pipe(Effect.scoped)

/** What is left of an attempt that met a fault: its worktree, judged by what is in it. */
const undecided = (claimed: ClaimedTask) => ({ ran: notRun(claimed, ended), redactor: noSecrets })

/** It ran, and was told to end before anybody had seen what it came to. */
const cutOff = (execution: Execution): Execution => ({
  ...execution,
  exitStatus: "canceled",
  reason: Option.some("it was told to end while what it came to was looked at")
})

const stopped = (stop: Deferred.Deferred<StopReason>): Effect.Effect<Option.Option<StopReason>> =>
  Effect.flatMap(
    Deferred.poll(stop),
    Option.match({ onNone: () => Effect.succeedNone, onSome: Effect.asSome })
  )

/** Runs the adapter; until the scope's end a request to cancel, from whichever process, completes `stop`. */
const execute = (
  prepared: Prepared,
  site: Site,
  stop: Deferred.Deferred<StopReason>
): Effect.Effect<Execution, never, Store | ArtifactStore | Scope.Scope> =>
  Effect.gen(function* () {
    const store = yield* Store
    const artifacts = yield* ArtifactStore
    const { adapter, audit, claimed, compiled, model } = prepared
    const { attemptId, taskId } = claimed.attempt
    yield* Effect.forkScoped(watchCancel(taskId, stop))
    const execution = yield* adapter.execute({
      taskId,
      attemptId,
      prompt: compiled.promptText,
      payload: claimed.task.payload,
      args: argsOf(prepared).args,
      model,
      untrusted: claimed.task.untrusted,
      withheld: withheldBy(prepared.profile),
      freeFormResult: allowsFreeForm(prepared.profile),
      ...Option.match(site.cwd, { onNone: () => ({}), onSome: (cwd) => ({ cwd }) }),
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
    return yield* withOwnCost(execution)
  })

const withheldBy = ({ integrationPolicies }: Prepared["profile"]): ReadonlyArray<string> =>
  Object.keys(integrationPolicies).filter((name) => integrationPolicies[name] === "none")

const allowsFreeForm = ({ resultSchema }: Prepared["profile"]): boolean =>
  resultSchema.allowFollowUpTasks || resultSchema.allowExternalMessages

/** `payload.args`, as far as they are texts and the task and its adapter let them through; the rest is told. */
const argsOf = ({ adapter, claimed }: Prepared) => {
  const { args } = claimed.task.payload
  const { settings } = adapter
  const none: ReadonlyArray<string> = []
  const leftOut = (why: string) => ({
    args: none,
    remarks: [`args_left_out: payload.args are not passed on: ${why}`]
  })
  if (settings.mode !== "script" || args === undefined || args === null) return { args: none, remarks: none }
  if (!isTexts(args)) return leftOut("they are not a list of texts")
  if (args.some((one) => one.includes("\0")))
    return leftOut("one of them holds a NUL character, which no argument can")
  if (claimed.task.untrusted && !settings.untrustedArgs && args.length > 0)
    return leftOut("the task is untrusted and the adapter does not say untrustedArgs: true")
  return { args, remarks: none }
}

const watchCancel = (taskId: TaskId, stop: Deferred.Deferred<StopReason>) =>
  Effect.gen(function* () {
    const store = yield* Store
    // A store that cannot be read now is asked again after its next change.
    const isRequested = Effect.map(store.tasks.cancelRequested(taskId), Option.isSome).pipe(
      Effect.catchTag("StoreUnavailable", ({ reason }) =>
        Effect.as(Effect.logWarning(`A request to cancel would not be seen now: ${reason}`), false)
      )
    )
    yield* lookingUntil(isRequested)
    yield* Deferred.succeed(stop, "cancel")
  })

/** What is tried again was retryable, whatever the exit alone looked like. */
const isTriedAgain = (verdict: Verdict): boolean => verdict._tag === "Retry" || verdict._tag === "Snooze"

const ranTo = (
  prepared: Prepared,
  execution: Execution,
  { detail, exit, issues, verdict }: Judged,
  absent: ReadonlyArray<AuditFile>
): Ran => {
  const { odd, usage } = soundUsage(execution.usage)
  return {
    claimed: prepared.claimed,
    verdict,
    end: {
      exitStatus: Option.some(exit.exitStatus),
      retryClass: Option.some(isTriedAgain(verdict) ? "retryable" : exit.retryClass),
      issues: [...issues, ...odd, ...argsOf(prepared).remarks],
      usage,
      ...sessionOf(execution),
      absent,
      detail
    },
    profile: Option.some(prepared.profile),
    adapter: Option.some(prepared.adapter.settings)
  }
}

const notRun = (claimed: ClaimedTask, verdict: Verdict): Ran => ({
  claimed,
  verdict,
  end: {
    exitStatus: Option.none(),
    retryClass: Option.none(),
    issues: [],
    usage: unknownUsage
  },
  profile: Option.none(),
  adapter: Option.none()
})

// Somebody else ended the attempt: `finish` will find that and tell it as a late result.
const ended = Verdict.PutBack({
  reason: "interrupted",
  detail: "the attempt was ended while it was prepared"
})

const unwritable = (what: string): Verdict =>
  verdictOf(
    new NotStarted({
      reason: "evidence_unwritable",
      detail: `the evidence could not be written: ${what}; check the disk's space and rights, then retry the task`,
      permanent: false
    })
  )

const faulty = (claimed: ClaimedTask, defect: unknown) =>
  Effect.gen(function* () {
    yield* Effect.logError("The attempt met a fault of agent-runtime", Cause.die(defect))
    const what = defect instanceof Error ? defect.message : String(defect)
    const failure = new NotStarted({
      reason: "internal_fault",
      detail: `agent-runtime met a fault of its own: ${what}`,
      permanent: false
    })
    const ran = notRun(claimed, verdictOf(failure))
    const { absent } = yield* leaveEvidence(claimed.attempt, bareResult(ran.verdict, ran.end))
    return { ...ran, end: { ...ran.end, absent } } satisfies Ran
  })
