import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { ollamaAdapter } from "../../../layers/adapter/Ollama.ts"
import type { RetryClass } from "../../../src/domain/Attempt.ts"
import { it } from "../../support/effect.ts"
import { environment, execute, ollamaSettings, streamed, stub } from "../../support/serverStub.ts"
import { settings as runtime } from "../../support/settings.ts"

/** What becomes of an attempt whose `/api/chat` is answered so. */
const answeredBy = (chat: () => Response) =>
  Effect.gen(function* () {
    const shown = { model_info: { "stub.context_length": 8192 }, parameters: "" }
    const server = yield* stub(({ path }) => (path === "/api/show" ? Response.json(shown) : chat()))
    const { execution, reason } = yield* execute(
      ollamaAdapter({ settings: ollamaSettings(server.url), runtime: runtime(), host: environment })
    )
    return { ...execution, reason, wait: Option.getOrNull(execution.retryAfterSeconds) }
  })

const WEEKLY =
  "you (bob) have reached your weekly usage limit, upgrade for higher limits: https://ollama.com/upgrade"
const HOURLY = "you've reached your hourly usage limit, please upgrade to continue"

const refused = (status: number, error: string, headers: Readonly<Record<string, string>> = {}) =>
  answeredBy(() => Response.json({ error }, { status, headers }))

it.live("a usage limit that is spent waits for an operator, unless it is told when it opens again", () =>
  Effect.gen(function* () {
    for (const words of [WEEKLY, HOURLY, "weekly usage limit exceeded"])
      expect(yield* refused(429, words)).toMatchObject({
        retryClass: "none",
        wait: null,
        reason: expect.stringMatching(/answered 429: .*; the quota is spent: see the account's plan/)
      })
    expect(yield* refused(429, WEEKLY, { "retry-after": "70" })).toMatchObject({
      retryClass: "retryable",
      wait: 70
    })
    expect(yield* refused(429, `${HOURLY}. It resets in 20 minutes`)).toMatchObject({
      retryClass: "retryable"
    })
    for (const words of ["too many requests", "you reached the concurrent request limit"])
      expect(yield* refused(429, words)).toMatchObject({ retryClass: "retryable" })
  })
)

it.live("an error within the stream is judged by its words and the status beside it", () =>
  Effect.gen(function* () {
    const cases: ReadonlyArray<readonly [object, RetryClass, RegExp]> = [
      [{ error: WEEKLY }, "none", /told of an error: you \(bob\).*; the quota is spent/],
      [{ error: WEEKLY, status_code: 429 }, "none", /answered 429: .*; the quota is spent/],
      [{ error: "unauthorized" }, "none", /told of an error: unauthorized; sign the server in/],
      [{ error: "unauthorized", status_code: 401 }, "none", /answered 401: unauthorized; sign the server in/],
      [{ error: "no", status_code: 403 }, "none", /answered 403: no; sign the server in/],
      [{ error: "slow down", status_code: 429 }, "retryable", /answered 429: slow down$/],
      [{ error: "a tool was unauthorized", status_code: "odd" }, "retryable", /told of an error: a tool/]
    ]
    for (const [line, retryClass, reason] of cases)
      expect(
        yield* answeredBy(() => streamed([`${JSON.stringify(line)}\n`], { type: "application/x-ndjson" }))
      ).toMatchObject({ exitStatus: "error", retryClass, reason: expect.stringMatching(reason) })
  })
)
