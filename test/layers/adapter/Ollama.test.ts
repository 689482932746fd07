import { describe, expect, test } from "bun:test"
import { Deferred, Effect, Fiber, Option } from "effect"
import { ollamaAdapter } from "../../../layers/adapter/Ollama.ts"
import { ollamaAnswer } from "../../../layers/adapter/OllamaAnswer.ts"
import {
  contextFor,
  nothingShown,
  tooLongToSend,
  wasTruncated
} from "../../../layers/adapter/OllamaContext.ts"
import { tagged } from "../../../layers/adapter/OllamaProbe.ts"
import type { StopReason } from "../../../src/adapter/AdapterRegistry.ts"
import type { OllamaSettings } from "../../../src/config/AdapterSettings.ts"
import { outcomeSchema } from "../../../src/context/OutcomeSchema.ts"
import type { RetryClass } from "../../../src/domain/Attempt.ts"
import { noSecrets } from "../../../src/domain/Redactor.ts"
import { it } from "../../support/effect.ts"
import {
  account,
  breaking,
  endless,
  environment,
  execute,
  type Got,
  nowhere,
  OUTCOME,
  ollamaSettings,
  paced,
  streamed,
  stub
} from "../../support/serverStub.ts"
import { settings as runtime } from "../../support/settings.ts"

const adapter = (url: string, changes: Partial<OllamaSettings> = {}) =>
  ollamaAdapter({ settings: ollamaSettings(url, changes), runtime: runtime(), host: environment })

const line = (value: unknown) => `${JSON.stringify(value)}\n`
const said = (content: string) =>
  line({ model: "stub", message: { role: "assistant", content }, done: false })
const END = {
  model: "stub:latest",
  message: { role: "assistant", content: "" },
  done: true,
  done_reason: "stop",
  total_duration: 2_000_400_000,
  prompt_eval_count: 1000,
  eval_count: 80
}
const NDJSON = { type: "application/x-ndjson" }

const show = (length = 8192, parameters = "") =>
  Response.json({ model_info: { "stub.context_length": length }, parameters })

/** An Ollama whose `/api/chat` answers so. */
const ollama = (chat: (got: Got) => Response | Promise<Response>, shown: () => Response = show) =>
  stub((got) => (got.path === "/api/show" ? shown() : chat(got)))

const answering = (...pieces: ReadonlyArray<string | Uint8Array>) => ollama(() => streamed(pieces, NDJSON))

it.live("an answer in slow pieces, characters split over them, is whole, with its tokens and facts", () =>
  Effect.gen(function* () {
    const bytes = Buffer.from(
      said("").replaceAll("\n", "\r\n") + said(OUTCOME.slice(0, 30)) + said(OUTCOME.slice(30)) + line(END)
    )
    const at = bytes.indexOf(Buffer.from("🌍")) + 2
    const server = yield* answering(bytes.subarray(0, 20), bytes.subarray(20, at), bytes.subarray(at))
    const { execution, file } = yield* execute(adapter(server.url))
    expect(execution).toMatchObject({
      exitStatus: "ok",
      retryClass: "none",
      lastMessage: OUTCOME,
      diagnostics: [],
      usage: { inputTokens: Option.some(1000), outputTokens: Option.some(80), cachedTokens: Option.none() },
      facts: { model: "stub:latest", finish_reason: "stop", total_ms: 2000, num_ctx: 8192 }
    })
    expect([file("stdout.log"), execution.lastMessage]).toEqual([OUTCOME, OUTCOME])
    expect(file("stderr.log")).toContain("done (stop): 1000 tokens read, 80 written")
    expect(server.got.map(({ path }) => path)).toEqual(["/api/show", "/api/chat"])
  })
)

