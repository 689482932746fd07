import { type Redactor, redactJson } from "../domain/Redactor.ts"
import type { Intent } from "../domain/Task.ts"

/**
 * A secret value of the configuration that somebody wrote into a task is not kept (SPEC.md section 6), in a name no more
 * than in a text: an adapter's child has it by its environment.
 */
export const withoutSecrets = (intent: Intent, redactor: Redactor): Intent => {
  if (redactor.isIdle) return intent
  const { text } = redactor
  const { dedupeKey, description, requestedAdapter, requestedModel, requestedProfile, subject } = intent
  return {
    ...intent,
    kind: text(intent.kind),
    source: text(intent.source),
    payload: redactJson(intent.payload, redactor),
    ...(subject === undefined ? {} : { subject: text(subject) }),
    ...(description === undefined ? {} : { description: text(description) }),
    ...(dedupeKey === undefined ? {} : { dedupeKey: text(dedupeKey) }),
    ...(requestedProfile === undefined ? {} : { requestedProfile: text(requestedProfile) }),
    ...(requestedAdapter === undefined ? {} : { requestedAdapter: text(requestedAdapter) }),
    ...(requestedModel === undefined ? {} : { requestedModel: text(requestedModel) })
  }
}
