import { type DateTime, Option } from "effect"
import type { JsonObject } from "../domain/Json.ts"
import type { Template } from "../domain/WorkflowTemplate.ts"
import { communityResearch } from "./templates/CommunityResearch.ts"
import { goalLoop, openGoalLoop } from "./templates/GoalLoop.ts"
import { walletOnboarding } from "./templates/WalletOnboarding.ts"

/** The templates that come with the runtime. */
export const BUILT_IN: ReadonlyArray<Template> = [communityResearch, walletOnboarding, goalLoop]

/** The template of a name: the user's own ones first, so that a built-in one can be replaced. */
export const templateOf = (name: string, own: ReadonlyMap<string, Template>): Option.Option<Template> =>
  Option.orElse(Option.fromNullable(own.get(name)), () =>
    Option.fromNullable(BUILT_IN.find((template) => template.name === name))
  )

/** The context that an instance begins with: what it was given, over what its template begins with. */
export const opened = (template: Template, given: JsonObject, at: DateTime.Utc): JsonObject =>
  template === goalLoop ? openGoalLoop(given, at) : { ...template.context, ...given }