it.live("the request binds the answer to the outcome's schema, and is written down without the prompt", () =>
  Effect.gen(function* () {
    const server = yield* answering(said(OUTCOME), line(END))
    const changes = { options: { top_k: 3 }, keepAlive: Option.some("10m") }
    const { file } = yield* execute(adapter(server.url.replace("//", "//me:pass-word@"), changes), {
      model: Option.some("other"),
      traceParent: Option.some("00-trace")
    })
    const body = {
      model: "other",
      format: outcomeSchema,
      stream: true,
      think: false,
      keep_alive: "10m",
      options: { temperature: 0, num_ctx: 8192, top_k: 3 },
      shift: false
    }
    const message = (content: string) => [{ role: "user", content }]
    expect(server.got[1]?.body).toEqual({ ...body, messages: message("the prompt, in JSON please") })
    expect(server.got[1]?.headers.get("authorization")).toBe(`Basic ${btoa("me:pass-word")}`)
    expect(server.got[1]?.headers.get("traceparent")).toBe("00-trace")
    expect(JSON.parse(file("invocation.json"))).toEqual({
      method: "POST",
      url: `${server.url}/api/chat`,
      headers: { authorization: "[redacted]", traceparent: "00-trace" },
      body: { ...body, messages: message("see assembled-context.txt") },
      note: "prompt: see assembled-context.txt"
    })
    expect(file("assembled-context.txt")).toBe("the prompt, in JSON please")
    expect(file("payload.json")).toBe('{"n":1}')
  })
)

it.live("thoughts are not the answer, and counts that are not told are not made up", () =>
  Effect.gen(function* () {
    const thinking = (text: string) => line({ message: { content: "", thinking: text }, done: false })
    const { prompt_eval_count: _, eval_count: __, ...end } = END
    const server = yield* answering(thinking("hm"), thinking(" {}"), said(OUTCOME), line(end))
    const { execution, file } = yield* execute(adapter(server.url))
    expect(execution.lastMessage).toBe(OUTCOME)
    expect(execution.usage.inputTokens).toEqual(Option.none())
    expect(execution.usage.outputTokens).toEqual(Option.none())
    expect(file("stdout.log")).toBe(OUTCOME)
    expect(file("stderr.log").match(/thinks/g)).toHaveLength(1)
  })
)

