import { type DateTime, Option } from "effect"
import type { JsonObject } from "../domain/Json.ts"
import type { Template } from "../domain/WorkflowTemplate.ts"
import { communityResearch } from "./templates/CommunityResearch.ts"
import { goalLoop, openGoalLoop, recalled } from "./templates/GoalLoop.ts"
import { walletOnboarding } from "./templates/WalletOnboarding.ts"

/** The templates that come with the runtime. */
export const BUILT_IN: ReadonlyArray<Template> = [communityResearch, walletOnboarding, goalLoop]

/** The template of a name: the user's own ones first, so that a built-in one can be replaced. */
export const templateOf = (name: string, own: ReadonlyMap<string, Template>): Option.Option<Template> =>
  Option.orElse(Option.fromNullable(own.get(name)), () =>
    Option.fromNullable(BUILT_IN.find((template) => template.name === name))
  )

/** The names of all templates, each once. */
export const namesOf = (own: ReadonlyMap<string, Template>): ReadonlyArray<string> => [
  ...new Set([...BUILT_IN.map(({ name }) => name), ...own.keys()])
]

/**
 * The context that an instance opened at `at` begins with: what it was given, over what its template begins
 * with. Given the result again it answers the same.
 */
export const opened = (
  template: Template,
  given: JsonObject,
  at: DateTime.Utc,
  instanceKey: string
): JsonObject =>
  template === goalLoop ? openGoalLoop(given, at, instanceKey) : { ...template.context, ...given }

/** What an instance is opened with, and is known by. */
interface Instance {
  readonly context: JsonObject
  readonly createdAt: DateTime.Utc
  readonly instanceKey: string
}

/** As `opened` for an instance that lacks some of it (an adopted one), by what its last task was handed. */
export const resumed = (
  template: Template,
  { context, createdAt, instanceKey }: Instance,
  payload: JsonObject
): JsonObject => {
  const known = template === goalLoop ? { ...recalled(payload), ...context } : context
  return opened(template, known, createdAt, instanceKey)
}
