import { expect } from "bun:test"
import { brotliCompressSync, deflateSync } from "node:zlib"
import { Effect, Option } from "effect"
import { call } from "../../../layers/adapter/ModelServerCall.ts"
import { ollamaAdapter } from "../../../layers/adapter/Ollama.ts"
import { openAiChatAdapter } from "../../../layers/adapter/OpenAiChat.ts"
import { it } from "../../support/effect.ts"
import {
  breaking,
  environment,
  execute,
  OUTCOME,
  ollamaSettings,
  openAiSettings,
  stub
} from "../../support/serverStub.ts"
import { settings as runtime } from "../../support/settings.ts"

/** A chunked answer without the chunk that ends it. */
const unended = (text: string) =>
  `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`

const ollamaText = (content: string, end: object = { done: false }) =>
  `${JSON.stringify({ model: "stub", message: { role: "assistant", content }, ...end })}\n`
const chatText = (content: string, finish: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`

const ollama = (url: string, timeoutMs = 20_000) =>
  ollamaAdapter({ settings: ollamaSettings(url, { timeoutMs }), runtime: runtime(), host: environment })
const chat = (url: string, timeoutMs = 20_000) =>
  openAiChatAdapter({ settings: openAiSettings(url, { timeoutMs }), runtime: runtime(), host: environment })

it.live("an answer that is whole by its own protocol counts though the connection breaks off behind it", () =>
  Effect.gen(function* () {
    const whole = [
      [ollama, ollamaText(OUTCOME) + ollamaText("", { done: true, done_reason: "stop" })],
      [chat, `${chatText(OUTCOME, "stop")}data: [DONE]\n\n`],
      [chat, chatText(OUTCOME, "stop")]
    ] as const
    for (const [adapter, text] of whole) {
      const server = yield* breaking(unended(text), true)
      const { execution, file } = yield* execute(adapter(server.url))
      expect([execution.exitStatus, execution.lastMessage]).toEqual(["ok", OUTCOME])
      expect(file("stdout.log")).toBe(OUTCOME)
    }
  })
)

it.live("what was received before the connection broke off is kept", () =>
  Effect.gen(function* () {
    for (const [adapter, text] of [
      [ollama, ollamaText("half")],
      [chat, chatText("half")]
    ] as const) {
      const server = yield* breaking(unended(text), true)
      const { execution, file, reason } = yield* execute(adapter(server.url))
      expect([execution.exitStatus, execution.retryClass]).toEqual(["error", "retryable"])
      expect(reason).toMatch(/broke the connection off in the middle of its answer \(ECONNRESET\)/)
      expect([file("stdout.log"), execution.lastMessage]).toEqual(["half", "half"])
    }
  })
)

it.live("a Retry-After holds though the timeout comes before the body of the refusal", () =>
  Effect.gen(function* () {
    for (const status of ["429 Too Many Requests", "503 Service Unavailable"])
      for (const adapter of [ollama, chat]) {
        const server = yield* breaking(
          `HTTP/1.1 ${status}\r\nretry-after: 70\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n`
        )
        const { execution } = yield* execute(adapter(server.url, 200))
        expect([execution.exitStatus, execution.retryClass]).toEqual(["timeout", "retryable"])
        expect(execution.retryAfterSeconds).toEqual(Option.some(70))
      }
  })
)

it.live("a body that is read slower than it comes is whole", () =>
  Effect.gen(function* () {
    const size = 48 * 1024 * 1024
    const server = yield* stub(() => new Response(new Uint8Array(size)))
    const reply = yield* call({ method: "GET", url: new URL(server.url), headers: {} })
    let received = 0
    for (let next = yield* reply.next; Option.isSome(next); next = yield* reply.next) {
      received += next.value.length
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    }
    expect(received).toBe(size)
  })
)

it.live(
  "an answer that a server packs without being asked to is unpacked, and one that is no pack is told",
  () =>
    Effect.gen(function* () {
      const text = `${chatText(OUTCOME, "stop")}data: [DONE]\n\n`
      const packed = (encoding: string, bytes: Uint8Array<ArrayBuffer>) =>
        stub(() => new Response(bytes, { headers: { "content-encoding": encoding } }))
      const forms: ReadonlyArray<readonly [string, Uint8Array<ArrayBuffer>]> = [
        ["gzip", Bun.gzipSync(text)],
        ["deflate", new Uint8Array(deflateSync(text))],
        ["br", new Uint8Array(brotliCompressSync(text))]
      ]
      for (const [encoding, bytes] of forms) {
        const { execution } = yield* execute(chat((yield* packed(encoding, bytes)).url))
        expect([encoding, execution.exitStatus, execution.lastMessage]).toEqual([encoding, "ok", OUTCOME])
      }
      const { execution } = yield* execute(chat((yield* packed("gzip", Buffer.from("hello"))).url))
      expect([execution.exitStatus, execution.retryClass]).toEqual(["error", "retryable"])
    })
)

it.live("a server that changes the protocol instead of answering is named at once", () =>
  Effect.gen(function* () {
    for (const adapter of [ollama, chat]) {
      const server = yield* breaking(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nxx"
      )
      const { execution, reason } = yield* execute(adapter(server.url))
      expect([execution.exitStatus, execution.retryClass]).toEqual(["error", "retryable"])
      expect(reason).toMatch(/answered 101 and changed the protocol, .*: check the adapter's endpoint$/)
    }
  })
)