it.live("what is no whole answer is named", () =>
  Effect.gen(function* () {
    const { done_reason: _, ...unexplained } = END
    const cases: ReadonlyArray<readonly [ReadonlyArray<string>, RetryClass, RegExp]> = [
      [
        [said("{"), line({ ...END, done_reason: "length" })],
        "retryable",
        /^the answer was cut off \(done_reason length\)/
      ],
      [
        [said("{"), line({ ...END, done_reason: "length", eval_count: 7192 })],
        "none",
        /prompt and answer filled the context of 8,192 tokens; .*num_ctx/
      ],
      [[said("half")], "retryable", /ended the stream after 4 characters of the answer.*no done: true/],
      [[], "retryable", /ended the stream after 0 characters/],
      [
        [said("half"), line({ error: "token repeat limit reached" })],
        "retryable",
        /told of an error: token repeat/
      ],
      [[line(unexplained)], "retryable", /without done_reason stop \(none was told\)/],
      [[line({ ...END, done_reason: "load" })], "retryable", /answered load instead of a text/],
      [["<html>hello</html>\n"], "retryable", /no answer of Ollama's: <html>hello<\/html>$/],
      [[line({ message: { content: 7 } })], "retryable", /no answer of Ollama's/],
      [
        [line({ ...END, prompt_eval_count: 8190 })],
        "none",
        /filled the whole context: 8,190 of 8,192 tokens/
      ],
      [
        [line({ ...END, done_reason: "length", prompt_eval_count: 1 })],
        "retryable",
        /^the answer was cut off \(done_reason length\) at options.num_predict/
      ],
      [
        [line({ ...END, done_reason: "load", prompt_eval_count: 8190 })],
        "retryable",
        /answered load instead/
      ],
      [[line({ ...unexplained, prompt_eval_count: 8190 })], "retryable", /without done_reason stop/]
    ]
    for (const [pieces, retryClass, expected] of cases) {
      const server = yield* answering(...pieces)
      const run = yield* execute(adapter(server.url))
      expect(run.reason).toMatch(expected)
      expect([run.execution.exitStatus, run.execution.retryClass]).toEqual(["error", retryClass])
      expect(run.file("stderr.log").trimEnd().split("\n").at(-1)).toBe(run.reason)
    }
  })
)

it.live("refusals have their class and remedy", () =>
  Effect.gen(function* () {
    const cases: ReadonlyArray<readonly [number, string, RetryClass, RegExp]> = [
      [
        404,
        "model 'stub' not found",
        "none",
        /^127\.0\.0\.1:\d+ answered 404: model 'stub' not found; ollama pull stub/
      ],
      [400, "the prompt is longer than the context length currently available", "none", /max_prompt_chars/],
      [401, "unauthorized", "none", /ollama signin/],
      [503, "server busy, please try again", "retryable", /answered 503: server busy, please try again$/],
      [500, "model runner has unexpectedly stopped", "retryable", /unexpectedly stopped$/]
    ]
    for (const [status, error, retryClass, expected] of cases) {
      const server = yield* ollama(() =>
        Response.json({ error }, { status, headers: status === 503 ? { "retry-after": "9" } : {} })
      )
      const { execution, reason } = yield* execute(adapter(server.url))
      expect(reason).toMatch(expected)
      expect([execution.exitStatus, execution.retryClass]).toEqual(["error", retryClass])
      expect(Option.getOrNull(execution.retryAfterSeconds)).toBe(status === 503 ? 9 : null)
    }
  })
)

it.live("a server that is not there is retryable, and its evidence is complete", () =>
  Effect.gen(function* () {
    const { execution, file, reason } = yield* execute(adapter(yield* nowhere))
    expect([execution.exitStatus, execution.retryClass]).toEqual(["error", "retryable"])
    expect(reason).toMatch(/^127\.0\.0\.1:\d+ refused the connection/)
    expect(JSON.parse(file("invocation.json"))).toMatchObject({ method: "POST" })
    expect([file("stdout.log"), execution.lastMessage]).toEqual(["", ""])
  })
)

it.live("a connection that breaks in the middle is retryable and keeps what came", () =>
  Effect.gen(function* () {
    const body = said("half")
    const server = yield* breaking(
      `HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n`
    )
    const { execution, reason } = yield* execute(adapter(server.url), {}, server.cut)
    expect([execution.exitStatus, execution.retryClass]).toEqual(["error", "retryable"])
    expect(reason).toMatch(/broke the connection off in the middle of its answer \(ECONNRESET\)/)
    expect(execution.lastMessage).toBe("half")
  })
)

describe("the context", () => {
  const holds = (prompt: string, given: unknown = undefined, shown = nothingShown) =>
    Option.getOrNull(contextFor(prompt, given, shown).holds)
  const made = (length: number, set?: number) => ({
    length: Option.some(length),
    set: Option.fromNullable(set)
  })

  test("that is chosen holds prompt and answer, in powers of two, within what the model was made for", () => {
    expect(holds("short")).toBe(8192)
    expect(holds("x".repeat(30_000))).toBe(16_384)
    expect(holds("世".repeat(30_000))).toBe(65_536)
    expect(holds("x".repeat(5_000_000))).toBe(131_072)
    expect(holds("x".repeat(200_000), undefined, made(40_960))).toBe(40_960)
    expect(Option.getOrNull(contextFor("", undefined, made(2048)).send)).toBe(2048)
  })

  test("is the configured one where there is one, else the model's own", () => {
    expect(holds("x", 4096, made(131_072, 16_384))).toBe(4096)
    expect(holds("x", 999_999, made(8192))).toBe(8192)
    expect(contextFor("x", 4096, made(8192)).send).toEqual(Option.none())
    expect(holds("x", undefined, made(131_072, 16_384))).toBe(16_384)
    expect(contextFor("x", undefined, made(131_072, 16_384)).send).toEqual(Option.none())
    expect(holds("x", "many")).toBe(8192)
  })

  test("that cannot hold the prompt by any count is told before it is sent", () => {
    const context = contextFor("", 4096, made(8192))
    expect(tooLongToSend("x".repeat(4096 * 8), "m", context)).toEqual(Option.none())
    const failure = Option.getOrThrow(tooLongToSend("x".repeat(4096 * 8 + 1), "m", context))
    expect(failure.reason).toMatch(/^the prompt has 32,769 bytes, at least 4,097 tokens; m would read 4,096/)
    expect(failure.retryClass).toBe("none")
  })

  test("that was overrun shows in a count that fills it, or half of it with far too little of the prompt", () => {
    const context = contextFor("", 4096, made(8192))
    const long = "x".repeat(20_000)
    expect(Option.isSome(wasTruncated(long, 4095, context))).toBe(true)
    expect(Option.getOrThrow(wasTruncated(long, 2100, context)).reason).toMatch(
      /^the server read 2,100 tokens of a prompt of 20,000 bytes, in a context of 4,096: .*num_ctx/
    )
    expect(wasTruncated(long, 3000, context)).toEqual(Option.none())
  })

  test("was not overrun by a prompt of which the server counted little: the rest was cached", () => {
    const context = contextFor("", 4096, made(8192))
    for (const bytes of [2_121, 4_096, 20_000])
      expect(wasTruncated("x".repeat(bytes), 26, context)).toEqual(Option.none())
    expect(wasTruncated("x".repeat(4000), 2050, context)).toEqual(Option.none())
  })
})

it.live("an answer is whole though the server counted few tokens of the prompt", () =>
  Effect.gen(function* () {
    const knowing: ReadonlyArray<readonly [Partial<OllamaSettings>, () => Response]> = [
      [{}, () => show(32_768)],
      [{ options: { num_ctx: 16_384 } }, show],
      [{}, () => new Response("no", { status: 404 })]
    ]
    for (const [changes, shown] of knowing) {
      const server = yield* ollama(
        () => streamed([said(OUTCOME), line({ ...END, prompt_eval_count: 26 })], NDJSON),
        shown
      )
      const { execution } = yield* execute(adapter(server.url, changes), { prompt: "word ".repeat(424) })
      expect([execution.exitStatus, execution.lastMessage, execution.diagnostics]).toEqual([
        "ok",
        OUTCOME,
        []
      ])
      expect(execution.usage.inputTokens).toEqual(Option.some(26))
    }
  })
)

it.live("a prompt that the model cannot hold is named before it is sent, a tight one with a finding", () =>
  Effect.gen(function* () {
    const server = yield* answering(said(OUTCOME), line({ ...END, prompt_eval_count: 6000 }))
    const long = yield* execute(adapter(server.url), { prompt: "word ".repeat(20_000) })
    expect(long.execution.retryClass).toBe("none")
    expect(long.reason).toMatch(
      /at least 12,500 tokens; stub would read 8,192 tokens of it: .*max_prompt_chars/
    )
    expect(server.got.map(({ path }) => path)).toEqual(["/api/show"])
    const tight = yield* execute(adapter(server.url), { prompt: "word ".repeat(5_000) })
    expect(tight.execution.exitStatus).toBe("ok")
    expect(tight.execution.diagnostics).toEqual([
      expect.stringMatching(/^prompt_may_be_too_long: .*8,192 tokens/)
    ])
    const small = adapter((yield* answering(said(OUTCOME), line(END))).url, { options: { num_ctx: 4096 } })
    const { execution } = yield* execute(small, { prompt: "word ".repeat(400) })
    expect([execution.exitStatus, execution.diagnostics]).toEqual(["ok", []])
  })
)

it.live("a server that tells nothing of the model is asked all the same", () =>
  Effect.gen(function* () {
    const server = yield* ollama(
      () => streamed([said(OUTCOME), line(END)], NDJSON),
      () => new Response("no", { status: 405 })
    )
    const { execution } = yield* execute(adapter(server.url))
    expect([execution.exitStatus, execution.facts.num_ctx]).toEqual(["ok", 8192])
  })
)

it.live("a server that hangs, before or in its answer, is ended by silence, and the timeout by itself", () =>
  Effect.gen(function* () {
    const hanging = yield* ollama(() => new Promise<Response>(() => undefined))
    const silent = yield* execute(adapter(hanging.url, { noOutputTimeoutMs: Option.some(80) }))
    expect([silent.execution.exitStatus, silent.reason]).toEqual(["timeout", "no output for 80 ms"])
    const stalling = yield* ollama(() => streamed([said("half")], { ...NDJSON, hang: true }))
    const stalled = yield* execute(adapter(stalling.url, { noOutputTimeoutMs: Option.some(200) }))
    expect([stalled.reason, stalled.execution.lastMessage]).toEqual(["no output for 200 ms", "half"])
    const late = yield* execute(adapter(stalling.url, { timeoutMs: 200 }))
    expect([late.execution.exitStatus, late.execution.retryClass, late.reason]).toEqual([
      "timeout",
      "retryable",
      "timed out after 200 ms"
    ])
    for (const { gone, path } of [...hanging.got, ...stalling.got])
      if (path === "/api/chat") yield* Effect.promise(() => gone)
  })
)

it.live("empty lines and lines without words do not end the model's silence", () =>
  Effect.gen(function* () {
    const server = yield* ollama(() =>
      paced(
        [
          said("half"),
          ...Array(60)
            .fill([said(""), "\n"])
            .flat()
        ],
        20
      )
    )
    const run = yield* execute(adapter(server.url, { noOutputTimeoutMs: Option.some(200) }))
    expect([run.reason, run.execution.lastMessage]).toEqual(["no output for 200 ms", "half"])
  })
)

test("the model is heard by its thoughts", () => {
  let heard = 0
  const answer = ollamaAnswer(
    {
      host: "h",
      prompt: "",
      context: contextFor("", undefined, nothingShown),
      redactor: noSecrets,
      remedies: { key: "", quota: "", model: "", context: "", request: "" }
    },
    { ...account, heard: () => void heard++ }
  )
  for (const thinking of ["hm", "", "hm"])
    answer.line(line({ message: { content: "", thinking }, done: false }))
  expect(heard).toBe(2)
})

it.live("a cancel while it streams ends it at once and closes the connection", () =>
  Effect.gen(function* () {
    const asked = yield* Deferred.make<Got>()
    const server = yield* ollama((got) => {
      Effect.runSync(Deferred.succeed(asked, got))
      return streamed([said("half")], { ...NDJSON, hang: true })
    })
    const stop = yield* Deferred.make<StopReason>()
    const fiber = yield* Effect.fork(execute(adapter(server.url), { stop }))
    const { gone } = yield* Deferred.await(asked)
    yield* Deferred.succeed(stop, "cancel")
    const { execution, reason } = yield* Fiber.join(fiber)
    expect([execution.exitStatus, execution.retryClass, reason]).toEqual([
      "canceled",
      "none",
      "canceled by an operator"
    ])
    yield* Effect.promise(() => gone)
  })
)

it.live("an interrupted attempt closes the connection", () =>
  Effect.gen(function* () {
    const asked = yield* Deferred.make<Got>()
    const server = yield* ollama((got) => {
      Effect.runSync(Deferred.succeed(asked, got))
      return new Promise<Response>(() => undefined)
    })
    const fiber = yield* Effect.fork(execute(adapter(server.url)))
    const { gone } = yield* Deferred.await(asked)
    yield* Fiber.interrupt(fiber)
    yield* Effect.promise(() => gone)
  })
)

it.live("garbage for ever and a huge line are ended by their limits", () =>
  Effect.gen(function* () {
    const spaces = yield* ollama(() => endless(Buffer.from(`${" ".repeat(65_535)}\n`), NDJSON.type))
    expect((yield* execute(adapter(spaces.url))).reason).toMatch(/sent more than 67108864 bytes/)
    const huge = yield* ollama(() => endless(new Uint8Array(65_536).fill(97), NDJSON.type))
    const overlong = yield* execute(adapter(huge.url))
    expect(overlong.reason).toMatch(
      /^the server sent a line of more than 16777216 bytes, .*: check .* endpoint/
    )
    expect(overlong.execution.retryClass).toBe("none")
    const talker = yield* ollama(() => endless(Buffer.from(said("x".repeat(60_000))), NDJSON.type))
    const long = yield* execute(adapter(talker.url))
    expect(long.reason).toBe("the answer is longer than 8388608 bytes: it was not read on")
  })
)

it.live("a password of the endpoint is masked in all that is stored, split over pieces or not", () =>
  Effect.gen(function* () {
    const server = yield* answering(said("it is pass-"), said("word!"), line({ error: "pass-word is wrong" }))
    const { execution, file, reason } = yield* execute(adapter(server.url.replace("//", "//me:pass-word@")), {
      prompt: "the prompt has pass-word in it",
      payload: { key: "pass-word" }
    })
    const names = ["stdout.log", "stderr.log", "invocation.json", "assembled-context.txt", "payload.json"]
    for (const name of names)
      expect([name, file(name)]).not.toEqual([name, expect.stringContaining("pass-word")])
    expect(file("stdout.log")).toBe("it is [redacted]!")
    expect(execution.lastMessage).toBe("it is pass-word!")
    expect(reason).toContain("told of an error: [redacted] is wrong")
    expect(server.got[1]?.body.messages).toEqual([
      { role: "user", content: "the prompt has pass-word in it" }
    ])
  })
)

const probing = (models: ReadonlyArray<string>) =>
  stub(({ path }) =>
    path === "/api/version"
      ? Response.json({ version: "0.99.0" })
      : Response.json({ models: models.map((name) => ({ name, model: name })) })
  )

it.live("a probe asks whether the server is up and has the model, whatever way its tag is written", () =>
  Effect.gen(function* () {
    const server = yield* probing(["stub:latest", "qwen3:8b", "gpt-oss:120b-cloud"])
    const probe = (model: string) => adapter(server.url, { model }).probe
    for (const model of ["stub", "stub:latest", "qwen3:8b", "QWEN3:8b", "gpt-oss:120b-cloud"])
      expect(yield* probe(model)).toEqual({ ok: true, reason: "", remedy: "", warnings: [] })
    expect(yield* probe("qwen3")).toEqual({
      ok: false,
      reason: `model qwen3 is not on ${server.host}`,
      remedy: "ollama pull qwen3",
      warnings: []
    })
    expect(yield* probe("kimi:cloud")).toMatchObject({
      ok: true,
      warnings: [expect.stringMatching(/ollama signin, then ollama pull kimi:cloud/)]
    })
    expect(tagged("hf.co/user/model")).toBe("hf.co/user/model:latest")
  })
)

it.live("a probe says what to do when nobody, or somebody else, answers", () =>
  Effect.gen(function* () {
    expect(yield* adapter(yield* nowhere).probe).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/refused the connection/),
      remedy: expect.stringMatching(/^start it \(ollama serve\)/)
    })
    const other = yield* stub(() => new Response("<html>", { status: 200 }))
    expect(yield* adapter(other.url).probe).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/answered \/api\/version with 200 and not as Ollama does/)
    })
  })
)
