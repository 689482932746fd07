import { Effect, Option } from "effect"
import type { Adapter, Job } from "../../src/adapter/AdapterRegistry.ts"
import type { OllamaSettings } from "../../src/config/AdapterSettings.ts"
import type { Settings } from "../../src/config/RuntimeConfig.ts"
import { outcomeSchema } from "../../src/context/OutcomeSchema.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import type { Redactor } from "../../src/domain/Redactor.ts"
import { traced } from "../../src/domain/Traced.ts"
import { type Masking, ownOnly } from "./ConfiguredSecrets.ts"
import { plainly } from "./Lines.ts"
import { type Account, attempt, SEE_PROMPT } from "./ModelServer.ts"
import { type Address, addressOf } from "./ModelServerAddress.ts"
import { call } from "./ModelServerCall.ts"
import { readLines } from "./ModelServerLines.ts"
import { failureOf, type Remedies, refusalOf, waitAskedBy } from "./ModelServerRefusal.ts"
import { ollamaAnswer } from "./OllamaAnswer.ts"
import { type Context, contextFor, nothingShown, shownBy, tightFit, tooLongToSend } from "./OllamaContext.ts"
import { probeOllama } from "./OllamaProbe.ts"
import type { HostEnvironment } from "./Secrets.ts"

/** What the attempts of an adapter of mode `ollama-generate` share. */
export interface OllamaSetting {
  readonly settings: OllamaSettings
  readonly runtime: Settings
  readonly host: HostEnvironment
  /** Knows the secrets of the whole configuration; without it an attempt's own are masked. */
  readonly masking?: Masking
}

/**
 * An adapter of mode `ollama-generate`: one `POST /api/chat` for each attempt, its answer bound to the outcome's
 * JSON Schema. Where no `num_ctx` is configured, the server is asked for the model's context length and one is
 * chosen that holds prompt and answer. An attempt never fails; a wrong request, a server that is not signed in, a spent
 * quota, an unknown model and a prompt that is too long wait for an operator, all else is retryable.
 */
export const ollamaAdapter = ({
  masking = ownOnly,
  settings
}: OllamaSetting): Pick<Adapter, "probe" | "execute"> => ({
  probe: probeOllama(settings),
  execute: traced("Ollama.execute")((job: Job) => {
    const address = addressOf(settings.endpoint)
    return Effect.flatMap(masking(address.secrets), (redactor) =>
      attempt({
        job,
        settings,
        redactor,
        converse: (account) => converse(job, settings, address, account, redactor)
      })
    )
  })
})

const remediesFor = (model: string, context: Pick<Context, "remedy">): Remedies => ({
  key: "sign the server in (ollama signin), or put user info into the adapter's endpoint",
  quota: "the quota is spent: see the account's plan, or use another adapter",
  model: `ollama pull ${model} (or correct the adapter's endpoint)`,
  context: context.remedy,
  request: "check the adapter's endpoint, model and options"
})

const converse = (
  job: Job,
  settings: OllamaSettings,
  address: Address,
  account: Account,
  redactor: Redactor
) =>
  Effect.gen(function* () {
    const { host } = address
    const model = Option.getOrElse(job.model, () => settings.model)
    const headers = {
      ...address.headers,
      ...Option.match(job.traceParent, { onNone: () => ({}), onSome: (traceparent) => ({ traceparent }) })
    }
    const url = address.url("/api/chat")
    const sending = (numCtx: Option.Option<number>) =>
      account.sending({ url, headers, body: bodyOf(SEE_PROMPT, model, settings, numCtx) })
    yield* sending(Option.none())
    const shown = yield* shownBy({
      method: "POST",
      url: address.url("/api/show"),
      headers,
      body: { model }
    }).pipe(
      // If the server is not there at all, the next request says so.
      Effect.catchTag("ServerFailed", ({ reason }) => {
        account.remark(`context_unknown: the context of ${model} could not be asked for: ${reason}`)
        return Effect.succeed(nothingShown)
      })
    )
    // The model itself is asked from here on.
    account.heard()
    const context = contextFor(job.prompt, settings.options.num_ctx, shown)
    yield* sending(context.send)
    account.fact({ num_ctx: Option.getOrNull(context.holds) })
    const tooLong = tooLongToSend(job.prompt, model, context)
    if (Option.isSome(tooLong)) return yield* tooLong.value
    Option.map(tightFit(job.prompt, context), account.remark)
    const reply = yield* call({
      method: "POST",
      url,
      headers,
      body: bodyOf(job.prompt, model, settings, context.send)
    })
    account.note(
      `${host} answered ${reply.status} ${plainly(redactor)(reply.headers.get("content-type") ?? "", 80)}`
    )
    // It holds also where a limit ends the attempt before the body of an error has come.
    account.asksToWait(yield* waitAskedBy(reply))
    const remedies = remediesFor(model, context)
    if (reply.status !== 200) return yield* failureOf(host, yield* refusalOf(reply, redactor), remedies)
    const answer = ollamaAnswer({ host, prompt: job.prompt, context, redactor, remedies }, account)
    const taken = yield* readLines(reply, answer.line)
    if (taken === "done") return
    return yield* taken === "end" ? answer.ended() : taken
  })

/** One message: the prompt is the bundle's, byte for byte. */
const bodyOf = (
  prompt: string,
  model: string,
  { keepAlive, options }: OllamaSettings,
  numCtx: Option.Option<number>
): JsonObject => ({
  model,
  messages: [{ role: "user", content: prompt }],
  format: outcomeSchema,
  stream: true,
  think: false,
  ...Option.match(keepAlive, { onNone: () => ({}), onSome: (keep_alive) => ({ keep_alive }) }),
  options: {
    temperature: 0,
    ...Option.match(numCtx, { onNone: () => ({}), onSome: (num_ctx) => ({ num_ctx }) }),
    ...options
  },
  // A context that overflows is an error then, and not a prompt without its beginning.
  shift: false
})
