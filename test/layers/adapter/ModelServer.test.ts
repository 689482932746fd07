import { describe, expect, test } from "bun:test"
import { join } from "node:path"
import { Deferred, Duration, Effect, Fiber, Option, TestClock } from "effect"
import { oneLine } from "../../../layers/adapter/Lines.ts"
import { attempt } from "../../../layers/adapter/ModelServer.ts"
import { addressOf } from "../../../layers/adapter/ModelServerAddress.ts"
import { ask, call } from "../../../layers/adapter/ModelServerCall.ts"
import { makeEvents, makeLineFeeds, readLines, type Taken } from "../../../layers/adapter/ModelServerLines.ts"
import { failureOf, refusalOf } from "../../../layers/adapter/ModelServerRefusal.ts"
import type { StopReason } from "../../../src/adapter/AdapterRegistry.ts"
import { noSecrets, redactorOf } from "../../../src/domain/Redactor.ts"
import { fullAudit } from "../../support/audits.ts"
import { it, settable } from "../../support/effect.ts"
import { execute, nowhere, stub } from "../../support/serverStub.ts"

/** A reply whose body comes in these pieces. */
const pieces = (...left: Array<Uint8Array>) => ({
  status: 200,
  headers: new Headers(),
  next: Effect.sync(() => Option.fromNullable(left.shift()))
})

const linesOf = (...parts: Array<Uint8Array>) => {
  const lines: Array<string> = []
  return Effect.map(
    readLines(pieces(...parts), (line) => {
      lines.push(line)
      return line === "stop" ? "done" : "more"
    }),
    (end) => ({ lines, end })
  )
}

it.effect("lines are the same however the bytes are split, and LF and CRLF both end them", () =>
  Effect.gen(function* () {
    const bytes = Buffer.from("\uFEFFeins\r\nzwei 世界 🌍\n\nlast")
    const expected = { lines: ["eins", "zwei 世界 🌍", "", "last"], end: "end" }
    for (let at = 0; at <= bytes.length; at++)
      expect(yield* linesOf(bytes.subarray(0, at), bytes.subarray(at))).toEqual({ ...expected, end: "end" })
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte))
    expect(yield* linesOf(...single)).toEqual({ ...expected, end: "end" })
  })
)

test("a line of events may end in CR, CRLF or LF, however the bytes are split", () => {
  const bytes = Buffer.from("a\rb\r\nc\nd\r\re\r\n\r\n")
  for (let at = 0; at <= bytes.length; at++) {
    const fed = makeLineFeeds()
    const parts = [bytes.subarray(0, at), bytes.subarray(at)].map((part) => Buffer.from(fed(part)))
    expect(Buffer.concat(parts).toString()).toBe("a\nb\nc\nd\n\ne\n\n")
  }
})

it.effect("nothing is read behind the line that ends the answer", () =>
  Effect.gen(function* () {
    expect(yield* linesOf(Buffer.from("a\nstop\nb\n"))).toEqual({ lines: ["a", "stop"], end: "done" })
  })
)

it.effect("a line of more than 16 MiB is named and not kept", () =>
  Effect.gen(function* () {
    const piece = new Uint8Array(64 * 1024).fill(97)
    const { end, lines } = yield* linesOf(...Array.from({ length: 257 }, () => piece))
    expect(lines).toEqual([])
    expect(end).toMatchObject({
      retryClass: "none",
      reason: expect.stringMatching(/^the server sent a line of more than 16777216 bytes, /)
    })
  })
)

it.effect("an object that is sent over several lines is one line, also where it breaks off", () =>
  Effect.gen(function* () {
    const indented = JSON.stringify({ message: { content: "世z" }, done: true }, null, 2)
    for (const text of [indented, `${indented.replaceAll("\n", "\r\n")}\r\n`])
      expect(yield* linesOf(Buffer.from(`a\n${text}`))).toEqual({ lines: ["a", indented], end: "end" })
    expect((yield* linesOf(Buffer.from('{\n  "done": ['))).lines).toEqual(['{\n  "done": ['])
    const piece = Buffer.from(`{\n${"a".repeat(64 * 1024)}\n`)
    const { end, lines } = yield* linesOf(...Array.from({ length: 257 }, () => piece))
    expect(lines).toEqual([])
    expect(end).toMatchObject({ reason: expect.stringMatching(/more than 16777216 bytes/) })
  })
)

