import { DateTime, Option, Schema } from "effect"
import { Attempt } from "../domain/Attempt.ts"
import { now } from "../domain/Time.ts"
import { traced } from "../domain/Traced.ts"
import { nullable, wireStruct } from "../domain/Wire.ts"
import { Store } from "../store/Store.ts"
import { operation } from "./Operation.ts"

/** What is meant where nobody says since when. */
export const USUAL_HOURS = 24

const Listed = Schema.extend(Attempt, wireStruct({ kind: Schema.String, subject: nullable(Schema.String) }))

/**
 * What ran in a stretch of time, newest first: attempts that were begun at or after `since` (a day ago where it is
 * none) and before `until`, each with kind and subject of its task. `more` when there are older ones in it.
 */
export const listAttempts = operation({
  name: "attempts.list",
  role: "read",
  output: wireStruct({ attempts: Schema.Array(Listed), more: Schema.Boolean }),
  run: traced("AttemptList.listAttempts")(function* (input: {
    readonly since: Option.Option<DateTime.Utc>
    readonly until: Option.Option<DateTime.Utc>
    /** 1..500. */
    readonly limit: number
  }) {
    const store = yield* Store
    const at = yield* now
    const since = Option.getOrElse(input.since, () => DateTime.subtract(at, { hours: USUAL_HOURS }))
    const found = yield* store.attempts.begun(since, input.until, input.limit + 1)
    const attempts = found
      .slice(0, input.limit)
      .map(({ attempt, kind, subject }) => ({ ...attempt, kind, subject }))
    return { attempts, more: found.length > input.limit }
  })
})
