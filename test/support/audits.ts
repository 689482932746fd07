import { Effect } from "effect"
import { AuditFailed, type AuditFolder } from "../../src/artifact/AuditFolder.ts"

const answering = (ending: Effect.Effect<never, AuditFailed>): AuditFolder => ({
  path: "/audit",
  relativePath: "audit",
  put: () => ending,
  putAll: () => ending,
  begin: () => ending,
  log: () => ending
})

/** An audit folder on a disk that is full. */
export const fullAudit = answering(Effect.fail(new AuditFailed({ path: "/audit", reason: "ENOSPC" })))

/** An audit folder that nobody is to write to. */
export const noAudit = answering(Effect.dieMessage("nothing is written"))
