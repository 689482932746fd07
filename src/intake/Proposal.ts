import { Effect, Either, Option } from "effect"
import { Invalid, type Problem } from "../config/Issues.ts"
import type { WorkflowProposal } from "../domain/SensorEvent.ts"
import { judgeOpening, type Opened, type Unfit, unfitOf } from "./Workflow.ts"

/** A problem's place where its value stands at `path` of a document. */
export const under = (path: string, problem: Problem): Problem => {
  const dot = problem.path === "" || problem.path.startsWith("[") ? "" : "."
  return { ...problem, path: `${path}${dot}${problem.path}` }
}

/** What was judged of a proposed workflow. */
export type JudgedProposal =
  | { readonly _tag: "Opens"; readonly opened: Opened }
  | ({ readonly _tag: "Unfit" } & Unfit)

const OWN = new Set(["template", "instance_key", "state", "context"])

/** Judges a proposed workflow that stands at `path` of its document. */
export const judgeProposal = (proposal: WorkflowProposal, path: string) =>
  Effect.map(
    Effect.either(judgeOpening({ ...proposal, state: Option.fromNullable(proposal.state) })),
    Either.match({
      onRight: (opened): JudgedProposal => ({ _tag: "Opens", opened }),
      onLeft: (unfit): JudgedProposal => ({
        _tag: "Unfit",
        anyway: unfitOf(unfit).anyway,
        invalid: new Invalid({
          problems: unfit.problems.map((problem) =>
            OWN.has(problem.path)
              ? under(path, problem)
              : { ...problem, path: `${path}.context: of its first task ${problem.path}` }
          )
        })
      })
    })
  )
