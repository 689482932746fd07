import { expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { Deferred, Effect, Fiber, Option } from "effect"
import { openAiChatAdapter } from "../../../layers/adapter/OpenAiChat.ts"
import { openAiAnswer } from "../../../layers/adapter/OpenAiChatAnswer.ts"
import type { StopReason } from "../../../src/adapter/AdapterRegistry.ts"
import type { OpenAiChatSettings } from "../../../src/config/AdapterSettings.ts"
import { outcomeSchema, strictOutcomeSchema } from "../../../src/context/OutcomeSchema.ts"
import type { RetryClass } from "../../../src/domain/Attempt.ts"
import { noSecrets } from "../../../src/domain/Redactor.ts"
import { temporaryFolder } from "../../support/children/support.ts"
import { it } from "../../support/effect.ts"
import {
  account,
  breaking,
  endless,
  environment,
  execute,
  type Got,
  KEY,
  nowhere,
  OUTCOME,
  openAiSettings,
  paced,
  streamed,
  stub,
  withKey
} from "../../support/serverStub.ts"
import { settings as runtime } from "../../support/settings.ts"

const adapter = (url: string, changes: Partial<OpenAiChatSettings> = {}) =>
  openAiChatAdapter({ settings: openAiSettings(url, changes), runtime: runtime(), host: environment })

const data = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`
const chunk = (delta: unknown, finish_reason: string | null = null) =>
  data({ model: "stub-2", choices: [{ index: 0, delta, finish_reason }] })
const said = (content: string) => chunk({ content })
const finished = (reason: string) => chunk({}, reason)
const DONE = "data: [DONE]\n\n"
const USAGE = data({
  choices: [],
  usage: { prompt_tokens: 1000, completion_tokens: 80, prompt_tokens_details: { cached_tokens: 200 } }
})
const WHOLE = [said(OUTCOME), finished("stop"), USAGE, DONE]

const answering = (...pieces: ReadonlyArray<string | Uint8Array>) => stub(() => streamed(pieces))
const error = (status: number, message: string, code: string | null = null, headers = {}) =>
  Response.json({ error: { message, type: "stub_error", code } }, { status, headers })

it.live("an answer in slow pieces, characters split over them, is whole, with its tokens and facts", () =>
  Effect.gen(function* () {
    const lf = Buffer.from(
      `: hello\n\nid: 1\nevent: message\n${said(OUTCOME.slice(0, 20))}${said(OUTCOME.slice(20)).replace("data: ", "data:")}${finished("stop")}${USAGE}${DONE}`
    )
    for (const bytes of [lf, Buffer.from(lf.toString().replaceAll("\n", "\r\n"))]) {
      const at = bytes.indexOf(Buffer.from("🌍")) + 2
      const server = yield* answering(bytes.subarray(0, 3), bytes.subarray(3, at), bytes.subarray(at))
      const { execution, file } = yield* execute(adapter(server.url))
      expect(execution).toMatchObject({
        exitStatus: "ok",
        retryClass: "none",
        lastMessage: OUTCOME,
        diagnostics: [],
        usage: {
          inputTokens: Option.some(1000),
          outputTokens: Option.some(80),
          cachedTokens: Option.some(200),
          costUsd: Option.none()
        },
        facts: { model: "stub-2", finish_reason: "stop", response_format: "json_schema" }
      })
      expect([file("stdout.log"), execution.lastMessage]).toEqual([OUTCOME, OUTCOME])
    }
  })
)

it.live("the request carries key and schema, and is written down without key and prompt", () =>
  Effect.gen(function* () {
    const server = yield* stub(() => {
      const reply = streamed(WHOLE)
      reply.headers.set("x-request-id", "req_7")
      return reply
    })
    const { execution, file } = yield* execute(adapter(server.url, withKey), {
      traceParent: Option.some("00-t")
    })
    const body = {
      model: "stub",
      stream: true,
      stream_options: { include_usage: true },
      response_format: {
        type: "json_schema",
        json_schema: { name: "outcome", strict: false, schema: outcomeSchema }
      }
    }
    const message = (content: string) => [{ role: "user", content }]
    const [got] = server.got
    expect(got?.path).toBe("/v1/chat/completions")
    expect(got?.body).toEqual({ ...body, messages: message("the prompt, in JSON please") })
    expect([got?.headers.get("authorization"), got?.headers.get("traceparent")]).toEqual([
      `Bearer ${KEY}`,
      "00-t"
    ])
    expect(JSON.parse(file("invocation.json"))).toEqual({
      method: "POST",
      url: `${server.url}/v1/chat/completions`,
      headers: { accept: "text/event-stream", authorization: "[redacted]", traceparent: "00-t" },
      body: { ...body, messages: message("see assembled-context.txt") },
      note: "prompt: see assembled-context.txt"
    })
    expect(execution.facts.request_id).toBe("req_7")
    expect(file("assembled-context.txt")).toBe("the prompt, in JSON please")
  })
)

it.live("the strict schema binds the answer where the profile allows neither follow-ups nor messages", () =>
  Effect.gen(function* () {
    const server = yield* answering(...WHOLE)
    for (const freeFormResult of [false, true]) yield* execute(adapter(server.url), { freeFormResult })
    const json_schema = (strict: boolean, schema: unknown) => ({
      type: "json_schema",
      json_schema: { name: "outcome", strict, schema }
    })
    expect(server.got.map(({ body }) => body.response_format)).toEqual([
      json_schema(true, strictOutcomeSchema),
      json_schema(false, outcomeSchema)
    ])
  })
)

it.live("answers that other servers give in their own way are understood", () =>
  Effect.gen(function* () {
    const message = { role: "assistant", content: OUTCOME }
    const part = (content: unknown) => chunk({ content })
    const cases: ReadonlyArray<ReadonlyArray<string>> = [
      [JSON.stringify({ choices: [{ message, finish_reason: "stop" }] })],
      [said(OUTCOME), finished("eos_token"), DONE],
      [
        part([{ type: "thinking", thinking: [] }]),
        part([{ type: "text", text: OUTCOME }]),
        finished("stop"),
        DONE
      ],
      [chunk({ reasoning_content: '{"status":' }), said(OUTCOME), finished("stop"), DONE.trimEnd()],
      [said(OUTCOME), data({ choices: [{ index: 1, delta: { content: "other" } }] }), finished("stop"), DONE]
    ]
    for (const pieces of cases) {
      const server = yield* answering(...pieces)
      const { execution } = yield* execute(adapter(server.url))
      expect([execution.exitStatus, execution.lastMessage]).toEqual(["ok", OUTCOME])
    }
  })
)

it.live("a server that does not stream has ended no stream too early", () =>
  Effect.gen(function* () {
    const whole = { choices: [{ message: { role: "assistant", content: OUTCOME }, finish_reason: "stop" }] }
    for (const text of [JSON.stringify(whole), JSON.stringify(whole, null, 2)]) {
      const server = yield* answering(text)
      const { execution } = yield* execute(adapter(server.url))
      expect([execution.exitStatus, execution.lastMessage]).toEqual(["ok", OUTCOME])
      expect(execution.diagnostics).toEqual([])
    }
  })
)

it.live("a stream that ends after its finish_reason without [DONE] is whole, with a finding", () =>
  Effect.gen(function* () {
    const server = yield* answering(said(OUTCOME), finished("stop"))
    const { execution } = yield* execute(adapter(server.url))
    expect([execution.exitStatus, execution.lastMessage]).toEqual(["ok", OUTCOME])
    expect(execution.diagnostics).toEqual([expect.stringMatching(/^stream_without_done/)])
    const body = said(OUTCOME) + finished("stop")
    const broken = yield* breaking(
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n`
    )
    const cut = yield* execute(adapter(broken.url), {}, broken.cut)
    expect([cut.execution.exitStatus, cut.execution.lastMessage]).toEqual(["ok", OUTCOME])
  })
)

