import { Option } from "effect"
import type { Profile } from "../domain/Profile.ts"
import { type Redactor, redactJson } from "../domain/Redactor.ts"
import type { Task } from "../domain/Task.ts"
import type { PromptParts } from "./Prompt.ts"

/**
 * The parts of a prompt without the secret values that stand in them: bundle and prompt are stored (SPEC.md section 6),
 * and an adapter's child has its secrets by its environment. Hashes stay those of the files.
 */
export const withoutSecrets = (parts: PromptParts, redactor: Redactor): PromptParts => {
  if (redactor.isIdle) return parts
  const { text } = redactor
  return {
    ...parts,
    policy: text(parts.policy),
    identity: Option.map(parts.identity, text),
    purpose: Option.map(parts.purpose, text),
    profile: profileOf(parts.profile, redactor),
    task: taskOf(parts.task, redactor),
    skills: parts.skills.map((skill) => ({ ...skill, text: text(skill.text) })),
    phase: Option.map(parts.phase, text),
    answers: Option.map(parts.answers, text),
    lastFailure: Option.map(parts.lastFailure, text)
  }
}

const profileOf = (profile: Profile, { text }: Redactor): Profile => ({
  ...profile,
  role: text(profile.role),
  systemPromptParts: profile.systemPromptParts.map(text)
})

// Masked when it was queued, but for a secret that was not known then; so are answers and failures.
const taskOf = (task: Task, redactor: Redactor): Task => ({
  ...task,
  subject: Option.map(task.subject, redactor.text),
  description: Option.map(task.description, redactor.text),
  payload: redactJson(task.payload, redactor)
})
