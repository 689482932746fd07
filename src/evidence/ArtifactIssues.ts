import { Effect, Option } from "effect"
import { ArtifactStore, type Observed, type Surveyor } from "../artifact/ArtifactStore.ts"
import { declared, isEvidencePath, isSummaryOnly } from "../artifact/Declared.ts"
import { below, join, namesFolder, normalise } from "../artifact/FilePath.ts"
import { Workspace } from "../context/Workspace.ts"
import { quoted } from "../domain/Abridged.ts"
import { traced } from "../domain/Traced.ts"
import { type Claim, wasChanged } from "./Claim.ts"
import { secretIssues } from "./SecretScan.ts"

/** More paths than this are not looked at, and block. */
const MOST_PATHS = 1_000

interface Expected {
  readonly path: string
  /** How a sentence calls it. */
  readonly name: string
  /** Whether it must have been made in this round. */
  readonly fresh: boolean
}

/** What is wrong with the artifacts that a task declares and an outcome reports, a sentence each. */
export const artifactIssues = traced("Evidence.artifactIssues")(function* (claim: Claim) {
  const { products, problems } = declared(claim.task)
  const expected: Array<Expected> = products.map(({ key, path }) => ({
    path,
    name: `the declared artifact ${quoted(claim.redact(path))} (${key})`,
    fresh: true
  }))
  const named = new Set(products.map(({ path }) => normalise(path)))
  for (const path of claim.outcome.artifactPaths) {
    const plain = normalise(path)
    if (namesFolder(path) || !named.has(plain))
      expected.push({
        path,
        name: `the reported artifact ${quoted(claim.redact(path))}`,
        fresh: isSummaryOnly(claim.task.kind)
      })
    named.add(plain)
  }
  if (expected.length > MOST_PATHS)
    return [
      `artifacts_too_many: ${expected.length} artifacts are declared or reported; at most ${MOST_PATHS} can be verified.`
    ]
  const eyes = { artifacts: (yield* ArtifactStore).survey(), workspace: (yield* Workspace).survey() }
  const found = yield* Effect.forEach(expected, (one) => check(one, claim, eyes))
  return [...problems.map((problem) => `artifact_undeclared: ${problem}.`), ...found.flat()]
})

/** What looks at the places of one claim, each once. */
interface Eyes {
  readonly artifacts: Surveyor
  readonly workspace: ReturnType<Workspace["Type"]["survey"]>
}

const check = Effect.fnUntraced(function* (expected: Expected, claim: Claim, eyes: Eyes) {
  const { name, path } = expected
  const asFolder = `artifact_not_a_file: ${name} is no regular file: a path that ends so names a folder.`
  return yield* eyes.artifacts.observe(path).pipe(
    Effect.flatMap((observed) =>
      namesFolder(path)
        ? Effect.succeed([asFolder])
        : Option.match(observed, {
            onNone: () => missing(expected, claim, eyes),
            onSome: (found) => checkFound(expected, found, claim, eyes)
          })
    ),
    Effect.catchTags({
      PathRefused: ({ why }) => Effect.succeed([`artifact_refused: ${name} ${why}.`]),
      ArtifactFailed: ({ reason }) =>
        Effect.succeed([`artifact_unreadable: ${name} cannot be looked at (${reason}).`])
    })
  )
})

const missing = Effect.fnUntraced(function* ({ name, path }: Expected, claim: Claim, eyes: Eyes) {
  const store = yield* ArtifactStore
  if (isEvidencePath(below(store.root, yield* eyes.artifacts.resolve(path)))) return [isEvidence(name)]
  const astray = yield* inWorkingDir(path, claim, eyes)
  return Option.isNone(astray)
    ? [`artifact_missing: ${name} does not exist below the artifact root.`]
    : [
        `artifact_missing: ${name} does not exist below the artifact root; a file of that name lies in the adapter's working directory, which is not the artifact root.`
      ]
})

const checkFound = Effect.fnUntraced(function* (
  expected: Expected,
  observed: Observed,
  claim: Claim,
  eyes: Eyes
) {
  const { name, fresh } = expected
  const store = yield* ArtifactStore
  if (observed.kind !== "file") return [`artifact_not_a_file: ${name} is no regular file.`]
  const relative = below(store.root, observed.realPath)
  if (isEvidencePath(relative)) return [isEvidence(name)]
  const issues: Array<string> = []
  if (yield* liesTwice(relative, observed, claim, eyes))
    issues.push(
      `artifact_twice: ${name} also lies at the same path below the adapter's working directory; only the artifact root counts, remove the other.`
    )
  const hash = Effect.orElseSucceed(store.hash(relative), Option.none)
  if (fresh && !(yield* wasChanged(claim.round, store.root, { path: expected.path, observed, hash })))
    issues.push(`artifact_unchanged: ${name} has not changed since the round began.`)
  const secrets = yield* secretIssues(
    name,
    { path: relative, scan: (met) => store.scan(relative, met) },
    claim.secrets
  )
  return [...issues, ...secrets]
})

const isEvidence = (name: string): string =>
  `artifact_is_evidence: ${name} lies in a folder that the runtime itself fills; name another.`

const inWorkingDir = (relative: string, { workingDir }: Claim, { workspace }: Eyes) =>
  Option.isNone(workingDir) ? Effect.succeedNone : workspace(join(workingDir.value, relative))

/** One file that both names lead to does not lie there twice. */
const liesTwice = (relative: string, observed: Observed, claim: Claim, eyes: Eyes) =>
  Effect.map(
    inWorkingDir(relative, claim, eyes),
    Option.exists((other) => other.realPath !== observed.realPath)
  )
