import { Effect, Option, type Scope } from "effect"
import type { Adapter, Job } from "../../src/adapter/AdapterRegistry.ts"
import type { AuditFailed } from "../../src/artifact/AuditFolder.ts"
import type { OpenAiChatSettings } from "../../src/config/AdapterSettings.ts"
import type { Settings } from "../../src/config/RuntimeConfig.ts"
import type { Redactor } from "../../src/domain/Redactor.ts"
import { steadyMillis } from "../../src/domain/Time.ts"
import { traced } from "../../src/domain/Traced.ts"
import { type Masking, ownOnly } from "./ConfiguredSecrets.ts"
import { plainly } from "./Lines.ts"
import { type Account, attempt, SEE_PROMPT, type Sent } from "./ModelServer.ts"
import { type Address, addressOf } from "./ModelServerAddress.ts"
import { call, forOperator, type Reply, type ServerFailed } from "./ModelServerCall.ts"
import { makeLineFeeds, readLines } from "./ModelServerLines.ts"
import { failureOf, type Remedies, refusalOf, waitAskedBy } from "./ModelServerRefusal.ts"
import { openAiAnswer } from "./OpenAiChatAnswer.ts"
import { bodyOf, conceded, type Form, wanted } from "./OpenAiChatForm.ts"
import { type Access, accessTo } from "./OpenAiChatKey.ts"
import { probeOpenAiChat } from "./OpenAiChatProbe.ts"
import type { HostEnvironment } from "./Secrets.ts"

/** What the attempts of an adapter of mode `openai-chat` share. */
export interface OpenAiChatSetting {
  readonly settings: OpenAiChatSettings
  readonly runtime: Settings
  readonly host: HostEnvironment
  /** Knows the secrets of the whole configuration; without it an attempt's own are masked. */
  readonly masking?: Masking
}

/** Servers that finish an answer and then leave the connection open, or chat on, are not waited for longer. */
const LINGER_MS = 5_000

/**
 * An adapter of mode `openai-chat`: one streamed `POST /chat/completions` for each attempt, its answer bound to
 * the outcome's JSON Schema; a server that refuses that `response_format` is asked again with `json_object`, then
 * without. The key is read when an attempt starts. An attempt never fails; a wrong key, a spent quota, an unknown
 * model and a prompt that is too long wait for an operator, all else is retryable.
 */
export const openAiChatAdapter = ({
  host,
  masking = ownOnly,
  settings
}: OpenAiChatSetting): Pick<Adapter, "probe" | "execute"> => ({
  probe: probeOpenAiChat(settings, host),
  execute: traced("OpenAiChat.execute")((job: Job) => {
    const address = addressOf(settings.endpoint)
    return Effect.flatMap(Effect.either(accessTo(settings, address, host)), (access) => {
      const secrets = access._tag === "Right" ? access.right.secrets : address.secrets
      return Effect.flatMap(masking(secrets), (redactor) =>
        attempt({
          job,
          settings,
          redactor,
          converse: (account) =>
            access._tag === "Right"
              ? converse({ job, settings, address, access: access.right, redactor, account })
              : Effect.zipRight(
                  account.sending(unsent(job, settings, address)),
                  forOperator(`cannot start: ${access.left.reason}; ${access.left.remedy}`)
                )
        })
      )
    })
  })
})

const modelOf = (job: Job, settings: OpenAiChatSettings): string =>
  Option.getOrElse(job.model, () => settings.model)

/** What would have been sent, but for the key. */
const unsent = (job: Job, settings: OpenAiChatSettings, address: Address): Sent => ({
  url: address.url("/chat/completions"),
  headers: {},
  body: bodyOf(SEE_PROMPT, modelOf(job, settings), wanted, takesStrictForm(job))
})

interface Conversation {
  readonly job: Job
  readonly settings: OpenAiChatSettings
  readonly address: Address
  readonly access: Access
  readonly redactor: Redactor
  readonly account: Account
}

const remediesFor = (model: string): Remedies => ({
  key: "check the adapter's apiKey",
  quota: "the quota is spent: see the account's plan and billing, or use another adapter",
  model: `check the adapter's model (${model}) and its endpoint (with its /v1)`,
  context: "lower context_policy.max_prompt_chars, or use a model with a longer context",
  request: "check the adapter's endpoint and model"
})

