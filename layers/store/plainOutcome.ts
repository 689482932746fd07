import { Option, Schema } from "effect"
import { Outcome } from "../../src/domain/Outcome.ts"
import type { Usage } from "../../src/domain/Usage.ts"
import { onFirstUse } from "../../src/domain/Wire.ts"
import { json } from "./columns.ts"

// A settlement writes both, and their schemas would be a fifth of its time.

const encoded = onFirstUse(() => Schema.encodeSync(Outcome))

/** The JSON of an outcome as its schema writes it. */
export const outcomeJson = (outcome: Outcome): string =>
  json(
    outcome.question === undefined
      ? {
          status: outcome.status,
          operator_summary: outcome.operatorSummary,
          machine_status: outcome.machineStatus,
          file_changes: outcome.fileChanges,
          artifact_paths: outcome.artifactPaths,
          follow_up_tasks: outcome.followUpTasks,
          external_messages: outcome.externalMessages,
          workflow_signal: outcome.workflowSignal,
          retry_after_seconds: outcome.retryAfterSeconds
        }
      : encoded()(outcome)
  )

/** The JSON of what an attempt consumed as its schema writes it. */
export const usageJson = (usage: Usage): string =>
  json({
    input_tokens: Option.getOrNull(usage.inputTokens),
    output_tokens: Option.getOrNull(usage.outputTokens),
    cached_tokens: Option.getOrNull(usage.cachedTokens),
    cost_usd: Option.getOrNull(usage.costUsd)
  })
