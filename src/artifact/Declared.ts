import { Option } from "effect"
import { abridged } from "../domain/Abridged.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { Task } from "../domain/Task.ts"
import { namesFolder, normalise } from "./FilePath.ts"

/** What a task is: its kind and what it was handed. */
export type Assignment = Pick<Task, "kind" | "payload">

export type Phase = "plan" | "execute" | "verify"

export type ArtifactRole =
  | "output"
  | "checklist"
  | "proposal"
  | "implementation"
  | "verification"
  | "required"

/** An artifact that a task names in its payload; `key` is the payload's word for it, `path` as it stands there. */
export interface DeclaredArtifact {
  readonly role: ArtifactRole
  readonly key: string
  readonly path: string
}

export interface Declared {
  readonly phase: Option.Option<Phase>
  /** What this task must produce, each path once. */
  readonly products: ReadonlyArray<DeclaredArtifact>
  /** What this task's phase builds on. */
  readonly inputs: ReadonlyArray<DeclaredArtifact>
  /** The product that an answer stands for: output, else checklist, else the artifact of the phase. */
  readonly primary: Option.Option<DeclaredArtifact>
  /**
   * Whether a new version of the primary product may take an older one's place. Not of the artifact of a phase where
   * the task has none: what lies there may be what it builds on.
   */
  readonly replaces: boolean
  /** Declarations that name no path, a sentence each. */
  readonly problems: ReadonlyArray<string>
}

/** Folders below the artifact root that every attempt writes to. */
export const ATTEMPT_FOLDERS: ReadonlyArray<string> = ["adapter-runs", "bundles"]

/** Folders below the artifact root that the runtime itself fills: nothing in them is a task's work. */
export const EVIDENCE_FOLDERS: ReadonlyArray<string> = [...ATTEMPT_FOLDERS, "snapshots"]

/** Whether a path relative to the artifact root lies in one of the runtime's own folders. */
export const isEvidencePath = (relative: string): boolean =>
  EVIDENCE_FOLDERS.includes(normalise(relative).split("/")[0] ?? "")

/** Kinds whose product is the summary alone. */
export const isSummaryOnly = (kind: string): boolean => kind === "github-story" || kind === "discord-reply"

const PHASE_OF_KIND: Readonly<Record<string, Phase>> = {
  "goal-plan": "plan",
  "goal-execute": "execute",
  "goal-verify": "verify"
}

const ROLE_OF_PHASE = { plan: "proposal", execute: "implementation", verify: "verification" } as const
const INPUTS_OF_PHASE: Readonly<Record<Phase, ReadonlyArray<ArtifactRole>>> = {
  plan: [],
  execute: ["proposal"],
  verify: ["proposal", "implementation"]
}

const KEYS: ReadonlyArray<readonly [key: string, role: ArtifactRole]> = [
  ["output_path", "output"],
  ["checklist_path", "checklist"],
  ["proposal_artifact", "proposal"],
  ["implementation_artifact", "implementation"],
  ["verification_artifact", "verification"]
]

/** `payload.phase` where it is one, else the phase that the kind implies. */
export const phaseOf = (task: Assignment): Option.Option<Phase> => {
  const named = task.payload.phase
  return named === "plan" || named === "execute" || named === "verify"
    ? Option.some(named)
    : Option.fromNullable(Object.hasOwn(PHASE_OF_KIND, task.kind) ? PHASE_OF_KIND[task.kind] : undefined)
}

/**
 * What a task promises to produce and what it needs, read from its payload. Without a phase everything that
 * is declared is a product; with one, artifacts of earlier phases are inputs and those of later ones neither.
 */
export const declared = (task: Assignment): Declared => {
  const phase = phaseOf(task)
  const { found, problems } = read(task.payload)
  const inputs = found.filter((artifact) =>
    Option.exists(phase, (at) => INPUTS_OF_PHASE[at].includes(artifact.role))
  )
  const named = new Set(inputs.map(placeOf))
  const unique = found.filter((artifact) => {
    const place = placeOf(artifact)
    if (!producedIn(phase, artifact.role) || named.has(place)) return false
    return named.add(place)
  })
  const primary = Option.fromNullable(unique.find((artifact) => artifact.role !== "required"))
  return {
    phase,
    products: unique,
    inputs,
    primary,
    replaces:
      Option.isSome(phase) || Option.exists(primary, ({ role }) => role === "output" || role === "checklist"),
    problems
  }
}

/** What two ways to write one path have in common; a folder's is another one than a file's. */
const placeOf = ({ path }: DeclaredArtifact): string => `${normalise(path)}${namesFolder(path) ? "/" : ""}`

const producedIn = (phase: Option.Option<Phase>, role: ArtifactRole): boolean =>
  Option.match(phase, {
    onNone: () => true,
    onSome: (at) =>
      role === "output" || role === "checklist" || role === "required" || role === ROLE_OF_PHASE[at]
  })

const read = (payload: JsonObject) => {
  const found: Array<DeclaredArtifact> = []
  const problems: Array<string> = []
  const take = (key: string, role: ArtifactRole, value: unknown) => {
    if (value === undefined || value === null) return
    if (typeof value === "string" && value.trim() !== "") found.push({ role, key, path: value })
    else problems.push(`payload.${key} is ${shown(value)}; expected a path relative to the artifact root`)
  }
  for (const [key, role] of KEYS) take(key, role, payload[key])
  const required = payload.required_artifacts
  if (Array.isArray(required))
    required.forEach((value, at) => {
      take(`required_artifacts[${at}]`, "required", value)
    })
  else if (required !== undefined && required !== null)
    problems.push(`payload.required_artifacts is ${shown(required)}; expected a list of paths`)
  return { found, problems }
}

const shown = (value: unknown): string => abridged(JSON.stringify(value) ?? String(value), 80)