describe("events", () => {
  const read = (text: string) => {
    const seen: Array<string> = []
    const events = makeEvents((data): Taken => {
      seen.push(data)
      return "more"
    })
    for (const line of text.split("\n")) events.line(line)
    events.end()
    return seen
  }

  test("are data with and without a space, of several lines, with comments and other fields between", () => {
    expect(
      read(': hello\nevent: x\nid: 7\ndata: {"a":1}\n\ndata:{"b":2}\n\ndata: one\ndata: two\n\n: bye\n\n')
    ).toEqual(['{"a":1}', '{"b":2}', "one\ntwo"])
  })

  test("are bare objects, too, and the last one needs no empty line", () => {
    expect(read('{"error":"x"}\n\ndata: [DONE]')).toEqual(['{"error":"x"}', "[DONE]"])
  })

  test("of more than 16 MiB are named", () => {
    const events = makeEvents(() => "more")
    const line = `data: ${"x".repeat(9_000_000)}`
    expect(events.line(line)).toBe("more")
    expect(events.line(line)).toMatchObject({ _tag: "ServerFailed" })
  })
})

describe("an endpoint", () => {
  test("with user info is called and shown without it", () => {
    const address = addressOf("https://me:p%40ss@models.example:8443/base/v1?api-version=3#x")
    expect(address.url("/models").href).toBe("https://models.example:8443/base/v1/models?api-version=3")
    expect(address.headers).toEqual({ authorization: `Basic ${btoa("me:p@ss")}` })
    expect(address.secrets).toEqual(["p%40ss", "p@ss"])
  })

  test("over http is open to readers unless it is this host", () => {
    const open = ["http://10.0.0.1", "http://models.example/v1", "http://127.0.0.1.example"]
    const closed = [
      "http://127.0.0.1:1",
      "http://127.9.9.9",
      "http://[::1]:1",
      "http://localhost",
      "https://a.b"
    ]
    expect(open.map((one) => addressOf(one).isOpen)).toEqual(open.map(() => true))
    expect(closed.map((one) => addressOf(one).isOpen)).toEqual(closed.map(() => false))
  })
})

const remedies = { key: "KEY", quota: "QUOTA", model: "MODEL", context: "CONTEXT", request: "REQUEST" }

const refused = (status: number, body: string, headers: Record<string, string> = {}) =>
  Effect.map(
    refusalOf({ ...pieces(Buffer.from(body)), status, headers: new Headers(headers) }, noSecrets),
    (refusal) => failureOf("host:1", refusal, remedies)
  )

it.effect("each refusal has its class, and those that an operator mends their remedy", () =>
  Effect.gen(function* () {
    const error = (message: string, code: string | null = null) =>
      JSON.stringify({ error: { message, code } })
    const cases: ReadonlyArray<readonly [number, string, "none" | "retryable", string]> = [
      [400, error("bad field"), "none", "host:1 answered 400: bad field; REQUEST"],
      [
        400,
        error("Your input", "context_length_exceeded"),
        "none",
        "host:1 answered 400: Your input; CONTEXT"
      ],
      [400, '{"error":"the input length exceeds the context length"}', "none", "CONTEXT"],
      [413, "too large", "none", "CONTEXT"],
      [401, error("no"), "none", "host:1 answered 401: no; KEY"],
      [403, error("no"), "none", "KEY"],
      [404, '{"error":"model \'x\' not found"}', "none", "host:1 answered 404: model 'x' not found; MODEL"],
      [400, error("unknown", "model_not_found"), "none", "MODEL"],
      [402, error("pay"), "none", "QUOTA"],
      [429, error("You exceeded", "insufficient_quota"), "none", "host:1 answered 429: You exceeded; QUOTA"],
      [307, "", "none", "host:1 answered 307; redirects are not followed"],
      [408, "", "retryable", "host:1 answered 408"],
      [429, error("slow down"), "retryable", "host:1 answered 429: slow down"],
      [499, "", "retryable", "host:1 answered 499"],
      [500, "", "retryable", "host:1 answered 500"],
      [503, '{"error":"server busy"}', "retryable", "host:1 answered 503: server busy"],
      [204, "", "retryable", "host:1 answered 204"]
    ]
    for (const [status, body, retryClass, reason] of cases) {
      const failure = yield* refused(status, body)
      expect([status, failure.retryClass]).toEqual([status, retryClass])
      expect(failure.reason).toContain(reason)
    }
  })
)

