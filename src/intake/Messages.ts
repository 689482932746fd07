import { Effect, Option } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import type { JsonObject } from "../domain/Json.ts"
import { Store } from "../store/Store.ts"
import type { Parent } from "./FollowUps.ts"

/** The keys by which a message says of what sort it is. */
const SORT_KEYS = ["type", "kind", "channel", "service", "platform"]

/** The words of a message that a tool policy may forbid: `allow_<word>` or `allow_<word>_post`. */
const sortsOf = (message: JsonObject): ReadonlyArray<string> =>
  SORT_KEYS.flatMap((key) => {
    const sort = message[key]
    return typeof sort === "string" ? [sort.toLowerCase().replace(/[^a-z0-9]+/g, "_")] : []
  })

/** Why a message is not put into the outbox; undefined when it is. */
const objection = (message: JsonObject, { profile, round }: Parent): string | undefined => {
  const { resultSchema, toolPolicy } = profile
  if (Option.isSome(round.replayOf)) return "a replay sends no messages, its first run did"
  if (!resultSchema.allowExternalMessages) return "the profile does not allow external messages"
  const switches = sortsOf(message).flatMap((sort) => [`allow_${sort}`, `allow_${sort}_post`])
  const off = ["allow_external_post", ...switches].find((one) => toolPolicy[one] === false)
  return off === undefined ? undefined : `the profile's tool policy says ${off}: false`
}

/**
 * Puts the messages of a completed outcome into the outbox, inside the caller's transaction; what its profile
 * does not allow is told as an event and goes nowhere.
 */
export const putOut = Effect.fn("Messages.putOut")(function* (
  messages: ReadonlyArray<JsonObject>,
  parent: Parent,
  stamp: Stamp
) {
  const store = yield* Store
  const { attemptId, task } = parent
  for (const message of messages) {
    const reason = objection(message, parent)
    if (reason === undefined) yield* store.outbox.add({ taskId: task.taskId, attemptId, message }, stamp)
    else
      yield* store.events.append(
        {
          type: "follow_up_refused",
          taskId: Option.some(task.taskId),
          attemptId: Option.some(attemptId),
          detail: { what: "external_message", reason, asked: message }
        },
        stamp
      )
  }
})
