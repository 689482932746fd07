import { Option } from "effect"
import type { Job } from "../../src/adapter/AdapterRegistry.ts"
import type { Settings } from "../../src/config/RuntimeConfig.ts"
import { MARKER } from "./Brand.ts"

/** `_TASK_PAYLOAD_JSON` is set while it fits into this; the payload file is always there. */
const PAYLOAD_VARIABLE_BYTES = 64 * 1024

/** The runtime's own variables for the child of an attempt (SPEC.md section 6); all paths are absolute. */
export const ownVariables = (
  job: Job,
  runtime: Pick<Settings, "runtimeName" | "stateDir" | "artifactDir">
): Readonly<Record<string, string>> => {
  const payload = JSON.stringify(job.payload)
  return {
    AGENT_RUNTIME_NAME: runtime.runtimeName,
    AGENT_RUNTIME_TASK_ID: job.taskId,
    [MARKER]: job.attemptId,
    AGENT_RUNTIME_ARTIFACT_DIR: runtime.artifactDir,
    AGENT_RUNTIME_STATE_DIR: runtime.stateDir,
    AGENT_RUNTIME_AUDIT_DIR: job.audit.path,
    AGENT_RUNTIME_BUNDLE_PATH: job.bundlePath,
    AGENT_RUNTIME_PAYLOAD_PATH: `${job.audit.path}/payload.json`,
    ...(Buffer.byteLength(payload) <= PAYLOAD_VARIABLE_BYTES
      ? { AGENT_RUNTIME_TASK_PAYLOAD_JSON: payload }
      : {}),
    ...Option.match(job.traceParent, { onNone: () => ({}), onSome: (TRACEPARENT) => ({ TRACEPARENT }) })
  }
}