it.live("what is no whole answer is named", () =>
  Effect.gen(function* () {
    const cases: ReadonlyArray<readonly [ReadonlyArray<string>, RetryClass, RegExp]> = [
      [
        [said("{"), finished("length"), DONE],
        "retryable",
        /^the answer was cut off \(finish_reason length\)/
      ],
      [
        [finished("content_filter"), DONE],
        "none",
        /content filter .*finish_reason content_filter.*reword the task/
      ],
      [[finished("tool_calls"), DONE], "retryable", /called a tool \(finish_reason tool_calls\)/],
      [[said("{}"), finished("abort"), DONE], "retryable", /finish_reason abort and not with stop/],
      [[said("half"), DONE], "retryable", /ended the answer without a finish_reason/],
      [[said("half")], "retryable", /ended the stream after 4 characters .*no finish_reason, no \[DONE\]/],
      [[], "retryable", /sent no chat completion; check the adapter's endpoint/],
      [["<html>\n\n</html>"], "retryable", /sent no chat completion/],
      [
        [chunk({ refusal: "I can" }), chunk({ refusal: "not" }, "stop"), DONE],
        "none",
        /^the model refused: I cannot; reword the task/
      ],
      [[said("x"), data({ error: { message: "overloaded" } })], "retryable", /told of an error: overloaded$/],
      [
        [data({ error: { message: "no", code: 401 } })],
        "none",
        /answered 401: no; check the adapter's apiKey/
      ],
      [['{"error":"plain words"}\n'], "retryable", /told of an error: plain words$/],
      [[data({ error: { message: "m", code: "insufficient_quota" } })], "none", /plan and billing/],
      [["data: no json\n\n"], "retryable", /sent an event that is no chat completion: no json/]
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

it.live("refusals have their class, remedy and Retry-After", () =>
  Effect.gen(function* () {
    const inAMinute = new Date(Date.now() + 60_000).toUTCString()
    const cases: ReadonlyArray<readonly [Response, RetryClass, RegExp, boolean]> = [
      [
        error(401, "Incorrect API key"),
        "none",
        /answered 401: Incorrect API key; check the adapter's apiKey$/,
        false
      ],
      [error(404, "no such model", "model_not_found"), "none", /check the adapter's model \(stub\)/, false],
      [error(400, "long", "context_length_exceeded"), "none", /max_prompt_chars/, false],
      [error(429, "You exceeded", "insufficient_quota", { "retry-after": "7" }), "none", /billing/, false],
      [
        error(429, "slow", "rate_limit_exceeded", { "retry-after": "7" }),
        "retryable",
        /answered 429: slow$/,
        true
      ],
      [error(429, "slow", null, { "retry-after": inAMinute }), "retryable", /answered 429/, true],
      [error(503, "busy", null, { "retry-after": "7" }), "retryable", /answered 503: busy$/, true],
      [error(500, "oops"), "retryable", /answered 500: oops$/, false],
      [
        new Response("<title>502 Bad Gateway</title>", {
          status: 502,
          headers: { "content-type": "text/html" }
        }),
        "retryable",
        /answered 502: a web page: 502 Bad Gateway$/,
        false
      ]
    ]
    for (const [response, retryClass, expected, waits] of cases) {
      const server = yield* stub(() => response)
      const { execution, reason } = yield* execute(adapter(server.url, withKey))
      expect(reason).toMatch(expected)
      expect([execution.exitStatus, execution.retryClass]).toEqual(["error", retryClass])
      expect(Option.isSome(execution.retryAfterSeconds)).toBe(waits)
    }
  })
)

it.live("a response_format that the server refuses is given up step by step, told as findings", () =>
  Effect.gen(function* () {
    const formatOf = ({ body }: Got) => JSON.stringify(body.response_format ?? "none")
    const server = yield* stub((got) => {
      if (formatOf(got) !== '"none"')
        return error(400, `'response_format.type' of ${formatOf(got)} is not supported`)
      if (got.body.stream_options !== undefined)
        return error(422, "stream_options: extra fields not permitted")
      return streamed(WHOLE)
    })
    const { execution, file } = yield* execute(adapter(server.url))
    expect(execution).toMatchObject({ exitStatus: "ok", facts: { response_format: "none" } })
    expect(server.got).toHaveLength(4)
    expect(server.got.map(formatOf).slice(1)).toEqual(['{"type":"json_object"}', '"none"', '"none"'])
    expect(execution.diagnostics).toEqual([
      expect.stringMatching(/^request_form_refused: .* took no response_format json_schema: /),
      expect.stringMatching(/took no response_format json_object: /),
      expect.stringMatching(/took no stream_options: /)
    ])
    expect(JSON.parse(file("invocation.json")).body).not.toHaveProperty("response_format")
    const other = yield* stub(() => error(400, "bad temperature"))
    yield* execute(adapter(other.url))
    expect(other.got).toHaveLength(1)
  })
)

it.live("a redirect is not followed with the key", () =>
  Effect.gen(function* () {
    const thief = yield* stub(() => streamed(WHOLE))
    const server = yield* stub(() => Response.redirect(`${thief.url}/v1/chat/completions`, 308))
    const { execution, reason } = yield* execute(adapter(server.url, withKey))
    expect([execution.retryClass, thief.got.length]).toEqual(["none", 0])
    expect(reason).toMatch(/answered 308; redirects are not followed/)
  })
)

it.live("a key that cannot be had waits for an operator, and nothing is asked", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const at = (name: string, text: string, mode: number) => {
      const path = join(folder, name)
      writeFileSync(path, text, { mode })
      return { secretFile: { given: name, path } }
    }
    const server = yield* answering(...WHOLE)
    const cases = [
      [at("open", KEY, 0o644), /^cannot start: secret file .*can be read by others; chmod 600/],
      [at("empty", "\n", 0o600), /the apiKey is empty/],
      [at("lines", "one\ntwo\n", 0o600), /characters that no HTTP header can carry/],
      [{ secretEnv: "UNSET" }, /secret variable UNSET is not set/]
    ] as const
    for (const [ref, expected] of cases) {
      const one = adapter(server.url, { apiKey: Option.some(ref) })
      const { execution, file, reason } = yield* execute(one)
      expect([execution.exitStatus, execution.retryClass]).toEqual(["error", "none"])
      expect(reason).toMatch(expected)
      expect(file("stderr.log")).toBe(`${reason}\n`)
      expect(yield* one.probe).toMatchObject({ ok: false, remedy: expect.stringMatching(/./) })
    }
    expect(server.got).toEqual([])
  })
)

it.live("a key that the server echoes is masked in all that is stored, split over pieces or not", () =>
  Effect.gen(function* () {
    const server = yield* answering(
      said(`key ${KEY.slice(0, 9)}`),
      said(`${KEY.slice(9)} and ${btoa(KEY)}!`),
      chunk({ refusal: `no ${KEY}` }, `odd ${KEY}`),
      DONE
    )
    const { execution, file, reason } = yield* execute(adapter(server.url, withKey), {
      payload: { key: KEY }
    })
    for (const name of ["stdout.log", "stderr.log", "invocation.json", "payload.json"])
      expect([name, file(name)]).not.toEqual([name, expect.stringContaining(KEY)])
    expect(file("stdout.log")).toMatch(/^key \[redacted\] and \[redacted\]=*!$/)
    expect(execution.redactor.text(execution.lastMessage)).toBe(file("stdout.log"))
    expect(reason).toBe("the model refused: no [redacted]; reword the task, or use another model")
    expect(execution.lastMessage).toContain(KEY)
    const refusing = yield* stub(() => error(401, `Incorrect API key provided: ${KEY}`))
    const refused = yield* execute(adapter(refusing.url, withKey))
    expect(refused.reason).toContain("provided: [redacted];")
    expect(refused.file("stderr.log")).not.toContain(KEY)
  })
)

it.live("a server that hangs, before or in its answer, is ended by silence, and the timeout by itself", () =>
  Effect.gen(function* () {
    const hanging = yield* stub(() => new Promise<Response>(() => undefined))
    const silent = yield* execute(adapter(hanging.url, { noOutputTimeoutMs: Option.some(80) }))
    expect([silent.execution.exitStatus, silent.reason]).toEqual(["timeout", "no output for 80 ms"])
    const stalling = yield* stub(() => streamed([said("half")], { hang: true }))
    const stalled = yield* execute(adapter(stalling.url, { noOutputTimeoutMs: Option.some(200) }))
    expect([stalled.reason, stalled.execution.lastMessage]).toEqual(["no output for 200 ms", "half"])
    const late = yield* execute(adapter(stalling.url, { timeoutMs: 200 }))
    expect([late.execution.exitStatus, late.reason]).toEqual(["timeout", "timed out after 200 ms"])
    for (const { gone } of [...hanging.got, ...stalling.got]) yield* Effect.promise(() => gone)
  })
)

it.live("a cancel while it streams ends it at once and closes the connection", () =>
  Effect.gen(function* () {
    const server = yield* stub(() => streamed([said("half")], { hang: true }))
    const written = yield* Deferred.make<void>()
    const stop = yield* Deferred.make<StopReason>()
    const fiber = yield* Effect.fork(
      execute(adapter(server.url), { stop }, () => Effect.runSync(Deferred.succeed(written, undefined)))
    )
    yield* Deferred.await(written)
    yield* Deferred.succeed(stop, "drain")
    const { execution, reason } = yield* Fiber.join(fiber)
    expect([execution.exitStatus, execution.retryClass, reason]).toEqual([
      "canceled",
      "none",
      "stopped by a drain"
    ])
    expect(execution.lastMessage).toBe("half")
    for (const { gone } of server.got) yield* Effect.promise(() => gone)
  })
)

it.live("what a server sends to keep the connection open does not end the model's silence", () =>
  Effect.gen(function* () {
    const pings = [": ping\n\n", "\n", "event: ping\n", chunk({}), chunk({ content: "" }), USAGE]
    const server = yield* stub(() => paced([said("half"), ...Array(20).fill(pings).flat()], 20))
    const { execution, reason } = yield* execute(adapter(server.url, { noOutputTimeoutMs: Option.some(200) }))
    expect([reason, execution.lastMessage]).toEqual(["no output for 200 ms", "half"])
  })
)

test.each([
  ["a thought", { reasoning_content: "hm" }, null, 1],
  ["a thought by its other name", { reasoning: "hm" }, null, 1],
  ["a refusal", { refusal: "no" }, null, 1],
  ["its end", {}, "stop", 1],
  ["nothing", { content: "", reasoning: "", refusal: null }, null, 0]
])("the model is heard by %s", (_, delta, finish, times) => {
  let heard = 0
  const answer = openAiAnswer(
    { host: "h", redactor: noSecrets, remedies: { key: "", quota: "", model: "", context: "", request: "" } },
    { ...account, heard: () => void heard++, finished: () => void heard++ }
  )
  for (const line of chunk(delta, finish).split("\n")) expect(answer.line(line)).toBe("more")
  expect(heard).toBe(times)
})

it.live("a server that does not stream may send a long answer in one line, or indented over many", () =>
  Effect.gen(function* () {
    const content = JSON.stringify({ ...JSON.parse(OUTCOME), operator_summary: "世z".repeat(400_000) })
    const answer = { choices: [{ index: 0, message: { content }, finish_reason: "stop" }] }
    const [whole, indented] = [JSON.stringify(answer), JSON.stringify(answer, null, 2)]
    for (const body of [
      whole,
      `data: ${whole}\n\n${DONE}`,
      indented,
      `${indented.replaceAll("\n", "\r\n")}\r\n`
    ]) {
      const server = yield* answering(body)
      const { execution } = yield* execute(adapter(server.url))
      expect([execution.exitStatus, execution.lastMessage === content]).toEqual(["ok", true])
    }
  })
)

it.live("garbage for ever, a huge event and an endless answer are ended by their limits", () =>
  Effect.gen(function* () {
    const comments = yield* stub(() => endless(Buffer.from(`: ${"x".repeat(60_000)}\n`)))
    expect((yield* execute(adapter(comments.url))).reason).toMatch(/sent more than 67108864 bytes/)
    const huge = yield* stub(() => endless(Buffer.from(`data: ${"x".repeat(60_000)}\n`)))
    const overlong = yield* execute(adapter(huge.url))
    expect(overlong.reason).toMatch(
      /^the server sent a line of more than 16777216 bytes, .*: check .* endpoint/
    )
    expect(overlong.execution.retryClass).toBe("none")
    const talker = yield* stub(() => endless(Buffer.from(said("x".repeat(60_000)))))
    expect((yield* execute(adapter(talker.url))).reason).toMatch(/^the answer is longer than 8388608 bytes/)
  })
)

it.live("a probe asks with the key for the list of models", () =>
  Effect.gen(function* () {
    const list = (...ids: ReadonlyArray<string>) => Response.json({ data: ids.map((id) => ({ id })) })
    const probed = (answer: () => Response, changes = withKey) =>
      Effect.gen(function* () {
        const server = yield* stub(answer)
        const result = yield* adapter(server.url, changes).probe
        expect(server.got.map(({ headers, path }) => [path, headers.get("authorization")])).toEqual([
          ["/v1/models", `Bearer ${KEY}`]
        ])
        return result
      })
    const fine = { ok: true, reason: "", remedy: "", warnings: [] }
    expect(yield* probed(() => list("other", "stub"))).toEqual(fine)
    expect(yield* probed(() => list())).toEqual(fine)
    const warned = (warning: RegExp) => ({ ...fine, warnings: [expect.stringMatching(warning)] })
    expect(yield* probed(() => list("other"))).toEqual(warned(/does not list model stub among its 1/))
    expect(yield* probed(() => new Response("hello"))).toEqual(warned(/without a list/))
    expect(yield* probed(() => error(404, "no"))).toEqual(warned(/does not list its models \(404\)/))
    expect(yield* probed(() => error(405, "no"))).toEqual(warned(/does not list its models \(405\)/))
    expect(yield* probed(() => error(429, "no"))).toEqual(warned(/limits requests/))
    expect(yield* probed(() => error(401, "no"))).toMatchObject({
      ok: false,
      remedy: "check the adapter's apiKey"
    })
    expect(yield* probed(() => error(500, "no"))).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/500$/)
    })
    expect(yield* adapter(yield* nowhere).probe).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/refused the connection/)
    })
  })
)

it.live("a key that travels in the open, or is too short to be masked, is a warning", () =>
  Effect.gen(function* () {
    const server = yield* answering(...WHOLE)
    const short = openAiChatAdapter({
      settings: openAiSettings(server.url, withKey),
      runtime: runtime(),
      host: { API_KEY: "abc" }
    })
    const { execution } = yield* execute(short)
    expect(execution.diagnostics).toEqual([expect.stringMatching(/^the apiKey has fewer than 6 characters/)])
    const open = adapter("http://models.invalid", withKey)
    expect((yield* execute(open)).execution.diagnostics).toEqual([
      "the apiKey goes to models.invalid over http, where others can read it: use https"
    ])
  })
)
