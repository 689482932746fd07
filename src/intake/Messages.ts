import { Effect, Option } from "effect"
import type { Stamp } from "../domain/Actor.ts"
import { counted } from "../domain/Figure.ts"
import { IdSource, MessageId } from "../domain/Ids.ts"
import { isObject, type JsonObject } from "../domain/Json.ts"
import { traced } from "../domain/Traced.ts"
import { Store } from "../store/Store.ts"
import type { Parent } from "./FollowUps.ts"

/** Of one outcome; what is beyond is refused as one, however much it is. */
const MOST_OF_ONE_OUTCOME = 1_000

/** The keys by which a message says of what sort it is, or which way it goes: no contract names one, models choose. */
const SORT_KEYS = [
  ...["type", "kind", "channel", "service", "platform", "integration"],
  ...["to", "recipient", "target", "destination", "via", "medium", "transport", "bridge", "provider"]
]

/** Words of a switch that say that something is sent, not what or whereto. */
const SENDING = new Set(["allow", "external", "outbound", "post", "send", "message"])

/** The words in a name, each in the singular: `allow_github_comments` has the same as `github-comment` and `allow`. */
const wordsOf = (name: string): ReadonlyArray<string> =>
  name
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "")
    .map((word) => (word.length > 3 ? word.replace(/s$/, "") : word))

/** Mail by whatever name, and by its address. */
const isMail = (text: string): boolean => /\be?-?mails?\b|^[^@\s]+@[^@\s]+$/i.test(text.trim())

const sortOf = (message: JsonObject): ReadonlySet<string> => {
  const named = SORT_KEYS.flatMap((key) => textsIn(message[key]))
  // `{ "discord": { ... } }`: what holds the rest of the message names its sort.
  const holding = Object.keys(message).filter((key) => isObject(message[key]))
  const all = [...named, ...holding]
  return new Set([...all.flatMap(wordsOf), ...(all.some(isMail) ? ["email"] : [])])
}

/** A text, those of a list, or those of an object. */
const textsIn = (value: unknown): ReadonlyArray<string> => {
  const values = Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [value]
  return values.filter((one) => typeof one === "string")
}

/** Whether a name means messages of this sort: all its words are among theirs; one without words means all. */
const covers = (words: ReadonlyArray<string>, sort: ReadonlySet<string>): boolean =>
  words.every((word) => sort.has(word))

/** Why a message is not put into the outbox; undefined when it is. */
const objection = (message: JsonObject, { profile, round }: Parent): string | undefined => {
  const { integrationPolicies, resultSchema, toolPolicy } = profile
  if (Option.isSome(round.replayOf)) return "a replay sends no messages, its first run did"
  if (!resultSchema.allowExternalMessages) return "the profile does not allow external messages"
  const sort = sortOf(message)
  const off = Object.keys(toolPolicy).find(
    (name) =>
      toolPolicy[name] === false &&
      name !== "allow_repo_changes" &&
      covers(
        wordsOf(name).filter((word) => !SENDING.has(word)),
        sort
      )
  )
  if (off !== undefined) return `the profile's tool policy says ${off}: false`
  const withheld = Object.keys(integrationPolicies).find(
    (name) => integrationPolicies[name] === "none" && wordsOf(name).length > 0 && covers(wordsOf(name), sort)
  )
  return withheld === undefined ? undefined : `the profile's integration policies say ${withheld}: none`
}

/** A task may be run again: what it has put out is not put out a second time. */
const sentBefore = (message: JsonObject, { attemptId, round, task }: Parent) =>
  Effect.gen(function* () {
    // Only a completed outcome sends, and the round ends with it.
    if (round.round === 1) return undefined
    const store = yield* Store
    const before = yield* store.outbox.putOutBefore({ taskId: task.taskId, attemptId, message })
    return Option.match(before, {
      onNone: () => undefined,
      onSome: (id) => `it was put out before, as message ${id}`
    })
  })

/** The messages of an outcome, each with the id that it has once it is put out, and how many are too many. */
export interface Planned {
  readonly messages: ReadonlyArray<{ readonly id: MessageId; readonly message: JsonObject }>
  readonly dropped: number
}

/** Gives the messages of an outcome their ids, before the transaction that puts them out. */
export const plan = traced("Messages.plan")(function* (asked: ReadonlyArray<JsonObject>) {
  const ids = yield* IdSource
  const messages = yield* Effect.forEach(asked.slice(0, MOST_OF_ONE_OUTCOME), (message) =>
    Effect.map(ids.next, (id) => ({ id: MessageId.make(id), message }))
  )
  return { messages, dropped: asked.length - messages.length } satisfies Planned
})

/**
 * Puts the messages of a completed outcome into the outbox, inside the caller's transaction; what its profile
 * does not allow is told as an event and goes nowhere.
 */
export const putOut = traced("Messages.putOut")(function* (
  { dropped, messages }: Planned,
  parent: Parent,
  stamp: Stamp
) {
  const store = yield* Store
  const { attemptId, task } = parent
  const refuse = (detail: JsonObject) =>
    store.events.append(
      {
        type: "follow_up_refused",
        taskId: Option.some(task.taskId),
        attemptId: Option.some(attemptId),
        detail: { what: "external_message", ...detail }
      },
      stamp
    )
  for (const { id, message } of messages) {
    const reason = objection(message, parent) ?? (yield* sentBefore(message, parent))
    if (reason === undefined) yield* store.outbox.add({ id, taskId: task.taskId, attemptId, message }, stamp)
    else yield* refuse({ reason, asked: message })
  }
  if (dropped === 0) return
  const most = counted(MOST_OF_ONE_OUTCOME)
  yield* refuse({
    reason: `one outcome sends at most ${most}, this one asked for ${counted(messages.length + dropped)}`,
    dropped
  })
})
