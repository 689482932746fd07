import { Effect, Schema } from "effect"
import { TaskId, WorkflowId } from "../domain/Ids.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { wireStruct } from "../domain/Wire.ts"
import { readBacklog, type SourceCrowded, seed as seedAll } from "../intake/Backlog.ts"
import { tooManyOperatorTasks } from "./Message.ts"
import { operation } from "./Operation.ts"
import { Refusal } from "./Refusal.ts"

const crowded = ({ source }: SourceCrowded) =>
  new Refusal({
    code: "source_crowded",
    message: `nothing was seeded: with those of the file, source ${JSON.stringify(source)} has more than 10,000 tasks, too many to tell which of them are there already`,
    hint: "give the tasks of a backlog a source of their own"
  })

/** Makes what of a backlog is not there yet. A second run of the same makes nothing. */
export const seed = operation({
  name: "backlog.seed",
  role: "operate",
  output: wireStruct({
    workflows: Schema.Array(
      wireStruct({ created: Schema.Boolean, workflowId: WorkflowId, instanceKey: Schema.String })
    ),
    tasks: Schema.Array(
      wireStruct({ created: Schema.Boolean, taskId: TaskId, kind: Schema.String, source: Schema.String })
    )
  }),
  run: traced("Backlog.seed")(function* (input: unknown, actor) {
    const backlog = yield* readBacklog(input)
    return yield* seedAll(backlog, { at: yield* now, actor }).pipe(
      Effect.catchTags({
        SourceCrowded: (found) => Effect.fail(crowded(found)),
        TooManyOperatorTasks: () => Effect.fail(tooManyOperatorTasks)
      })
    )
  })
})
