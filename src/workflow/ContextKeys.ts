import { isEvidencePath } from "../artifact/Declared.ts"
import { below, isAbsolute, isInside, normalise } from "../artifact/FilePath.ts"
import { isTexts, type JsonObject } from "../domain/Json.ts"
import type { Template } from "../domain/WorkflowTemplate.ts"
import { communityResearch } from "./templates/CommunityResearch.ts"
import { goalLoop } from "./templates/GoalLoop.ts"
import { walletOnboarding } from "./templates/WalletOnboarding.ts"

/** A key of a context that a built-in template reads, and what it must be, in words. */
interface ContextKey {
  readonly key: string
  readonly expected: string
  readonly isFit: (value: unknown, artifactRoot: string) => boolean
}

/** A key that is the path of an artifact. */
const path = (key: string): ContextKey => ({
  key,
  expected:
    "a path below the artifact root, relative to it and outside of adapter-runs, bundles and snapshots",
  isFit: (value, artifactRoot) => {
    if (typeof value !== "string" || value.includes("\0")) return false
    const plain = normalise(value.trim())
    const root = normalise(artifactRoot)
    if (isAbsolute(plain) && !isInside(root, plain)) return false
    const relative = isAbsolute(plain) ? below(root, plain) : plain
    return relative !== "" && relative.split("/")[0] !== ".." && !isEvidencePath(relative)
  }
})

/** A key that is a part of the names of files in a folder. */
const part = (key: string, expected: string): ContextKey => ({
  key,
  expected,
  isFit: (value) =>
    typeof value === "string" &&
    !value.includes("\0") &&
    isInside("/folder", normalise(`/folder/${value.trim()}`))
})

/** A key that is told in a prompt as it is. */
const text = (key: string): ContextKey => ({
  key,
  expected: "text",
  isFit: (value) => typeof value === "string"
})

/** A key of several texts. */
const texts = (key: string): ContextKey => ({
  key,
  expected: "a list of texts",
  isFit: isTexts
})

const KEYS: ReadonlyMap<Template, ReadonlyArray<ContextKey>> = new Map([
  [
    goalLoop,
    [
      text("summary"),
      text("objective"),
      texts("scope"),
      text("requested_profile"),
      texts("plan_phase_skills"),
      texts("execute_phase_skills"),
      texts("verify_execute_phase_skills"),
      part("base_name", "text that names files below plans/ and reports/, without a way out of these"),
      path("plan_artifact")
    ]
  ],
  [
    communityResearch,
    [
      text("topic"),
      text("current_focus"),
      path("output_path"),
      path("outline_path"),
      part("slug", "text that names a file below community-wiki/, without a way out of it")
    ]
  ],
  [walletOnboarding, [text("slug"), text("agent_name"), path("checklist_path")]]
])

/** A value of a context that its template cannot take. */
export interface Unfit {
  readonly key: string
  /** As JSON. */
  readonly found: string
  readonly expected: string
}

/**
 * What of a context that is given to a built-in template its tasks cannot work by: a plan outside of the artifact root
 * would cost a whole attempt before that is seen, a scope that is no list would be passed over. A value that is left
 * out, null or empty is a default's.
 */
export const unfitKeys = (
  template: Template,
  given: JsonObject,
  artifactRoot: string
): ReadonlyArray<Unfit> =>
  (KEYS.get(template) ?? []).flatMap(({ expected, isFit, key }) => {
    const value = given[key]
    return value === undefined || value === null || value === "" || isFit(value, artifactRoot)
      ? []
      : [{ key, found: JSON.stringify(value), expected }]
  })
