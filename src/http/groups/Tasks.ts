import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "@effect/platform"
import { Schema } from "effect"
import { Intent, OperatorText, TaskStatus } from "../../domain/Task.ts"
import { TASK_STATUSES } from "../../domain/TaskStatuses.ts"
import { OperatorMessage } from "../../intake/OperatorMessage.ts"
import { Bulk } from "../../operate/answers/Bulk.ts"
import {
  EndedPage,
  MovedTask,
  QueuedMessage,
  QueuedTask,
  QueueReasons,
  ReplayedTask,
  TaskPage,
  TaskStory
} from "../../operate/answers/Tasks.ts"
import {
  choices,
  cursor,
  maybe,
  orNull,
  query,
  sought,
  soughtText,
  strict,
  whole,
  withStatus,
  words
} from "../Contract.ts"

const id = HttpApiSchema.param("id", Schema.String)

/** What a task list may be asked for. */
export const TaskQuery = query({
  limit: maybe(whole(1, 500)),
  status: maybe(choices(TASK_STATUSES)),
  kind: maybe(sought),
  source: maybe(sought),
  q: maybe(words),
  after: maybe(cursor)
})

/** What `POST /api/tasks/:id/cancel` takes. */
export const CancelBody = strict(
  Schema.Struct({ reason: orNull(OperatorText), force: Schema.optional(Schema.Boolean) })
)

/** What `POST /api/tasks/:id/retry` takes. */
export const RetryBody = strict(Schema.Struct({ note: orNull(OperatorText) }))

/** What `POST /api/tasks/:id/replay` takes; without an attempt its last one is replayed. */
export const ReplayBody = strict(
  Schema.Struct({ attempt_id: orNull(Schema.String), adapter: orNull(Schema.String) })
)

const Filter = Schema.Struct({
  status: Schema.optionalWith(
    Schema.Union(TaskStatus, Schema.Array(TaskStatus).pipe(Schema.minItems(1))).annotations({
      description: `one of ${TASK_STATUSES.join(", ")}, or a list of at least one of them`
    }),
    { nullable: true }
  ),
  kind: orNull(soughtText),
  source: orNull(soughtText)
}).annotations({ description: "an object with status, kind and source, one of them at least" })

/** What `POST /api/tasks/cancel` takes: all that fit the filter. */
export const CancelMatchingBody = strict(
  Schema.Struct({
    filter: Filter,
    reason: orNull(OperatorText),
    force: Schema.optional(Schema.Boolean),
    dry_run: Schema.optional(Schema.Boolean)
  })
)

/** What `POST /api/tasks/retry` takes: all that fit the filter. */
export const RetryMatchingBody = strict(
  Schema.Struct({ filter: Filter, note: orNull(OperatorText), dry_run: Schema.optional(Schema.Boolean) })
)

/** Tasks: the queue and what became of it. */
export const Tasks = HttpApiGroup.make("tasks")
  .add(
    HttpApiEndpoint.get("list", "/api/tasks")
      .setUrlParams(TaskQuery)
      .addSuccess(TaskPage)
      .annotate(OpenApi.Summary, "Tasks by filter, newest first, a page at a time")
  )
  .add(
    HttpApiEndpoint.get("upcoming", "/api/queue")
      .setUrlParams(query({ limit: maybe(whole(1, 500)) }))
      .addSuccess(TaskPage)
      .annotate(OpenApi.Summary, "The tasks that wait, in the order in which they would be taken")
  )
  .add(
    HttpApiEndpoint.get("reasons", "/api/queue/reasons")
      .setUrlParams(query({ limit: maybe(whole(1, 100)) }))
      .addSuccess(QueueReasons)
      .annotate(OpenApi.Summary, "What each of the tasks waits for that would be taken first")
  )
  .add(
    HttpApiEndpoint.get("blocked", "/api/blocked")
      .setUrlParams(query({ limit: maybe(whole(1, 500)), after: maybe(cursor) }))
      .addSuccess(TaskPage)
      .annotate(
        OpenApi.Summary,
        "The tasks that are blocked, those first that have been so longest, a page at a time"
      )
  )
  .add(
    HttpApiEndpoint.get("ended", "/api/done")
      .setUrlParams(query({ limit: maybe(whole(1, 500)), after: maybe(cursor) }))
      .addSuccess(EndedPage)
      .annotate(
        OpenApi.Summary,
        "The tasks that have ended, those first that ended last, with what they used, a page at a time"
      )
  )
  .add(
    HttpApiEndpoint.get("show")`/api/tasks/${id}`
      .addSuccess(TaskStory)
      .annotate(OpenApi.Summary, "The whole story of one task")
  )
  .add(
    HttpApiEndpoint.post("queue", "/api/tasks/queue")
      .setPayload(OperatorMessage)
      .addSuccess(withStatus(201, QueuedMessage))
      .annotate(OpenApi.Summary, "Queues a message of an operator; /word in it is a skill reference")
  )
  .add(
    HttpApiEndpoint.post("intake", "/api/tasks")
      .setPayload(Intent)
      .addSuccess(withStatus(201, QueuedTask))
      .addSuccess(QueuedTask)
      .annotate(
        OpenApi.Summary,
        "Queues an intent; while an unfinished task has its dedupe_key (200) answers that one"
      )
  )
  .add(
    HttpApiEndpoint.post("cancelMatching", "/api/tasks/cancel")
      .setPayload(CancelMatchingBody)
      .addSuccess(Bulk)
      .annotate(OpenApi.Summary, "Cancels all tasks that fit a filter; with dry_run only counts them")
  )
  .add(
    HttpApiEndpoint.post("retryMatching", "/api/tasks/retry")
      .setPayload(RetryMatchingBody)
      .addSuccess(Bulk)
      .annotate(OpenApi.Summary, "Retries all tasks that fit a filter; with dry_run only counts them")
  )
  .add(
    HttpApiEndpoint.post("cancel")`/api/tasks/${id}/cancel`
      .setPayload(CancelBody)
      .addSuccess(MovedTask)
      .annotate(OpenApi.Summary, "Cancels a task; a running one only with force")
  )
  .add(
    HttpApiEndpoint.post("retry")`/api/tasks/${id}/retry`
      .setPayload(RetryBody)
      .addSuccess(MovedTask)
      .annotate(OpenApi.Summary, "Begins a fresh round of a blocked or ended task")
  )
  .add(
    HttpApiEndpoint.post("replay")`/api/tasks/${id}/replay`
      .setPayload(ReplayBody)
      .addSuccess(withStatus(201, ReplayedTask))
      .annotate(OpenApi.Summary, "Runs a recorded bundle of a task again, as a new task")
  )
