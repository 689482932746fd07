import { Effect, Either, Option } from "effect"
import type { Execution, StopReason } from "../adapter/AdapterRegistry.ts"
import { heedingRoom } from "../artifact/HeedingRoom.ts"
import { type NoRoom, saying } from "../domain/HostRoom.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { Outcome } from "../domain/Outcome.ts"
import { redactJson } from "../domain/Redactor.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { type WithArtifacts, type WrittenArtifact, withArtifacts } from "../evidence/Artifacts.ts"
import { maskedExecution, maskedFault, maskedOutcome } from "../evidence/Masked.ts"
import { noEvidence } from "../evidence/NoEvidence.ts"
import { Normalised, normalise } from "../evidence/Normalize.ts"
import { type Asking, asking } from "../evidence/Question.ts"
import { resultText } from "../evidence/Result.ts"
import { retryHint } from "../evidence/RetryHint.ts"
import { believed, decide, type Verdict } from "../evidence/Verdict.ts"
import { verify } from "../evidence/Verify.ts"
import type { Prepared } from "./Prepare.ts"
import { claimGround, type Site } from "./Site.ts"

/** The verdict on an attempt that ran, and what was found on the way to it. */
export interface Judged {
  readonly verdict: Verdict
  /** As the adapter told it, but where nothing of it could be kept. */
  readonly exit: Pick<Execution, "exitStatus" | "retryClass">
  /** Issues of the verification, then what the adapter and the decoder remarked. */
  readonly issues: ReadonlyArray<string>
  /** What else the event of the attempt's end tells. */
  readonly detail: JsonObject
}

const nothingWritten = (outcome: Outcome): WithArtifacts => ({ outcome, written: Option.none(), issues: [] })

/** It ran, and what came of it could not be looked at for want of room: that proves nothing, and is no fault of its. */
const unproved =
  (execution: Execution) =>
  (lack: NoRoom): Execution => ({
    ...execution,
    exitStatus: "error",
    retryClass: "retryable",
    reason: Option.some(saying(lack))
  })

/** Writes what the answer stands for and checks what it claims; only for an outcome that says completed. */
const proved = (prepared: Prepared, site: Site, execution: Execution, outcome: Outcome) =>
  Effect.gen(function* () {
    if (outcome.status !== "completed") return { ...nothingWritten(outcome), found: [] }
    const { redactor } = execution
    const { adapter, claimed, compiled, known, profile, roundStartedAt } = prepared
    const round = { roundStartedAt, known }
    const answer = yield* withArtifacts({
      task: claimed.task,
      attemptId: claimed.attempt.attemptId,
      adapterId: adapter.settings.id,
      mode: adapter.settings.mode,
      // Masked but for the paths, which must be those of the files.
      outcome: {
        ...maskedOutcome(outcome, redactor),
        artifactPaths: outcome.artifactPaths,
        fileChanges: outcome.fileChanges
      },
      rawOutput: redactor.text(execution.lastMessage),
      writtenAt: yield* now,
      round,
      redact: redactor.text
    })
    const found = yield* verify({
      task: claimed.task,
      outcome: answer.outcome,
      mode: adapter.settings.mode,
      profile,
      promptText: compiled.promptText,
      round,
      ...(yield* claimGround(site)),
      secrets: redactor,
      redact: redactor.text
    })
    return { ...answer, found: [...answer.issues, ...found] }
  })

/**
 * Step 11 of the cycle: normalise, write artifacts, verify, decide. The answer is decoded and verified as it
 * came; all that is answered here and written on the way is masked.
 */
export const judge = traced("Judge.judge")(
  (prepared: Prepared, site: Site, execution: Execution, stop: Option.Option<StopReason>) =>
    judged(prepared, site, maskedExecution(execution), stop).pipe(
      Effect.catchAllDefect((fault) => Effect.die(maskedFault(fault, execution.redactor)))
    )
)

/** Judges and keeps what it came to; what leaves no evidence is judged by that. */
const judged = Effect.fnUntraced(function* (
  prepared: Prepared,
  site: Site,
  execution: Execution,
  stop: Option.Option<StopReason>
) {
  const { evidence, ...first } = yield* decided(prepared, site, execution, stop)
  const kept = yield* Effect.either(prepared.audit.putAll(evidence))
  if (Either.isRight(kept)) return first
  const unkept = { ...execution, ...noEvidence(kept.left) }
  const { evidence: instead, ...second } = yield* decided(prepared, site, unkept, stop)
  yield* prepared.audit.putAll(instead).pipe(
    // The verdict stands without its copy in the folder.
    Effect.catchTag("AuditFailed", ({ reason }) =>
      Effect.logWarning(`result.json was not written: ${reason}`)
    )
  )
  return second
})

/** The verdict, and what is to be kept of it in the attempt's folder. */
const decided = Effect.fnUntraced(function* (
  prepared: Prepared,
  site: Site,
  execution: Execution,
  stop: Option.Option<StopReason>
) {
  const { adapter, claimed, compiled } = prepared
  const { redactor } = execution
  const { task, round } = claimed
  const normalised = normalise(adapter.settings.mode, task, execution, compiled.promptText)
  const outcome = believed({ execution, normalised })
  const looked = yield* Option.match(outcome, {
    onNone: () => Effect.succeedNone,
    onSome: (one) => Effect.asSome(proved(prepared, site, execution, one))
  }).pipe(heedingRoom, Effect.either)
  const proof = Either.getOrElse(looked, Option.none)
  const asked = Option.map(proof, (one): Asking => asking(maskedOutcome(one.outcome, redactor)))
  const issues = Option.match(proof, { onNone: () => [], onSome: ({ found }) => found.map(redactor.text) })
  const verdict = decide({
    attemptCount: task.attemptCount,
    maxAttempts: task.maxAttempts,
    notCounted: round.notCounted,
    execution: Either.match(looked, { onLeft: unproved(execution), onRight: () => execution }),
    normalised: Option.match(asked, {
      onNone: () => normalised,
      onSome: (one) => Normalised.Decoded({ outcome: one.outcome, diagnostics: [] })
    }),
    issues,
    hint: retryHint(outcome, execution, adapter.settings.retryHintService),
    stop
  })
  const written = Option.flatMap(proof, (one) => one.written)
  const remarks = [
    ...(normalised._tag === "Decoded" ? normalised.diagnostics : []),
    ...Option.match(asked, { onNone: () => [], onSome: (one) => one.remarks })
  ]
  const all = [...issues, ...execution.diagnostics, ...remarks]
  const evidence = {
    "last-message.txt": redactor.text(execution.lastMessage),
    "result.json": resultText({
      verdict: verdict._tag,
      reason: verdict.reason,
      detail: verdict.detail,
      exitStatus: Option.some(execution.exitStatus),
      retryClass: Option.some(execution.retryClass),
      issues: all,
      facts: redactJson(execution.facts, redactor),
      ...(Option.isSome(written) ? { artifact: written.value.path } : {}),
      ...("outcome" in verdict ? { outcome: verdict.outcome } : {})
    })
  }
  return {
    evidence,
    verdict,
    exit: { exitStatus: execution.exitStatus, retryClass: execution.retryClass },
    issues: all,
    detail: redactJson(
      {
        ...execution.facts,
        ...Option.match(written, { onNone: () => ({}), onSome: (artifact) => ({ artifact: told(artifact) }) })
      },
      redactor
    )
  } satisfies Judged & { readonly evidence: Record<string, string> }
})

const told = ({ kept, path, writtenBy }: WrittenArtifact): JsonObject => ({
  path,
  written_by: writtenBy,
  kept: Option.getOrNull(kept)
})
