import { Option } from "effect"
import type { Execution } from "../adapter/AdapterRegistry.ts"
import type { AuditFailed } from "../artifact/AuditFolder.ts"

/** How an attempt went whose evidence cannot be written: now, for it may be writable later. */
export const noEvidence = ({
  path,
  reason
}: AuditFailed): Pick<Execution, "exitStatus" | "retryClass" | "reason"> => ({
  exitStatus: "error",
  retryClass: "retryable",
  reason: Option.some(`the evidence could not be written: ${path} below the artifact root: ${reason}`)
})
