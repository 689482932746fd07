import { HttpApiBuilder } from "@effect/platform"
import { Option } from "effect"
import { cancelMatching, retryMatching } from "../../operate/Bulk.ts"
import { send } from "../../operate/Message.ts"
import { intake } from "../../operate/Queue.ts"
import { replay } from "../../operate/Replay.ts"
import { blocked, ended, page, reasons, upcoming } from "../../operate/TaskPages.ts"
import { cancel, retry, show } from "../../operate/Tasks.ts"
import { answer } from "../Answer.ts"
import { Api } from "../Api.ts"
import { taking, takingAny } from "../Body.ts"
import { CancelBody, CancelMatchingBody, ReplayBody, RetryBody, RetryMatchingBody } from "../groups/Tasks.ts"

/** Tasks of a page where the caller does not say how many. */
const TASKS = 50

/** Tasks whose reasons are told where the caller does not say how many. */
const REASONS = 20

/** Bytes of a message with all that stands beside it. */
const MOST_MESSAGE = 64 * 1024

const filled = (text: string | undefined) =>
  Option.filter(Option.fromNullable(text), (one) => one.trim() !== "")

const filterOf = ({ kind, source, status = [] }: typeof CancelMatchingBody.Type.filter) => ({
  status: typeof status === "string" ? [status] : status,
  kind: Option.fromNullable(kind),
  source: Option.fromNullable(source)
})

export const tasks = HttpApiBuilder.group(Api, "tasks", (handlers) =>
  handlers
    .handle("list", ({ urlParams: { after, kind, limit = TASKS, q, source, status = [] } }) =>
      answer(page, {
        limit,
        status,
        kind: Option.fromNullable(kind),
        source: Option.fromNullable(source),
        words: filled(q),
        after: filled(after)
      })
    )
    .handle("upcoming", ({ urlParams: { limit = TASKS } }) => answer(upcoming, { limit }))
    .handle("reasons", ({ urlParams: { limit = REASONS } }) => answer(reasons, { limit }))
    .handle("blocked", ({ urlParams: { after, limit = TASKS } }) =>
      answer(blocked, { limit, after: filled(after) })
    )
    .handle("ended", ({ urlParams: { after, limit = TASKS } }) =>
      answer(ended, { limit, after: filled(after) })
    )
    .handle("show", ({ path: { id } }) => answer(show, { id }))
    .handleRaw("queue", () => takingAny((message) => answer(send, message, 201), MOST_MESSAGE))
    .handleRaw("intake", () =>
      takingAny((intent) => answer(intake, intent, ({ queued }) => (queued ? 201 : 200)))
    )
    .handleRaw("cancelMatching", () =>
      taking(CancelMatchingBody, ({ dry_run = false, filter, force = false, reason }) =>
        answer(cancelMatching, {
          filter: filterOf(filter),
          dryRun: dry_run,
          force,
          reason: Option.fromNullable(reason)
        })
      )
    )
    .handleRaw("retryMatching", () =>
      taking(RetryMatchingBody, ({ dry_run = false, filter, note }) =>
        answer(retryMatching, {
          filter: filterOf(filter),
          dryRun: dry_run,
          note: Option.fromNullable(note)
        })
      )
    )
    .handleRaw("cancel", ({ path: { id } }) =>
      taking(CancelBody, ({ force = false, reason }) =>
        answer(cancel, { id, reason: Option.fromNullable(reason), force })
      )
    )
    .handleRaw("retry", ({ path: { id } }) =>
      taking(RetryBody, ({ note }) => answer(retry, { id, note: Option.fromNullable(note) }))
    )
    .handleRaw("replay", ({ path: { id } }) =>
      taking(ReplayBody, ({ adapter, attempt_id }) =>
        answer(replay, { attemptId: attempt_id ?? id, adapter: Option.fromNullable(adapter) }, 201)
      )
    )
)
