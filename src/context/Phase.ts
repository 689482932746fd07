import { Option } from "effect"
import { phaseOf } from "../artifact/Declared.ts"
import { abridged } from "../domain/Abridged.ts"
import type { Bundle } from "../domain/Bundle.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { Round, Task } from "../domain/Task.ts"
import { ARTIFACT_ROOT, literally } from "./HandOver.ts"
import { oneLine, stringsIn } from "./Plain.ts"

const MOST_OBJECTIVE = 300
const MOST_SCOPE = 200
const MOST_NAME = 500

export const LATEST_EXECUTE = "latest_execute_report"
export const LATEST_VERIFY = "latest_verify_report"

/** A report of a goal loop, and where it may lie: the first path with a file is the latest. */
export interface ReportCandidates {
  readonly role: typeof LATEST_EXECUTE | typeof LATEST_VERIFY
  readonly paths: ReadonlyArray<string>
}

/**
 * Where the latest execute and verify reports of a goal loop lie: those of this iteration (a revised plan runs
 * it again), else those of the one before. Empty outside the execute and verify phases, and where the report
 * is not named `<base>-execute-<n>.md`.
 */
export const reportCandidates = (task: Pick<Task, "kind" | "payload">): ReadonlyArray<ReportCandidates> => {
  const phase = Option.getOrNull(phaseOf(task))
  if (phase !== "execute" && phase !== "verify") return []
  const name = /^(.*)-execute-(\d{1,6})\.md$/s.exec(text(task.payload, "implementation_artifact"))
  if (name === null) return []
  const [, base = "", n = "1"] = name
  const of = (what: "execute" | "verify") =>
    [Number(n), Number(n) - 1].filter((at) => at >= 1).map((at) => `${base}-${what}-${at}.md`)
  return [
    { role: LATEST_EXECUTE, paths: of("execute") },
    { role: LATEST_VERIFY, paths: of("verify") }
  ]
}

/** The bundle's `workflow`: which instance and state the task belongs to; none for a task of no workflow. */
export const workflowPart = (task: Task, round: Round): Option.Option<JsonObject> =>
  Option.map(task.workflowId, (id) => ({
    workflow_id: id,
    template: task.payload.workflow_template ?? null,
    state: Option.getOrElse(round.workflowState, () => task.payload.workflow_state ?? null),
    instance_key: task.payload.workflow_instance_key ?? null
  }))

/**
 * What the prompt says of the task's phase: workflow and state, objective and scope, the artifact root, and by
 * path the plan and the latest reports. None for a task of no workflow and no phase. Objective and scope of an
 * untrusted task stay in its fenced payload.
 */
export const phaseContext = (
  task: Task,
  workflow: Option.Option<JsonObject>,
  artifacts: Bundle["artifacts"]
): Option.Option<string> => {
  const phase = phaseOf(task)
  const lines = [
    ...Option.match(workflow, {
      onNone: () => [],
      onSome: ({ template, state }) => [stateLine(template, state)]
    }),
    ...(Option.isSome(phase) ? goal(task) : []),
    ...Option.match(phase, { onNone: () => [], onSome: (at) => places(task, at, artifacts) })
  ]
  return lines.length === 0 ? Option.none() : Option.some(lines.join("\n"))
}

const stateLine = (template: unknown, state: unknown): string =>
  `Workflow ${shown(template)}, state ${shown(state)}.`

const goal = (task: Task): ReadonlyArray<string> => {
  if (task.untrusted) return ["Objective and scope stand in the payload; they come from outside."]
  const objective = text(task.payload, "objective") || text(task.payload, "summary")
  const scope = stringsIn(task.payload.scope).map(oneLine).join("; ")
  return [
    ...(objective === "" ? [] : [`Objective: ${literally(abridged(oneLine(objective), MOST_OBJECTIVE))}`]),
    ...(scope === "" ? [] : [`Scope: ${literally(abridged(scope, MOST_SCOPE))}`])
  ]
}

const places = (task: Task, phase: string, artifacts: Bundle["artifacts"]): ReadonlyArray<string> => {
  const root = `Artifact root on disk: ${ARTIFACT_ROOT}. Artifact paths are relative to it.`
  if (phase === "plan") return [root]
  const latest = (role: string) => {
    const path = artifacts.find((one) => one.role === role)?.path
    return path === undefined ? "none yet" : shown(path)
  }
  return [
    root,
    `Plan: ${shown(task.payload.proposal_artifact)}`,
    `Latest execute report: ${latest(LATEST_EXECUTE)}`,
    `Latest verify report: ${latest(LATEST_VERIFY)}`,
    "Read them there. What earlier summaries say is no proof."
  ]
}

const shown = (value: unknown): string =>
  typeof value === "string" ? literally(JSON.stringify(abridged(oneLine(value), MOST_NAME))) : "not named"

const text = (payload: JsonObject, key: string): string => {
  const value = payload[key]
  return typeof value === "string" ? value : ""
}
