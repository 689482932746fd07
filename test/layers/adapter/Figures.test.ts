import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { ollamaAdapter } from "../../../layers/adapter/Ollama.ts"
import { openAiChatAdapter } from "../../../layers/adapter/OpenAiChat.ts"
import { type Redactor, redactorOf } from "../../../src/domain/Redactor.ts"
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

const none = {
  inputTokens: Option.none(),
  outputTokens: Option.none(),
  cachedTokens: Option.none(),
  costUsd: Option.none()
}

const openAi = (usage: string) =>
  Effect.gen(function* () {
    const choice = { choices: [{ index: 0, delta: { content: OUTCOME }, finish_reason: "stop" }] }
    const events = [
      JSON.stringify(choice),
      `{"choices":[],"usage":${usage}}`,
      `{"choices":[],"usage":${usage}}`,
      "[DONE]"
    ]
    const server = yield* stub(() => streamed(events.map((event) => `data: ${event}\n\n`)))
    return (yield* execute(
      openAiChatAdapter({ settings: openAiSettings(server.url), runtime: runtime(), host: environment })
    )).execution
  })

const ollama = (figures: string) =>
  Effect.gen(function* () {
    const end = `{"message":{"content":""},"done":true,"done_reason":"stop",${figures}}\n`
    const server = yield* stub(() =>
      streamed([`${JSON.stringify({ message: { content: OUTCOME }, done: false })}\n`, end], {
        type: "application/x-ndjson"
      })
    )
    return (yield* execute(
      ollamaAdapter({ settings: ollamaSettings(server.url), runtime: runtime(), host: environment })
    )).execution
  })

it.live("token counts that are none leave the answer whole: they are not told, and remarked once", () =>
  Effect.gen(function* () {
    const counts = ["1e19", "9e18", "1.5", "-1", '"50"', "[]", "true", "1e999"]
    for (const count of counts) {
      const execution = yield* openAi(`{"prompt_tokens":${count},"completion_tokens":3}`)
      expect(execution).toMatchObject({
        exitStatus: "ok",
        lastMessage: OUTCOME,
        usage: { ...none, outputTokens: Option.some(3) }
      })
      expect(execution.diagnostics).toEqual([
        expect.stringMatching(/^usage_unreadable: prompt_tokens .* is not a whole/)
      ])
      const other = yield* ollama(`"prompt_eval_count":7,"eval_count":${count},"total_duration":${count}`)
      expect(other).toMatchObject({
        exitStatus: "ok",
        lastMessage: OUTCOME,
        usage: { ...none, inputTokens: Option.some(7) }
      })
      expect(other.diagnostics).toEqual([
        expect.stringMatching(/^usage_unreadable: eval_count .* is not a whole/)
      ])
    }
  })
)

it.live("a usage that is no object leaves the answer whole", () =>
  Effect.gen(function* () {
    for (const usage of ["[]", '"x"', "7", "true"]) {
      const execution = yield* openAi(usage)
      expect(execution).toMatchObject({ exitStatus: "ok", lastMessage: OUTCOME, usage: none })
      expect(execution.diagnostics).toEqual([
        `usage_unreadable: usage ${usage} is not an object: taken as not told`
      ])
    }
    const execution = yield* openAi('{"prompt_tokens":5,"prompt_tokens_details":[]}')
    expect(execution.usage).toEqual({ ...none, inputTokens: Option.some(5) })
    expect(execution.diagnostics).toEqual([
      "usage_unreadable: prompt_tokens_details [] is not an object: taken as not told"
    ])
    expect((yield* openAi("null")).diagnostics).toEqual([])
  })
)

it.live("what a server tells is masked before it is cut: no beginning of a secret is left", () =>
  Effect.gen(function* () {
    const key = `key-${"Ab3dEf9hIj".repeat(8)}`
    const masking = () => Effect.succeed(redactorOf([key]))
    const long = (most: number) => `${"x".repeat(most - 20)} ${key}`
    const usage = { prompt_tokens: long(60), completion_tokens: 1 }
    const chat = (end: object) =>
      openAiTold(
        `data: ${JSON.stringify({ model: long(200), choices: [{ index: 0, ...end }], usage })}\n\n`,
        masking
      )
    const ollama = ollamaTold(
      JSON.stringify({ model: long(200), done: true, done_reason: long(80), eval_count: long(60) }),
      masking
    )
    const told = [
      yield* chat({ delta: { content: "{}" }, finish_reason: long(80) }),
      yield* chat({ delta: { refusal: long(300) }, finish_reason: "stop" }),
      yield* ollama
    ]
    for (const { execution, file } of told) {
      const all = [
        execution.reason,
        execution.facts,
        execution.diagnostics,
        file("stderr.log"),
        file("invocation.json")
      ]
      expect(JSON.stringify(all)).not.toContain(key.slice(0, 8))
      expect(JSON.stringify(all)).toContain("[reda")
    }
  })
)

const openAiTold = (text: string, masking: () => Effect.Effect<Redactor>) =>
  Effect.flatMap(
    stub(() => streamed([text])),
    ({ url }) =>
      execute(
        openAiChatAdapter({ settings: openAiSettings(url), runtime: runtime(), host: environment, masking })
      )
  )

const ollamaTold = (text: string, masking: () => Effect.Effect<Redactor>) =>
  Effect.flatMap(
    stub(() => streamed([`${text}\n`], { type: "application/x-ndjson" })),
    ({ url }) =>
      execute(
        ollamaAdapter({ settings: ollamaSettings(url), runtime: runtime(), host: environment, masking })
      )
  )
