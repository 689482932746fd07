import { Duration, Effect, Option, Schema } from "effect"
import type { ProbeResult } from "../../src/adapter/AdapterRegistry.ts"
import type { OllamaSettings } from "../../src/config/AdapterSettings.ts"
import { addressOf } from "./ModelServerAddress.ts"
import { type Asked, ask, type ServerFailed } from "./ModelServerCall.ts"
import { notOk } from "./Probe.ts"

/** Each question of a probe is given so long. */
const WITHIN = Duration.seconds(5)

const start = "start it (ollama serve), or correct the adapter's endpoint"

const version = Schema.decodeUnknownOption(Schema.parseJson(Schema.Struct({ version: Schema.String })))

const tags = Schema.decodeUnknownOption(
  Schema.parseJson(
    Schema.Struct({
      models: Schema.NullOr(
        Schema.Array(
          Schema.Struct({ name: Schema.String, model: Schema.optional(Schema.NullOr(Schema.String)) })
        )
      )
    })
  )
)

/** A model's full name: without a tag it is the latest. */
export const tagged = (model: string): string =>
  /:[^/]*$/.test(model) ? model.toLowerCase() : `${model.toLowerCase()}:latest`

/** Whether a model runs at the vendor's and not on the server's own machine: its tag says so. */
const isCloud = (model: string): boolean => /[:-]cloud$/.test(model)

/** Whether the server is up and has the model. Names what mends it; each of the two questions has 5 s. */
export const probeOllama = ({ endpoint, model }: OllamaSettings): Effect.Effect<ProbeResult> => {
  const address = addressOf(endpoint)
  const { headers, host } = address
  const get = (path: string) => ask({ method: "GET", url: address.url(path), headers }, WITHIN)
  const strange = (path: string, { status }: Asked): ProbeResult =>
    notOk({
      reason: `${host} answered ${path} with ${status} and not as Ollama does`,
      remedy: "set the adapter's endpoint to the Ollama server itself, without a path"
    })
  return Effect.gen(function* () {
    const up = yield* get("/api/version")
    if (up.status !== 200 || Option.isNone(version(up.text))) return strange("/api/version", up)
    const listed = yield* get("/api/tags")
    const found = tags(listed.text)
    if (listed.status !== 200 || Option.isNone(found)) return strange("/api/tags", listed)
    const names = (found.value.models ?? []).flatMap((one) => [one.name, one.model ?? one.name]).map(tagged)
    if (names.includes(tagged(model))) return { ok: true, reason: "", remedy: "", warnings: [] }
    // The vendor may serve it all the same.
    if (isCloud(model))
      return {
        ok: true,
        reason: "",
        remedy: "",
        warnings: [
          `cloud model ${model} is not in the list of ${host}: ollama signin, then ollama pull ${model}`
        ]
      }
    return notOk({ reason: `model ${model} is not on ${host}`, remedy: `ollama pull ${model}` })
  }).pipe(
    Effect.catchTag("ServerFailed", ({ reason }: ServerFailed) =>
      Effect.succeed(notOk({ reason, remedy: start }))
    )
  )
}
