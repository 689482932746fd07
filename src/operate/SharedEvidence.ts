import { Effect } from "effect"
import { EvidenceFiles } from "../artifact/EvidenceFiles.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"

/** A warning where another database keeps its evidence in the same artifact root: none knows what is whose. */
export const sharedEvidence = Effect.gen(function* () {
  const { artifactDir } = yield* RuntimeConfig
  const { otherDatabases } = yield* EvidenceFiles
  const others = yield* Effect.orElseSucceed(otherDatabases, () => [])
  return others.map(
    (path) =>
      `the database ${path} keeps its evidence in artifactDir (${artifactDir}) too: prune removes nothing there that no record names; give each database an artifactDir of its own`
  )
})
