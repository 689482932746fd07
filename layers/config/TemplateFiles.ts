import { Either } from "effect"
import { finding, judge } from "../../src/config/Issues.ts"
import { misnamed } from "../../src/config/References.ts"
import { Template } from "../../src/domain/WorkflowTemplate.ts"
import { templateFaults } from "../../src/workflow/Faults.ts"
import type { Judge } from "./NamedFiles.ts"

/** Decodes a workflow template that works: what it names is there, what it has can be reached. */
export const judgeTemplate: Judge<Template> = (id, value) =>
  Either.flatMap(judge(Template)(value), (template) => {
    const wrong = [
      ...misnamed("name", id, template.name),
      ...templateFaults(template).map(({ at, expected, found, remedy }) =>
        finding("unfit", at, found, expected, remedy)
      )
    ]
    return wrong.length === 0 ? Either.right(template) : Either.left(wrong)
  })
