import { Option } from "effect"
import type { Job } from "../../src/adapter/AdapterRegistry.ts"
import type { Settings } from "../../src/config/RuntimeConfig.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import { type Redactor, redactJson } from "../../src/domain/Redactor.ts"
import { MARKER } from "./Brand.ts"
import type { ChildEnv } from "./ChildEnv.ts"

/** `_TASK_PAYLOAD_JSON` is set while it fits into this; the payload file is always there. */
const PAYLOAD_VARIABLE_BYTES = 64 * 1024

/** The runtime's own variables for the child of an attempt (SPEC.md section 6); all paths are absolute. That of the payload comes by `withPayload`. */
export const ownVariables = (
  job: Job,
  runtime: Pick<Settings, "runtimeName" | "stateDir" | "artifactDir">
): Readonly<Record<string, string>> => {
  return {
    AGENT_RUNTIME_NAME: runtime.runtimeName,
    AGENT_RUNTIME_TASK_ID: job.taskId,
    [MARKER]: job.attemptId,
    AGENT_RUNTIME_ARTIFACT_DIR: runtime.artifactDir,
    AGENT_RUNTIME_STATE_DIR: runtime.stateDir,
    AGENT_RUNTIME_AUDIT_DIR: job.audit.path,
    AGENT_RUNTIME_BUNDLE_PATH: job.bundlePath,
    AGENT_RUNTIME_PAYLOAD_PATH: `${job.audit.path}/payload.json`,
    ...Option.match(job.traceParent, { onNone: () => ({}), onSome: (TRACEPARENT) => ({ TRACEPARENT }) })
  }
}

/** A job whose payload is without the values that have become secrets since it was taken in. */
export const withoutSecrets = (job: Job, redactor: Redactor): Job => ({
  ...job,
  payload: redactJson(job.payload, redactor)
})

/** A child's environment with the payload's variable too, while that fits. */
export const withPayload = (child: ChildEnv, payload: JsonObject): ChildEnv => {
  const text = JSON.stringify(payload)
  if (Buffer.byteLength(text) > PAYLOAD_VARIABLE_BYTES) return child
  const variable = { AGENT_RUNTIME_TASK_PAYLOAD_JSON: text }
  return { ...child, env: { ...child.env, ...variable }, shown: { ...child.shown, ...variable } }
}