const converse = (one: Conversation): Effect.Effect<void, ServerFailed | AuditFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const { account, address, job, redactor, settings } = one
    const model = modelOf(job, settings)
    const asked = { host: address.host, redactor, remedies: remediesFor(model) }
    for (const warning of one.access.warnings) account.remark(warning)
    const reply = yield* opened(one, model, wanted, asked.remedies)
    const answer = openAiAnswer(asked, account)
    const clock = yield* Effect.clock
    const left = lingerLeft(() => steadyMillis(clock), answer, account)
    const patient: Reply = {
      ...reply,
      next: Effect.suspend(() =>
        Option.match(left(), {
          onNone: () => reply.next,
          onSome: (ms) => (ms > 0 ? lingering(reply.next, ms) : Effect.succeedNone)
        })
      ).pipe(Effect.map(Option.map(makeLineFeeds())))
    }
    const read = yield* readLines(patient, answer.line)
    const taken = read === "end" ? answer.end() : read
    if (typeof taken !== "string") return yield* taken
    const wrong = answer.judge(taken === "done" ? "done" : "end")
    if (Option.isSome(wrong)) return yield* wrong.value
  })

/**
 * How many milliseconds what follows the model's own end is still waited for; none before that end. Servers that tell of
 * an end with each piece are at none: words after it put it off, whatever else they send does not.
 */
const lingerLeft = (
  now: () => number,
  answer: { readonly isFinished: () => boolean },
  account: Pick<Account, "said">
) => {
  let end: { readonly at: number; readonly said: number } | undefined
  return (): Option.Option<number> => {
    if (!answer.isFinished()) return Option.none()
    if (end?.said !== account.said()) end = { at: now(), said: account.said() }
    return Option.some(end.at + LINGER_MS - now())
  }
}

/** What comes after the model's own end: nothing, when it does not come soon or the connection breaks. */
const lingering = (next: Reply["next"], ms: number): Effect.Effect<Option.Option<Uint8Array>> =>
  next.pipe(
    Effect.timeoutTo({ duration: ms, onSuccess: (chunk) => chunk, onTimeout: () => Option.none() }),
    Effect.catchTag("ServerFailed", () => Effect.succeedNone)
  )

/** Sends the request, in as many forms as it takes for the server to accept one. */
const opened = (
  one: Conversation,
  model: string,
  form: Form,
  remedies: Remedies
): Effect.Effect<Reply, ServerFailed | AuditFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const { access, account, address, job, redactor } = one
    const url = address.url("/chat/completions")
    const headers = {
      accept: "text/event-stream",
      ...access.headers,
      ...Option.match(job.traceParent, { onNone: () => ({}), onSome: (traceparent) => ({ traceparent }) })
    }
    const strict = takesStrictForm(job)
    yield* account.sending({ url, headers, body: bodyOf(SEE_PROMPT, model, form, strict) })
    const reply = yield* call({ method: "POST", url, headers, body: bodyOf(job.prompt, model, form, strict) })
    const plain = plainly(redactor)
    const id = reply.headers.get("x-request-id") ?? reply.headers.get("request-id")
    account.fact({
      response_format: form.responseFormat,
      ...(id === null ? {} : { request_id: plain(id, 200) })
    })
    account.note(
      `${address.host} answered ${reply.status} ${plain(reply.headers.get("content-type") ?? "", 80)}`
    )
    // It holds also where a limit ends the attempt before the body of an error has come.
    account.asksToWait(yield* waitAskedBy(reply))
    if (reply.status === 200) return reply
    const refusal = yield* refusalOf(reply, redactor)
    const next = conceded(form, refusal)
    if (Option.isNone(next)) return yield* failureOf(address.host, refusal, remedies)
    account.remark(
      `request_form_refused: ${address.host} took no ${form.responseFormat === next.value.responseFormat ? "stream_options" : `response_format ${form.responseFormat}`}: ${refusal.message}`
    )
    return yield* opened(one, model, next.value, remedies)
  })

// The strict form cannot hold follow-ups and messages: it is for profiles that allow neither.
const takesStrictForm = (job: Job): boolean => job.freeFormResult === false
