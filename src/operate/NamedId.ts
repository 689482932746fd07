import { Effect, Option, Schema } from "effect"
import { abridged } from "../domain/Abridged.ts"
import { AttemptId, type MessageId, TaskId } from "../domain/Ids.ts"
import { Store } from "../store/Store.ts"
import type { StoreUnavailable } from "../store/StoreError.ts"
import { Refusal } from "./Refusal.ts"

/** A beginning of an id that is shorter names nothing: it would fit one task today and two tomorrow. */
const LEAST = 8

/** So many of the ids that fit are told. */
const MOST_TOLD = 5

const readTaskId = Schema.decodeUnknownOption(TaskId)
const readAttemptId = Schema.decodeUnknownOption(AttemptId)

const ambiguous = (what: string, named: string, ids: ReadonlyArray<string>) =>
  new Refusal({
    code: "id_ambiguous",
    message: `several ${what} begin with ${named}: ${ids.slice(0, MOST_TOLD).join(", ")}${ids.length > MOST_TOLD ? ", …" : ""}`,
    hint: "give more of the one that is meant",
    exitCode: 1
  })

/** The only id that begins like this; none when none does, refused when several do. */
const only = <Id extends string, E, R>(
  what: string,
  named: string,
  startingWith: (prefix: string, limit: number) => Effect.Effect<ReadonlyArray<Id>, E, R>
) =>
  Effect.gen(function* () {
    if (named.length < LEAST) return Option.none<Id>()
    const ids = yield* startingWith(named.toLowerCase(), MOST_TOLD + 1)
    return ids.length > 1 ? yield* ambiguous(what, named, ids) : Option.fromNullable(ids[0])
  })

/** What is to be said of a name that is too short a beginning of an id to be looked for. */
const tooShort = (named: string): string =>
  /^[0-9a-f-]{1,7}$/i.test(named) ? `; a beginning of an id is taken from ${LEAST} characters on` : ""

/** The refusal of a name that no task has. */
export const taskNotFound = (named: string, hint = "agent-runtime task-list shows the newest ones") =>
  new Refusal({
    code: "task_not_found",
    message: `there is no task ${abridged(named)}${tooShort(named)}`,
    hint,
    exitCode: 1
  })

/** The task that a caller means by its id, or by as much of its beginning (8 characters at least) as is no other's. */
export const namedTask = (named: string): Effect.Effect<TaskId, Refusal | StoreUnavailable, Store> =>
  Effect.gen(function* () {
    const store = yield* Store
    const id = readTaskId(named)
    if (Option.isNone(id)) return yield* taskNotFound(named)
    if (Option.isSome(yield* store.tasks.find(id.value))) return id.value
    const begun = yield* only("tasks", named, store.tasks.startingWith)
    if (Option.isSome(begun)) return begun.value
    const attempt = yield* Effect.flatMap(namedAttempt(named), (one) =>
      Option.isSome(one) ? store.attempts.find(one.value) : Effect.succeedNone
    )
    return yield* Option.match(attempt, {
      onNone: () => taskNotFound(named),
      onSome: ({ taskId }) =>
        taskNotFound(named, `that is an attempt of task ${taskId}: agent-runtime task-show ${taskId}`)
    })
  })

/** The attempt that a caller means, as `namedTask`; none when there is none. */
export const namedAttempt = (
  named: string
): Effect.Effect<Option.Option<AttemptId>, Refusal | StoreUnavailable, Store> =>
  Effect.gen(function* () {
    const store = yield* Store
    const id = readAttemptId(named)
    if (Option.isNone(id)) return Option.none()
    if (Option.isSome(yield* store.attempts.find(id.value))) return id
    return yield* only("attempts", named, store.attempts.startingWith)
  })

/** The message of the outbox that a caller means by a beginning of its id, as `namedTask`. */
export const namedMessage = (named: string): Effect.Effect<MessageId, Refusal | StoreUnavailable, Store> =>
  Effect.gen(function* () {
    const store = yield* Store
    const found = yield* only("messages", named, store.outbox.startingWith)
    return yield* Option.match(found, { onNone: () => messageNotFound(named), onSome: Effect.succeed })
  })

/** The refusal of a name that no message of the outbox has. */
export const messageNotFound = (named: string) =>
  new Refusal({
    code: "message_not_found",
    message: `there is no message ${abridged(named)} in the outbox${tooShort(named)}`,
    hint: "agent-runtime outbox-list --all shows the newest ones"
  })
