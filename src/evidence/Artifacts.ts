import { DateTime, Effect, Option } from "effect"
import { ArtifactStore } from "../artifact/ArtifactStore.ts"
import { type DeclaredArtifact, declared, isEvidencePath } from "../artifact/Declared.ts"
import { below, join, namesFolder, normalise } from "../artifact/FilePath.ts"
import type { Outcome } from "../domain/Outcome.ts"
import { traced } from "../domain/Traced.ts"
import { type Answer, isOwnOf, render } from "./ArtifactText.ts"
import { wasChanged, wasMissing, wasTouched } from "./Claim.ts"

/** An artifact that the runtime wrote, as an event tells it. */
export interface WrittenArtifact {
  readonly path: string
  readonly writtenBy: "runtime"
  /** Where the older version went. */
  readonly kept: Option.Option<string>
}

export interface WithArtifacts {
  /** The outcome with its artifacts' paths relative to the artifact root, the primary one among them. */
  readonly outcome: Outcome
  readonly written: Option.Option<WrittenArtifact>
  /** What kept the runtime from writing, each as `name: sentence`: they count as issues of the verification. */
  readonly issues: ReadonlyArray<string>
}

/**
 * Writes the primary artifact of a completed task whose adapter's answer is the product and which did not
 * write it itself in this round. What an adapter wrote is never written over; an older version is kept, or left where
 * it is when the task may build on it.
 */
export const withArtifacts = traced("Evidence.withArtifacts")(function* (answer: Answer) {
  const outcome = { ...answer.outcome, artifactPaths: yield* relativePaths(answer.outcome.artifactPaths) }
  const nothing: WithArtifacts = { outcome, written: Option.none(), issues: [] }
  const { primary, replaces } = declared(answer.task)
  const completed = outcome.status === "completed" && outcome.machineStatus === "ok"
  if (!completed || answer.mode === "agent-cli" || Option.isNone(primary)) return nothing
  return yield* put(answer, primary.value, replaces).pipe(
    Effect.map(
      Option.match({
        // The verification names what is wrong with the place.
        onNone: () => nothing,
        onSome: ({ path, written }): WithArtifacts => ({
          outcome: withPath(outcome, path),
          written,
          issues: []
        })
      })
    ),
    Effect.catchTags({
      // The verification names what is wrong with the path.
      PathRefused: () => Effect.succeed(nothing),
      ArtifactFailed: ({ reason }) =>
        Effect.succeed<WithArtifacts>({ ...nothing, issues: [notWritten(primary.value.path, reason)] })
    })
  )
})

/** None where no file may be or can be. */
const put = Effect.fnUntraced(function* (answer: Answer, primary: DeclaredArtifact, replaces: boolean) {
  const store = yield* ArtifactStore
  const path = below(store.root, yield* store.resolve(primary.path))
  const observed = yield* store.observe(path)
  if (
    namesFolder(primary.path) ||
    isEvidencePath(path) ||
    Option.exists(observed, ({ kind }) => kind !== "file")
  )
    return Option.none()
  const untouched = Option.some({ path, written: Option.none<WrittenArtifact>() })
  if (Option.isSome(observed)) {
    // A file of the runtime's own, from an attempt of this round that did not live to be recorded.
    const own = isOwnOf(
      answer.task.taskId,
      Option.getOrElse(yield* store.read(path, 1_000), () => "")
    )
    if (!own && !replaces) return untouched
    // A link that was made there leads to a file of somebody else's: it is left alone, and is no product.
    const leadsAway = join(store.root, primary.path) !== observed.value.realPath
    const at = { path: primary.path, observed: observed.value }
    if (!own && leadsAway && wasMissing(answer.round, store.root, at)) return untouched
    const hash = Effect.orElseSucceed(store.hash(path), () => Option.none<string>())
    const found = { ...at, hash }
    // Kernel times are coarse: what another task wrote a moment before the round looks touched, and is known by its
    // content.
    const isOlder = observed.value.changedAtMs <= DateTime.toEpochMillis(answer.round.roundStartedAt)
    const isLeft = isOlder && !(yield* wasChanged(answer.round, store.root, found))
    if (!own && !isLeft && wasTouched(answer.round, store.root, found)) return untouched
  }
  const kept = Option.isSome(observed) ? Option.some(yield* store.keepOld(path)) : Option.none<string>()
  yield* store.write(path, answer.redact(render(answer, primary.role)))
  return Option.some({ path, written: Option.some<WrittenArtifact>({ path, writtenBy: "runtime", kept }) })
})

const withPath = (outcome: Outcome, path: string): Outcome =>
  outcome.artifactPaths.some((one) => normalise(one) === path)
    ? outcome
    : { ...outcome, artifactPaths: [...outcome.artifactPaths, path] }

/** An adapter may name its files by their absolute paths; readers of the outcome expect relative ones. */
const relativePaths = (paths: ReadonlyArray<string>) =>
  Effect.map(ArtifactStore, (store) => paths.map(store.relative))

const notWritten = (path: string, reason: string): string => {
  const remedy = reason === "ENOSPC" ? "; make room on the disk of the artifact root and retry the task" : ""
  return `artifact_not_written: the artifact ${JSON.stringify(path)} could not be written (${reason})${remedy}.`
}
