import { Duration, Effect, Option, Schema } from "effect"
import type { ProbeResult } from "../../src/adapter/AdapterRegistry.ts"
import type { OpenAiChatSettings } from "../../src/config/AdapterSettings.ts"
import { addressOf } from "./ModelServerAddress.ts"
import { ask } from "./ModelServerCall.ts"
import { accessTo } from "./OpenAiChatKey.ts"
import { notOk } from "./Probe.ts"
import type { HostEnvironment } from "./Secrets.ts"

const WITHIN = Duration.seconds(5)

const listed = Schema.decodeUnknownOption(
  Schema.parseJson(Schema.Struct({ data: Schema.Array(Schema.Struct({ id: Schema.String })) }))
)

/**
 * Whether the server is up and takes the key, asked of `GET /models` within 5 s. Servers need not list what they
 * serve: a list without the model, or none at all, is a warning.
 */
export const probeOpenAiChat = (
  settings: OpenAiChatSettings,
  environment: HostEnvironment
): Effect.Effect<ProbeResult> => {
  const address = addressOf(settings.endpoint)
  const { host } = address
  return Effect.gen(function* () {
    const { headers, warnings } = yield* accessTo(settings, address, environment)
    const { status, text } = yield* ask({ method: "GET", url: address.url("/models"), headers }, WITHIN)
    const fine = (...more: ReadonlyArray<string>): ProbeResult => ({
      ok: true,
      reason: "",
      remedy: "",
      warnings: [...warnings, ...more]
    })
    if (status === 200)
      return Option.match(listed(text), {
        onNone: () =>
          fine(`${host} answered /models without a list: whether it has ${settings.model} is not known`),
        onSome: ({ data }) =>
          data.length === 0 || data.some(({ id }) => id === settings.model)
            ? fine()
            : fine(`${host} does not list model ${settings.model} among its ${data.length}`)
      })
    if (status === 401 || status === 403)
      return {
        ...notOk({
          reason: `${host} answered ${status}: it does not take the key`,
          remedy: Option.isSome(settings.apiKey) ? "check the adapter's apiKey" : "set the adapter's apiKey"
        }),
        warnings
      }
    if (status === 404 || status === 405)
      return fine(
        `${host} does not list its models (${status}): whether it has ${settings.model} is not known; if requests fail, check the endpoint's /v1`
      )
    if (status === 429) return fine(`${host} answered 429: it limits requests at present`)
    return {
      ...notOk({
        reason: `${host} answered ${status}`,
        remedy: "check the adapter's endpoint and the server"
      }),
      warnings
    }
  }).pipe(
    Effect.catchTags({
      ServerFailed: ({ reason }) =>
        Effect.succeed(notOk({ reason, remedy: "start the server, or correct the adapter's endpoint" })),
      CannotStart: (cause) => Effect.succeed(notOk(cause))
    })
  )
}
