import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { ollamaAdapter } from "../../../layers/adapter/Ollama.ts"
import { openAiChatAdapter } from "../../../layers/adapter/OpenAiChat.ts"
import { it } from "../../support/effect.ts"
import {
  environment,
  execute,
  OUTCOME,
  ollamaSettings,
  openAiSettings,
  streamed,
  stub
} from "../../support/serverStub.ts"
import { settings as runtime } from "../../support/settings.ts"

const openAi = (url: string, changes: Parameters<typeof openAiSettings>[1] = {}) =>
  openAiChatAdapter({ settings: openAiSettings(url, changes), runtime: runtime(), host: environment })
const ollama = (url: string) =>
  ollamaAdapter({ settings: ollamaSettings(url), runtime: runtime(), host: environment })

const chunk = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`
const said = chunk({ choices: [{ index: 0, delta: { content: OUTCOME }, finish_reason: "stop" }] })
const line = (value: unknown) => `${JSON.stringify(value)}\n`

/** A server that answers so, and asks to wait beside it. */
const asking = (pieces: ReadonlyArray<string>) =>
  stub(() => {
    const reply = streamed(pieces)
    reply.headers.set("retry-after", "25")
    return reply
  })

it.live(
  "a Retry-After beside an answer is kept, a whole one or not, but not where an operator is waited for",
  () =>
    Effect.gen(function* () {
      const waiting = (pieces: ReadonlyArray<string>) =>
        Effect.gen(function* () {
          const { url } = yield* asking(pieces)
          const { execution } = yield* execute(openAi(url))
          return [execution.exitStatus, Option.getOrNull(execution.retryAfterSeconds)]
        })
      expect(yield* waiting([said, "data: [DONE]\n\n"])).toEqual(["ok", 25])
      expect(yield* waiting([chunk({ choices: [{ index: 0, delta: { content: "half" } }] })])).toEqual([
        "error",
        25
      ])
      const refused = chunk({ error: { message: "no", code: "invalid_api_key" } })
      expect(yield* waiting([refused])).toEqual(["error", null])
    })
)

it.live("events whose lines end in CR alone are an answer like any other", () =>
  Effect.gen(function* () {
    const { url } = yield* asking([`${said}data: [DONE]\n\n`.replaceAll("\n", "\r")])
    const { execution } = yield* execute(openAi(url))
    expect([execution.exitStatus, execution.lastMessage]).toEqual(["ok", OUTCOME])
  })
)

it.live("a Retry-After beside an answer of Ollama is kept", () =>
  Effect.gen(function* () {
    const { url } = yield* asking([
      line({ model: "stub", message: { role: "assistant", content: OUTCOME }, done: false }),
      line({ model: "stub", message: { role: "assistant", content: "" }, done: true, done_reason: "stop" })
    ])
    const { execution } = yield* execute(ollama(url))
    expect([execution.exitStatus, execution.retryAfterSeconds]).toEqual(["ok", Option.some(25)])
  })
)

it.live("an attempt without a key leaves its whole folder: what would have been sent, but for the key", () =>
  Effect.gen(function* () {
    const { got, url } = yield* stub(() => streamed([]))
    const { file } = yield* execute(openAi(url, { apiKey: Option.some({ secretEnv: "UNSET" }) }))
    expect(JSON.parse(file("invocation.json"))).toMatchObject({
      method: "POST",
      url: `${url}/v1/chat/completions`,
      headers: {},
      body: { model: "stub" }
    })
    expect([file("stdout.log"), file("assembled-context.txt") === "", got]).toEqual(["", false, []])
  })
)