it.effect("an error page is one clean line", () =>
  Effect.gen(function* () {
    const page = `<html><head><title>502 Bad\n Gateway</title></head><body>${"x".repeat(100_000)}</body></html>`
    expect((yield* refused(502, page, { "content-type": "text/html" })).reason).toBe(
      "host:1 answered 502: a web page: 502 Bad Gateway"
    )
    expect((yield* refused(500, "line one\n\u001b[31mline two\u001b[0m\u0007")).reason).toBe(
      "host:1 answered 500: line one line two"
    )
    expect((yield* refused(500, "y".repeat(70_000))).reason.length).toBeLessThan(400)
    expect(oneLine("abc".repeat(9), 10)).toBe("abcabcabc…")
  })
)

it.effect(
  "Retry-After is seconds or a date by the Clock, of whatever may go better later, at most a day",
  () =>
    Effect.gen(function* () {
      const seconds = (status: number, value: string) =>
        Effect.map(refused(status, "", { "retry-after": value }), (failure) =>
          Option.getOrNull(failure.retryAfterSeconds)
        )
      expect(yield* seconds(429, "7")).toBe(7)
      expect(yield* seconds(503, " 1.2 ")).toBe(2)
      expect(yield* seconds(429, "999999999")).toBe(86_400)
      // The TestClock stands at the epoch.
      expect(yield* seconds(429, "Thu, 01 Jan 1970 00:02:00 GMT")).toBe(120)
      for (const now of ["0", "Wed, 31 Dec 1969 00:00:00 GMT"]) expect(yield* seconds(429, now)).toBe(0)
      for (const nothing of ["-5", "soon", "", "Wed, 99 Foo 1969 00:00:00 GMT"])
        expect(yield* seconds(429, nothing)).toBeNull()
      for (const status of [408, 500, 502, 503, 504, 529]) expect(yield* seconds(status, "7")).toBe(7)
      for (const mended of [401, 402, 403, 404]) expect(yield* seconds(mended, "7")).toBeNull()
      for (const status of [400, 413, 422])
        expect(yield* refused(status, "", { "retry-after": "7" })).toMatchObject({
          retryClass: "retryable",
          retryAfterSeconds: Option.some(7)
        })
      const quota = yield* refused(429, '{"error":{"code":"insufficient_quota"}}', { "retry-after": "7" })
      expect(Option.isNone(quota.retryAfterSeconds)).toBe(true)
    })
)

it.effect("a secret that an error echoes is masked before the error is cut", () =>
  Effect.gen(function* () {
    const redactor = redactorOf(["sk-secret-value"])
    const refusal = yield* refusalOf(
      {
        ...pieces(Buffer.from('{"error":{"message":"wrong key sk-sec'), Buffer.from('ret-value!"}}')),
        status: 401
      },
      redactor
    )
    expect(refusal.message).toBe("wrong key [redacted]!")
    const cut = yield* refusalOf(
      { ...pieces(Buffer.from(`${" ".repeat(64 * 1024 - 9)}sk-secret-value`)), status: 500 },
      redactor
    )
    expect(cut.body.trim()).toBe("")
  })
)

it.live("a server that is not there, or no name, is retryable and says so", () =>
  Effect.gen(function* () {
    const url = yield* nowhere
    const refused = yield* Effect.flip(Effect.scoped(call({ method: "GET", url: new URL(url), headers: {} })))
    expect(refused).toMatchObject({ retryClass: "retryable" })
    expect(refused.reason).toBe(`${new URL(url).host} refused the connection: nothing listens there`)
    const bad = yield* Effect.flip(
      Effect.scoped(call({ method: "GET", url: new URL(url), headers: { "x-bad": "a\nb" } }))
    )
    expect(bad.reason).toMatch(/could not be called/)
  })
)

it.live("redirects are answered and not followed", () =>
  Effect.gen(function* () {
    const other = yield* stub(() => new Response("never"))
    const one = yield* stub(() => Response.redirect(`${other.url}/taken`, 307))
    const { status } = yield* ask({ method: "GET", url: new URL(one.url), headers: {} }, Duration.seconds(5))
    expect(status).toBe(307)
    expect(other.got).toEqual([])
  })
)

it.live("proxies of the environment are not used", () =>
  Effect.gen(function* () {
    const server = yield* stub(() => new Response("direct"))
    const program = `
      import { Duration, Effect } from "effect"
      import { ask } from "${join(import.meta.dir, "../../../layers/adapter/ModelServerCall.ts")}"
      const { text } = await Effect.runPromise(ask({ method: "GET", url: new URL("${server.url}"), headers: {} }, Duration.seconds(5)))
      console.log(text)`
    const run = yield* Effect.promise(async () => {
      const child = Bun.spawn([process.execPath, "-e", program], {
        cwd: join(import.meta.dir, "../../.."),
        env: {
          PATH: process.env.PATH ?? "",
          HTTP_PROXY: "http://127.0.0.1:9",
          http_proxy: "http://127.0.0.1:9"
        },
        stdout: "pipe",
        stderr: "pipe"
      })
      return [await new Response(child.stdout).text(), await new Response(child.stderr).text()]
    })
    expect(run).toEqual(["direct\n", ""])
  })
)

