import { type Redactor, redactJson } from "../domain/Redactor.ts"
import type { Intent } from "../domain/Task.ts"

/**
 * A secret value of the configuration that somebody wrote into a task is not kept (SPEC.md section 6): an adapter's child
 * has it by its environment. The names of what is configured, and the kind, by which a task is routed, stay as they are.
 */
export const withoutSecrets = (intent: Intent, redactor: Redactor): Intent => {
  if (redactor.isIdle) return intent
  const { text } = redactor
  const { dedupeKey, description, subject } = intent
  return {
    ...intent,
    source: text(intent.source),
    payload: redactJson(intent.payload, redactor),
    ...(subject === undefined ? {} : { subject: text(subject) }),
    ...(description === undefined ? {} : { description: text(description) }),
    ...(dedupeKey === undefined ? {} : { dedupeKey: text(dedupeKey) })
  }
}
