import { Schema } from "effect"
import { TaskId, WorkflowId } from "../../domain/Ids.ts"
import { RunEvent } from "../../domain/RunEvent.ts"
import { Time } from "../../domain/Time.ts"
import { nullable, wireStruct } from "../../domain/Wire.ts"
import { Workflow } from "../../domain/Workflow.ts"
import { State } from "../../domain/WorkflowTemplate.ts"

/** `created` is false where the key was taken: then it is the instance that has it. */
export const OpenedWorkflow = wireStruct({
  created: Schema.Boolean,
  workflowId: WorkflowId,
  template: Schema.String,
  instanceKey: Schema.String,
  state: Schema.String
}).annotations({ identifier: "OpenedWorkflow" })

/**
 * What an active instance waits for: an answer to the `question` of its own task, or that the unfinished task that holds
 * the `dedupe_key` of its own one, which is made once that is free, ends.
 */
const waiting = wireStruct({
  waitsFor: nullable(
    wireStruct({
      taskId: TaskId,
      dedupeKey: nullable(Schema.String),
      question: nullable(Schema.String),
      /** When the question runs out. */
      until: nullable(Time)
    })
  )
})

/** A page of instances, newest first; where it was asked for, how many there are in all of each status. */
export const WorkflowList = wireStruct({
  workflows: Schema.Array(Schema.extend(Workflow, waiting)),
  next: nullable(Schema.String),
  counts: Schema.optional(wireStruct({ active: Schema.Int, stalled: Schema.Int, completed: Schema.Int }))
}).annotations({ identifier: "WorkflowList" })

/** One instance with its history. */
export const WorkflowStory = Schema.extend(
  Schema.extend(Workflow, waiting),
  wireStruct({ unfinishedTask: nullable(TaskId), history: Schema.Array(RunEvent) })
)

export const MovedWorkflow = wireStruct({
  transitioned: Schema.Literal(true),
  workflowId: WorkflowId,
  from: Schema.String,
  to: Schema.String
}).annotations({ identifier: "MovedWorkflow" })

export const CompletedWorkflow = wireStruct({
  completed: Schema.Literal(true),
  workflowId: WorkflowId,
  state: Schema.String
}).annotations({ identifier: "CompletedWorkflow" })

/** The templates that workflows can be opened from, each with its diagram. */
export const TemplateList = wireStruct({
  templates: Schema.Array(
    wireStruct({
      name: Schema.String,
      builtIn: Schema.Boolean,
      initialState: Schema.String,
      states: Schema.Record({ key: Schema.String, value: State }),
      mermaid: Schema.String
    })
  )
}).annotations({ identifier: "TemplateList" })