const settings = { timeoutMs: 20_000, noOutputTimeoutMs: Option.none<number>() }

it.effect("silence is counted anew from whatever the model says or does, by a clock that nobody sets", () =>
  settable((set) =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const adapter = {
        execute: (job: Parameters<typeof attempt>[0]["job"]) =>
          attempt({
            job,
            settings: { timeoutMs: 60_000, noOutputTimeoutMs: Option.some(1000) },
            redactor: noSecrets,
            converse: ({ heard, say }) =>
              Effect.gen(function* () {
                yield* Deferred.succeed(begun, undefined)
                yield* Effect.sleep(900)
                say("part")
                set(3_600_000)
                yield* Effect.sleep(900)
                heard()
                set(-7_200_000)
                return yield* Effect.never
              })
          })
      }
      const fiber = yield* Effect.fork(execute(adapter))
      yield* Deferred.await(begun)
      yield* TestClock.adjust("2700 millis")
      expect(fiber.unsafePoll()).toBeNull()
      yield* TestClock.adjust("200 millis")
      const { execution, reason } = yield* Fiber.join(fiber)
      expect([execution.exitStatus, execution.retryClass, reason]).toEqual([
        "timeout",
        "retryable",
        "no output for 1000 ms"
      ])
      expect(execution.lastMessage).toBe("part")
    })
  )
)

it.live("halves of a surrogate pair in two pieces are one character in the log", () =>
  Effect.gen(function* () {
    const run = yield* execute({
      execute: (job) =>
        attempt({
          job,
          settings,
          redactor: noSecrets,
          converse: ({ say }) =>
            Effect.sync(() => ["a\ud83c", "\udf0db", "\ud83c"].map(say)).pipe(Effect.asVoid)
        })
    })
    expect(run.file("stdout.log")).toBe("a🌍b\uFFFD")
  })
)

it.live("an answer of more than 8 MiB is named, and a failing conversation does not lose what was said", () =>
  Effect.gen(function* () {
    const piece = "x".repeat(1024 * 1024)
    const run = yield* execute({
      execute: (job) =>
        attempt({
          job,
          settings,
          redactor: noSecrets,
          converse: ({ say }) =>
            Effect.gen(function* () {
              for (;;) {
                const tooMuch = say(piece)
                if (Option.isSome(tooMuch)) return yield* tooMuch.value
              }
            })
        })
    })
    expect([run.execution.exitStatus, run.execution.retryClass, run.reason]).toEqual([
      "error",
      "retryable",
      "the answer is longer than 8388608 bytes: it was not read on"
    ])
    expect(run.file("stdout.log")).toHaveLength(9 * 1024 * 1024)
    expect(run.file("stderr.log")).toBe(`${run.reason}\n`)
  })
)

it.live("a defect of a conversation is not waited out by its limits", () =>
  Effect.gen(function* () {
    const exit = yield* Effect.exit(
      execute({
        execute: (job) => attempt({ job, settings, redactor: noSecrets, converse: () => Effect.die("bug") })
      })
    )
    expect(exit._tag).toBe("Failure")
  })
)

it.live("an audit folder that cannot be written makes the attempt retryable, and nothing is asked", () =>
  Effect.gen(function* () {
    let asked = false
    const run = yield* execute(
      {
        execute: (job) =>
          attempt({
            job,
            settings,
            redactor: noSecrets,
            converse: () =>
              Effect.sync(() => {
                asked = true
              })
          })
      },
      {
        audit: fullAudit
      }
    )
    expect([run.execution.exitStatus, run.execution.retryClass, run.reason, asked]).toEqual([
      "error",
      "retryable",
      "the evidence could not be written: /audit below the artifact root: ENOSPC",
      false
    ])
  })
)

it.live("a stop that came before the attempt ends it without asking", () =>
  Effect.gen(function* () {
    const stop = yield* Deferred.make<StopReason>()
    yield* Deferred.succeed(stop, "drain")
    const run = yield* execute(
      { execute: (job) => attempt({ job, settings, redactor: noSecrets, converse: () => Effect.never }) },
      { stop }
    )
    expect([run.execution.exitStatus, run.reason]).toEqual(["canceled", "stopped by a drain"])
  })
)
