import { isEvidencePath } from "../artifact/Declared.ts"
import { below, isAbsolute, isInside, normalise } from "../artifact/FilePath.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { Template } from "../domain/WorkflowTemplate.ts"
import { communityResearch } from "./templates/CommunityResearch.ts"
import { goalLoop } from "./templates/GoalLoop.ts"
import { walletOnboarding } from "./templates/WalletOnboarding.ts"

/** A key of a context by which a built-in template's tasks name files, and what it must be, in words. */
interface Naming {
  readonly key: string
  readonly expected: string
  readonly isFit: (value: unknown, artifactRoot: string) => boolean
}

/** A key that is the path of an artifact. */
const path = (key: string): Naming => ({
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
const part = (key: string, expected: string): Naming => ({
  key,
  expected,
  isFit: (value) =>
    typeof value === "string" &&
    !value.includes("\0") &&
    isInside("/folder", normalise(`/folder/${value.trim()}`))
})

const NAMINGS: ReadonlyMap<Template, ReadonlyArray<Naming>> = new Map([
  [
    goalLoop,
    [
      part("base_name", "text that names files below plans/ and reports/, without a way out of these"),
      path("plan_artifact")
    ]
  ],
  [
    communityResearch,
    [
      path("output_path"),
      path("outline_path"),
      part("slug", "text that names a file below community-wiki/, without a way out of it")
    ]
  ],
  [walletOnboarding, [path("checklist_path")]]
])

/** A value of a context that names no file that a task may write. */
export interface Astray {
  readonly key: string
  /** As JSON. */
  readonly found: string
  readonly expected: string
}

/**
 * What a context that is given to a built-in template names that its tasks may not write: a plan outside of the
 * artifact root would cost a whole attempt before that is seen. A value that is left out, null or empty is a default's.
 */
export const astray = (template: Template, given: JsonObject, artifactRoot: string): ReadonlyArray<Astray> =>
  (NAMINGS.get(template) ?? []).flatMap(({ expected, isFit, key }) => {
    const value = given[key]
    return value === undefined || value === null || value === "" || isFit(value, artifactRoot)
      ? []
      : [{ key, found: JSON.stringify(value), expected }]
  })
