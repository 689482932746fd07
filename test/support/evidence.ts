import { Effect, Stream } from "effect"
import { EvidenceFiles } from "../../src/artifact/EvidenceFiles.ts"

const nothingRemoved = Effect.succeed({ entries: 0, bytes: 0 })

/** Evidence that is none, but for what a test says of it. */
export const evidenceOf = (changes: Partial<EvidenceFiles["Type"]> = {}): EvidenceFiles["Type"] =>
  EvidenceFiles.of({
    removeAttempt: () => nothingRemoved,
    removeBundle: () => nothingRemoved,
    removeTask: () => nothingRemoved,
    removeUnfinished: () => nothingRemoved,
    noteDatabase: Effect.void,
    otherDatabases: Effect.succeed([]),
    attempts: Stream.empty,
    tasks: Stream.empty,
    bundles: Stream.empty,
    ...changes
  })
