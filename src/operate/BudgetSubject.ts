import { Effect, Option } from "effect"
import { remedyFor } from "../config/NearMiss.ts"
import { type Budget, RuntimeConfig, type Settings } from "../config/RuntimeConfig.ts"
import { workflowTemplateOf } from "../dispatch/Charging.ts"
import { abridged } from "../domain/Abridged.ts"
import type { Task } from "../domain/Task.ts"
import type { Account } from "../store/Budgets.ts"
import { namesOf } from "../workflow/Templates.ts"
import { Refusal } from "./Refusal.ts"

const NOUNS = {
  adapter: { one: "adapter", many: "adapters", shows: "adapters" },
  profile: { one: "profile", many: "profiles", shows: "healthcheck" },
  workflow: { one: "workflow template", many: "workflow templates", shows: "workflow-templates" }
}

/** What a budget that counts each on its own can count: what is configured. */
const configured = (per: keyof typeof NOUNS, settings: Settings): ReadonlyArray<string> => {
  switch (per) {
    case "adapter":
      return [...settings.adapters.keys()]
    case "profile":
      return [...settings.profiles.keys()]
    case "workflow":
      return namesOf(settings.workflows)
  }
}

/** What is wrong with a subject or a task that was named beside a budget. */
export const subjectUnfit = (message: string, hint: string) =>
  new Refusal({ code: "subject_unfit", message, hint, exitCode: 2 })

/**
 * What was said of the subject, against what the budget counts; none where nothing was and there are several. A name
 * that is not configured is one only while it has an account among `present`: any other would be counted by nothing.
 */
export const subjectOf = <E, R>(
  budget: Budget,
  given: Option.Option<string>,
  present: Effect.Effect<ReadonlyArray<Account>, E, R>
) =>
  Effect.gen(function* () {
    const only = budget.per === "all" ? Option.some("") : budget.match
    if (Option.isNone(given)) return only
    const said = `subject: found "${abridged(given.value)}"`
    if (Option.isSome(only) && only.value !== given.value)
      return yield* subjectUnfit(
        `${said}; budget ${budget.id} counts ${only.value === "" ? "all together" : only.value}`,
        "leave it out"
      )
    if (budget.per === "all" || Option.isSome(only)) return given
    const names = configured(budget.per, yield* RuntimeConfig)
    if (names.includes(given.value) || (yield* present).some(({ subject }) => subject === given.value))
      return given
    const { many, one, shows } = NOUNS[budget.per]
    return yield* subjectUnfit(
      `${said}, which is no ${one}; budget ${budget.id} counts each ${one} on its own`,
      remedyFor(given.value, names, many) || `agent-runtime ${shows} lists them`
    )
  })

/** Refuses a task that a budget by workflow template does not count under that template. */
export const countedUnder = (budget: Budget, task: Pick<Task, "taskId" | "workflowId">, subject: string) =>
  Effect.gen(function* () {
    if (budget.per !== "workflow") return
    const template = yield* workflowTemplateOf(task)
    if (Option.contains(template, subject)) return
    const of = Option.match(template, {
      onNone: () => "no workflow",
      onSome: (name) => `a workflow of ${name}`
    })
    return yield* subjectUnfit(
      `task: budget ${budget.id} counts ${subject} here, and task ${task.taskId} is of ${of}`,
      "name a task of such a workflow"
    )
  })
