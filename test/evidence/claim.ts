import { DateTime, Effect, Layer, Option } from "effect"
import { MemoryFiles, layer as memoryArtifacts } from "../../layers/artifact/MemoryArtifacts.ts"
import { type FixedFile, layer as fixedWorkspace } from "../../layers/context/FixedWorkspace.ts"
import type { Outcome } from "../../src/domain/Outcome.ts"
import type { Profile } from "../../src/domain/Profile.ts"
import { noSecrets } from "../../src/domain/Redactor.ts"
import type { KnownFile } from "../../src/domain/Task.ts"
import type { Claim } from "../../src/evidence/Claim.ts"

/** The moment at which the round of these tests began. */
export const START = 1_000_000
export const OLD = START - 500
export const NEW = START + 500

export const outcome = (more: Partial<Outcome> = {}): Outcome => ({
  status: "completed",
  operatorSummary: "done",
  machineStatus: "ok",
  fileChanges: [],
  artifactPaths: [],
  followUpTasks: [],
  externalMessages: [],
  ...more
})

export const profile: Profile = {
  profileId: "lumen",
  style: "claude-like",
  role: "agent",
  systemPromptParts: [],
  skills: [],
  toolPolicy: {},
  contextPolicy: { includeRecentTaskMemory: false, maxPromptChars: 120_000 },
  resultSchema: { allowFollowUpTasks: false, allowExternalMessages: false },
  integrationPolicies: {}
}

export const known = (files: Readonly<Record<string, string | null>>): ReadonlyArray<KnownFile> =>
  Object.entries(files).map(([path, sha256]) => ({ path, sha256: Option.fromNullable(sha256) }))

export const round = (files: Readonly<Record<string, string | null>> = {}) => ({
  roundStartedAt: DateTime.unsafeMake(START),
  known: known(files)
})

export const claim = (more: Partial<Claim> = {}): Claim => ({
  task: { kind: "operator", payload: {} },
  outcome: outcome(),
  mode: "agent-cli",
  profile,
  promptText: "Do it.",
  workingDir: Option.some("/work"),
  round: round(),
  worktree: Option.none(),
  secrets: noSecrets,
  redact: (text) => text,
  ...more
})

/** Files by path: below the artifact root where it is relative, in the workspace where it is absolute. */
export const world = (files: Readonly<Record<string, FixedFile>>) => {
  const entries = Object.entries(files)
  const workspace = Object.fromEntries(entries.filter(([path]) => path.startsWith("/")))
  const artifacts = entries.filter(([path]) => !path.startsWith("/"))
  const put = Layer.effectDiscard(
    Effect.flatMap(MemoryFiles, (memory) =>
      Effect.forEach(artifacts, ([path, file]) => memory.put(path, file.text ?? "", file.changedAtMs))
    )
  )
  return Layer.merge(Layer.provideMerge(put, memoryArtifacts), fixedWorkspace({ files: workspace }))
}
