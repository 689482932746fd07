import { HttpApiBuilder } from "@effect/platform"
import { Option } from "effect"
import { WorkflowProposal } from "../../domain/SensorEvent.ts"
import { complete, create, list, type Named, show, templates, transition } from "../../operate/Workflows.ts"
import { answer } from "../Answer.ts"
import { Api } from "../Api.ts"
import { taking, takingNothing } from "../Body.ts"
import { TransitionBody } from "../groups/Workflows.ts"

/** Instances of a list where the caller does not say how many. */
const WORKFLOWS = 50

/** An instance by what stands in the path: digits are its id, all else its key. */
const named = (text: string): Named =>
  /^\d{1,15}$/.test(text)
    ? { id: Option.some(Number(text)), instanceKey: Option.none() }
    : { id: Option.none(), instanceKey: Option.some(text) }

export const workflows = HttpApiBuilder.group(Api, "workflows", (handlers) =>
  handlers
    .handle(
      "list",
      ({ urlParams: { after, all = false, counted = false, limit = WORKFLOWS, status = [] } }) =>
        answer(list, { all, status, limit, after: Option.fromNullable(after), counted })
    )
    .handle("templates", () => answer(templates, {}))
    .handle("show", ({ path: { id } }) => answer(show, named(id)))
    .handleRaw("create", () =>
      taking(WorkflowProposal, ({ context, instanceKey, state, template }) =>
        answer(
          create,
          { template, instanceKey, context, state: Option.fromNullable(state) },
          ({ created }) => (created ? 201 : 200)
        )
      )
    )
    .handleRaw("transition", ({ path: { id } }) =>
      taking(TransitionBody, ({ context, state }) => answer(transition, { ...named(id), state, context }))
    )
    .handleRaw("complete", ({ path: { id } }) => takingNothing(() => answer(complete, named(id))))
)
