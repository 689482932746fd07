import { Effect, Option, Schema, Stream } from "effect"
import type { Audit } from "../artifact/AuditFolder.ts"
import type { KnownSecrets } from "../artifact/KnownSecrets.ts"
import type { Attempt } from "../domain/Attempt.ts"
import { counted } from "../domain/Figure.ts"
import { Step } from "../domain/Step.ts"
import { onFirstUse } from "../domain/Wire.ts"
import type { Store } from "../store/Store.ts"
import type { StoreUnavailable } from "../store/StoreError.ts"
import { attemptOf, logBytes, missing } from "./AttemptLog.ts"
import { StepList } from "./answers/Attempts.ts"
import { operation } from "./Operation.ts"
import type { Refusal } from "./Refusal.ts"
import { makeStepFold, type StepFold } from "./StepFold.ts"

const FILE = "steps.jsonl"

/** A longer line is no mark of ours. */
const MOST_LINE_BYTES = 64 * 1024

const NEWLINE = 0x0a

/** The lines of a file that comes in pieces, the last one also without its end; none for one that is too long. */
const linesOf = <E, R>(
  pieces: Stream.Stream<Uint8Array, E, R>
): Stream.Stream<Option.Option<string>, E, R> => {
  const line = (bytes: Uint8Array): Option.Option<string> =>
    bytes.length > MOST_LINE_BYTES ? Option.none() : Option.some(new TextDecoder().decode(bytes))
  return pieces.pipe(
    Stream.map(Option.some),
    Stream.concat(Stream.succeed(Option.none<Uint8Array>())),
    // Of a line that is too long no more is held than shows it.
    Stream.mapAccum(new Uint8Array(0), (held, piece) => {
      if (Option.isNone(piece)) return [held, held.length === 0 ? [] : [line(held)]]
      const lines: Array<Option.Option<string>> = []
      let rest = held
      let from = 0
      for (let at = piece.value.indexOf(NEWLINE); at >= 0; at = piece.value.indexOf(NEWLINE, from)) {
        lines.push(line(Buffer.concat([rest, piece.value.subarray(from, at)])))
        rest = new Uint8Array(0)
        from = at + 1
      }
      return [Buffer.concat([rest, piece.value.subarray(from)]).subarray(0, MOST_LINE_BYTES + 1), lines]
    }),
    Stream.flattenIterables
  )
}

/** What beside the steps themselves is to be told: why there are none, what was passed over. A line each. */
const remarksOf = (attempt: Attempt, fold: StepFold) =>
  Effect.map(missing(attempt, FILE), (why) => [
    ...Option.toArray(why),
    ...(fold.passedOver() === 0
      ? []
      : [`lines of ${FILE} that are no marks of steps and were passed over: ${counted(fold.passedOver())}`]),
    ...(fold.leftOut() === 0
      ? []
      : [`older steps that were left out: ${counted(fold.leftOut())}; --follow tells all of them`])
  ])

/** The newest steps of an attempt's agent, in the order in which they began, and what else is to be told. */
export const stepsOf = (
  attempt: Attempt
): Effect.Effect<
  { readonly steps: ReadonlyArray<Step>; readonly remarks: ReadonlyArray<string> },
  Refusal | StoreUnavailable,
  Store | Audit | KnownSecrets
> =>
  Effect.gen(function* () {
    const fold = makeStepFold({ keep: true })
    yield* Stream.runForEach(linesOf(logBytes(attempt, FILE, { from: 0, follow: false })), (line) =>
      Effect.sync(() => fold.line(line))
    )
    return { steps: fold.held(), remarks: yield* remarksOf(attempt, fold) }
  }).pipe(Effect.withSpan("AttemptSteps.stepsOf"))

/** The steps that the agent of an attempt took; none where its driver tells none. */
export const steps = operation({
  name: "attempts.steps",
  role: "read",
  output: StepList,
  run: (input: { readonly id: string }) =>
    Effect.map(Effect.flatMap(attemptOf(input.id), stepsOf), (found) => ({ steps: found.steps }))
})

const encode = onFirstUse(() => Schema.encode(Step))

/**
 * The steps of an attempt in wire form, each when it has ended, until the attempt has; those without an end
 * come last. `remarks` is to be asked when the stream has ended.
 */
export const followedSteps = (attempt: Attempt) => {
  const fold = makeStepFold({ keep: false })
  const ended = linesOf(logBytes(attempt, FILE, { from: 0, follow: true })).pipe(
    Stream.mapConcat((line) => fold.line(line))
  )
  return {
    steps: Stream.concat(
      ended,
      Stream.suspend(() => Stream.fromIterable(fold.held()))
    ).pipe(Stream.mapEffect((step) => Effect.orDie(encode()(step)))),
    remarks: Effect.suspend(() => remarksOf(attempt, fold))
  }
}
