import { DateTime, Hash } from "effect"
import type { JsonObject } from "../../domain/Json.ts"
import type { Template } from "../../domain/WorkflowTemplate.ts"

const MOST_SLUG = 48

const GOAL = {
  objective: "{{context.objective}}",
  summary: { $first: ["{{context.summary}}", "{{context.objective}}"] },
  scope: "{{context.scope}}"
}
const PROFILE = { requested_profile: { $first: ["{{context.requested_profile}}", null] } }
const PLAN = "{{context.plan_artifact}}"
const report = (what: "execute" | "verify") =>
  `reports/{{context.base_name}}-${what}-{{context.execution_iteration}}.md`

const skills = (key: string, ...usual: ReadonlyArray<string>) => ({
  $first: [`{{context.${key}}}`, usual]
})

/**
 * Plans, executes and verifies until the verification says `complete`: `continue` begins another iteration,
 * `revise_plan` a new plan. A state that is blocked waits for its operator.
 */
export const goalLoop: Template = {
  name: "goal-loop",
  initial_state: "plan",
  context: {},
  counts: { continue: "execution_iteration" },
  states: {
    plan: {
      task: {
        kind: "goal-plan",
        priority: 7,
        subject: "Plan: {{context.objective}}",
        description:
          "Write the plan that the executing task will work by. Judge nothing as done that you have not looked at.",
        ...PROFILE,
        payload: {
          ...GOAL,
          phase: "plan",
          phase_skills: skills("plan_phase_skills", "planning", "artifact-reporting"),
          proposal_artifact: PLAN,
          required_artifacts: [PLAN],
          acceptance_criteria: [
            "the plan names each change and the file or system that it touches",
            "each step can be checked by somebody else, and the plan says how",
            "what is out of scope is said"
          ]
        }
      },
      advance_on: { "goal-plan": "plan_ready" },
      on: { plan_ready: "execute" },
      retry_limit: 0
    },
    execute: {
      task: {
        kind: "goal-execute",
        priority: 7,
        subject: "Execute ({{context.execution_iteration}}): {{context.objective}}",
        description: "Work by the plan and report what was done, what was not, and how it can be seen.",
        ...PROFILE,
        payload: {
          ...GOAL,
          phase: "execute",
          phase_skills: skills("execute_phase_skills", "repo-edit", "verification", "artifact-reporting"),
          iteration: "{{context.execution_iteration}}",
          proposal_artifact: PLAN,
          implementation_artifact: report("execute"),
          required_artifacts: [report("execute")]
        }
      },
      advance_on: { "goal-execute": "execute_ready" },
      on: { execute_ready: "verify" },
      retry_limit: 0
    },
    verify: {
      task: {
        kind: "goal-verify",
        priority: 7,
        subject: "Verify ({{context.execution_iteration}}): {{context.objective}}",
        description:
          "Check the report against what is there, then decide: complete, continue with another iteration, or revise the plan.",
        ...PROFILE,
        payload: {
          ...GOAL,
          phase: "verify",
          phase_skills: skills("verify_execute_phase_skills", "review", "verification", "artifact-reporting"),
          iteration: "{{context.execution_iteration}}",
          proposal_artifact: PLAN,
          implementation_artifact: report("execute"),
          verification_artifact: report("verify"),
          required_artifacts: [report("verify")],
          accepted_signals: ["continue", "complete", "revise_plan"]
        }
      },
      advance_on: { "goal-verify": "$signal" },
      on: { continue: "execute", complete: "complete", revise_plan: "plan" },
      retry_limit: 0
    },
    complete: {}
  }
}

/**
 * The context that a goal loop begins with: what it is named after is fixed when it is opened, and is no other's, for
 * its artifacts would be. Values that are null or of no use count as left out.
 */
export const openGoalLoop = (given: JsonObject, at: DateTime.Utc, instanceKey: string): JsonObject => {
  const context = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null))
  const objective = words(context.objective) || words(context.summary) || "see the context"
  const baseName =
    words(context.base_name) ||
    `${compact(at)}-${markOf(instanceKey)}-${slug(words(context.summary) || objective)}`
  return {
    ...context,
    objective,
    scope: context.scope ?? [],
    base_name: baseName,
    plan_artifact: words(context.plan_artifact) || `plans/${baseName}-plan.md`,
    execution_iteration: count(context.execution_iteration, 1),
    max_iterations: count(context.max_iterations, 10)
  }
}

/** What the payload of a goal loop's task tells of its context, for an instance whose own lacks it. */
export const recalled = (payload: JsonObject): JsonObject => {
  const plan = words(payload.proposal_artifact)
  const base = /^plans\/(.+)-plan\.md$/s.exec(plan)?.[1]
  return {
    ...(plan === "" ? {} : { plan_artifact: plan }),
    ...(base === undefined ? {} : { base_name: base }),
    ...(payload.iteration === undefined ? {} : { execution_iteration: payload.iteration })
  }
}

const words = (value: unknown): string => (typeof value === "string" ? value.trim() : "")

const count = (value: unknown, otherwise: number): number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 1 ? value : otherwise

/** `20260429-070102-017` */
const compact = (at: DateTime.Utc): string =>
  DateTime.formatIso(at).slice(0, 23).replace(/[-:]/g, "").replace(/[T.]/g, "-")

/** Tells apart those that are opened in one moment, as a backlog's are, with one summary, or one without a letter of ASCII. */
const markOf = (instanceKey: string): string => (Hash.string(instanceKey) >>> 0).toString(36)

const slug = (text: string): string =>
  text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, MOST_SLUG)
    .replace(/^-+|-+$/g, "") || "goal"
