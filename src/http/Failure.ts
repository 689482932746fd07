import { Cause, Data, Option } from "effect"
import { Invalid, sentence } from "../config/Issues.ts"
import { LockUnusable } from "../dispatch/Lock.ts"
import { Refusal } from "../operate/Refusal.ts"
import { StoreUnavailable } from "../store/StoreError.ts"

/** A failure as it is answered. */
export interface Answered {
  readonly status: number
  readonly code: string
  readonly error: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What is wrong with a request itself, whatever it asks for. */
export class RequestRefused extends Data.TaggedError("RequestRefused")<Answered> {}

/** Statuses of the refusals that are no 409, by their code; any other that ends in `_not_found` is a 404. */
const STATUSES: Readonly<Record<string, number>> = {
  too_many_operator_tasks: 429,
  secret_in_artifact: 403,
  path_refused: 403,
  artifact_unreadable: 403,
  snapshot_path_refused: 400,
  adapter_unknown: 400
}

/** Seconds after which a caller who was too many may come again. */
const COME_AGAIN = 60

const statusOf = ({ code, exitCode }: Refusal): number => {
  const known = STATUSES[code]
  if (known !== undefined) return known
  if (code.endsWith("_not_found")) return 404
  return exitCode === 2 ? 400 : 409
}

// Hints speak of the command line; those that name a command of it are of no use here.
const withHint = ({ hint, message }: Refusal): string => {
  const told = message.replace(/^--(?=\w+:)/, "")
  return hint === "" || /agent-runtime |--\w/.test(hint) ? told : `${told}; ${hint}`
}

const refused = (refusal: Refusal): Answered => {
  const status = statusOf(refusal)
  return {
    status,
    code: refusal.code,
    error: withHint(refusal),
    ...(status === 429 ? { headers: { "retry-after": String(COME_AGAIN) } } : {})
  }
}

/** The problems of an input that are told one by one; the rest is counted. */
const MOST_PROBLEMS = 100

const invalid = ({ problems }: Invalid): Answered => ({
  status: 400,
  code: "input_invalid",
  error: [
    ...problems.slice(0, MOST_PROBLEMS).map(sentence),
    ...(problems.length > MOST_PROBLEMS ? [`and ${problems.length - MOST_PROBLEMS} more`] : [])
  ].join("\n")
})

/** Where the store does not serve, its place and its statement are nobody's business on the network. */
const storeAway: Answered = {
  status: 503,
  code: "store_unavailable",
  error: "the store is not available at this moment; the server's log tells why",
  headers: { "retry-after": "5" }
}

const lockAway: Answered = {
  status: 503,
  code: "lock_unusable",
  error: "the dispatch lock cannot be looked at; healthcheck and the server's log tell why",
  headers: { "retry-after": "5" }
}

const fault: Answered = {
  status: 500,
  code: "internal_fault",
  error: "internal fault; the server's log tells more"
}

interface DecodeIssue {
  readonly path: ReadonlyArray<PropertyKey>
  readonly message: string
}

/** Whether the builder could not read a request as its contract says. */
export const isDecodeError = (
  error: unknown
): error is { readonly _tag: "HttpApiDecodeError"; readonly issues: ReadonlyArray<DecodeIssue> } =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "HttpApiDecodeError"

const issue = ({ message, path }: DecodeIssue): string => {
  const at = path.map(String).join(".")
  if (message.startsWith("is unexpected")) return `${at} is not a known parameter${message.slice(13)}`
  return at === "" ? message : `${at}: ${message}`
}

/** The one table of what an error is on the network. None: it is no error that anybody expects. */
const expected = (error: unknown): Option.Option<Answered> => {
  if (error instanceof RequestRefused) return Option.some(error)
  if (error instanceof Refusal) return Option.some(refused(error))
  if (error instanceof Invalid) return Option.some(invalid(error))
  if (error instanceof StoreUnavailable) return Option.some(storeAway)
  if (error instanceof LockUnusable) return Option.some(lockAway)
  if (isDecodeError(error))
    return Option.some({
      status: 400,
      code: "input_invalid",
      error: error.issues.map(issue).join("\n")
    })
  return Option.none()
}

/** How a failure is answered, and whether the log has to tell more than its caller learns. */
export const answerTo = (
  cause: Cause.Cause<unknown>
): { readonly answered: Answered; readonly isFault: boolean } => {
  const error = Option.getOrElse(Cause.failureOption(cause), () => Cause.squash(cause))
  return Option.match(expected(error), {
    onNone: () => ({ answered: fault, isFault: true }),
    onSome: (answered) => ({ answered, isFault: answered.status >= 500 })
  })
}
