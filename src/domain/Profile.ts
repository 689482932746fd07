import { Schema } from "effect"
import { isBlank } from "./Blank.ts"
import { ConfiguredId } from "./Task.ts"
import { wireStruct } from "./Wire.ts"

const texts = Schema.optionalWith(Schema.Array(Schema.String), { default: () => [] })
const words = Schema.NonEmptyTrimmedString.pipe(
  Schema.filter((value) => !isBlank(value), {
    description: "text that is not blank, without spaces around it"
  })
).annotations({ description: "text that is not blank, without spaces around it" })
const flag = (byDefault: boolean) => Schema.optionalWith(Schema.Boolean, { default: () => byDefault })

/** The tone of the execution rules in the prompt. */
export const ProfileStyle = Schema.Literal("claude-like", "codex-like", "hermes-like", "quarantine")
export type ProfileStyle = typeof ProfileStyle.Type

/** How far an integration of the host may reach into an attempt; `none` withholds it from the child. */
export const IntegrationPolicy = Schema.Literal("none", "bridge-only", "supervised")

/** `max_prompt_chars` below this leaves no room for policy, header and response contract. */
export const MIN_PROMPT_CHARS = 4_000
export const DEFAULT_PROMPT_CHARS = 120_000

/** How a subagent behaves (SPEC.md section 13). Keys of the file are snake_case; unknown ones are errors. */
export const Profile = wireStruct({
  profileId: ConfiguredId,
  style: ProfileStyle,
  role: words,
  systemPromptParts: texts,
  skills: texts,
  defaultAdapter: Schema.optional(ConfiguredId),
  /** `allow_repo_changes` and any other `allow_*`: false refuses what it names; absent allows it. */
  toolPolicy: Schema.optionalWith(
    Schema.Record({ key: Schema.String.pipe(Schema.pattern(/^allow_[a-z0-9_]+$/)), value: Schema.Boolean }),
    { default: () => ({}) }
  ),
  contextPolicy: Schema.optionalWith(
    wireStruct({
      includeRecentTaskMemory: flag(false),
      /** Default: true for model-backed adapters, false for the others. */
      includeLastFailure: Schema.optional(Schema.Boolean),
      maxPromptChars: Schema.optionalWith(
        Schema.Int.pipe(Schema.between(MIN_PROMPT_CHARS, 10_000_000)).annotations({
          description: "an integer from 4,000 to 10,000,000"
        }),
        { default: () => DEFAULT_PROMPT_CHARS }
      )
    }),
    { default: () => ({ includeRecentTaskMemory: false, maxPromptChars: DEFAULT_PROMPT_CHARS }) }
  ),
  resultSchema: Schema.optionalWith(
    wireStruct({
      primaryOutput: Schema.optional(words),
      allowFollowUpTasks: flag(false),
      allowExternalMessages: flag(false)
    }),
    { default: () => ({ allowFollowUpTasks: false, allowExternalMessages: false }) }
  ),
  integrationPolicies: Schema.optionalWith(Schema.Record({ key: Schema.String, value: IntegrationPolicy }), {
    default: () => ({})
  })
})
export type Profile = typeof Profile.Type
